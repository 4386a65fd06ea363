"""The state of a machine that has just booted: one root filesystem, one init, no walls."""

from simulator.machine.abi.constants import (
    MS_RELATIME,
    RLIM_INFINITY,
    RLIMIT_AS,
    RLIMIT_CORE,
    RLIMIT_CPU,
    RLIMIT_DATA,
    RLIMIT_FSIZE,
    RLIMIT_LOCKS,
    RLIMIT_MEMLOCK,
    RLIMIT_MSGQUEUE,
    RLIMIT_NICE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    RLIMIT_RSS,
    RLIMIT_RTPRIO,
    RLIMIT_RTTIME,
    RLIMIT_SIGPENDING,
    RLIMIT_STACK,
    S_IFDIR,
)
from simulator.machine.abi.ids import (
    INITIAL_USER_NS,
    KERNEL,
    FilesId,
    MountId,
    NsId,
    Pid,
    SuperblockId,
)
from simulator.machine.kernel.clock import Clock
from simulator.machine.kernel.context import ROOT_CONTEXT, Context
from simulator.machine.kernel.cred import Credentials
from simulator.machine.kernel.family import Family
from simulator.machine.kernel.fs import nsfs
from simulator.machine.kernel.kernel import Event, Kernel
from simulator.machine.kernel.log import BOOT_LINES, KernelLog
from simulator.machine.kernel.namespace import (
    IDENTITY,
    CgroupNs,
    IpcNs,
    MountNs,
    NetNs,
    NsProxy,
    PidNs,
    TimeNs,
    UserNs,
    UtsNs,
)
from simulator.machine.kernel.task import At, Task, TaskState
from simulator.machine.kernel.vfs.fd import FdTable
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.kernel.vfs.slots import Slots
from simulator.machine.state.store import Store
from simulator.machine.state.timeline import Timeline

INIT = Pid(1)

DEFAULT_RLIMITS: dict[int, tuple[int, int]] = {
    RLIMIT_CPU: (RLIM_INFINITY, RLIM_INFINITY),
    RLIMIT_FSIZE: (RLIM_INFINITY, RLIM_INFINITY),
    RLIMIT_DATA: (RLIM_INFINITY, RLIM_INFINITY),
    RLIMIT_STACK: (8 << 20, RLIM_INFINITY),
    RLIMIT_CORE: (0, RLIM_INFINITY),
    RLIMIT_RSS: (RLIM_INFINITY, RLIM_INFINITY),
    RLIMIT_NPROC: (31_000, 31_000),
    RLIMIT_NOFILE: (1024, 1_048_576),
    RLIMIT_MEMLOCK: (8 << 20, 8 << 20),
    RLIMIT_AS: (RLIM_INFINITY, RLIM_INFINITY),
    RLIMIT_LOCKS: (RLIM_INFINITY, RLIM_INFINITY),
    RLIMIT_SIGPENDING: (31_000, 31_000),
    RLIMIT_MSGQUEUE: (819_200, 819_200),
    RLIMIT_NICE: (0, 0),
    RLIMIT_RTPRIO: (0, 0),
    RLIMIT_RTTIME: (RLIM_INFINITY, RLIM_INFINITY),
}
"""(soft, hard) of init, in each limit's own unit; getrlimit(2)."""


def boot(family: Family, hostname: str = "vitrina-host") -> Kernel:
    """A kernel of ``family`` with an empty root directory and init (pid 1) asleep in it."""
    store = Store()
    store.put(Clock(id=0))
    store.put(Context(id=ROOT_CONTEXT, params={}, hostname=hostname))
    spaces = _namespaces(store, hostname)
    nsfs.install(store)
    root = _root_filesystem(store, spaces, family)
    if family.boot_lines != BOOT_LINES:
        store.put(KernelLog(id=0, lines=family.boot_lines))
    store.put(FdTable(id=FilesId(1), slots=Slots()))
    store.new_id(FdTable)
    store.put(
        Task(
            id=INIT,
            parent=Pid(0),
            pids=(1,),
            pgid=INIT,
            sid=INIT,
            comm="init",
            argv=("/sbin/init",),
            env=(("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),),
            cred=Credentials(
                user_ns=INITIAL_USER_NS,
                effective=family.capabilities,
                permitted=family.capabilities,
                bounding=family.capabilities,
            ),
            ns=spaces,
            root=root,
            cwd=root,
            files=FilesId(1),
            cgroups={},
            state=TaskState.SLEEPING,
            handlers={},
            rlimits=DEFAULT_RLIMITS,
        )
    )
    store.new_id(("pid", spaces.pid))
    timeline: Timeline[Event] = Timeline(store)
    return Kernel(family, timeline)


def _namespaces(store: Store, hostname: str) -> NsProxy:
    """The initial namespace of every kind, all owned by the initial user namespace."""
    user, mnt, uts, ipc, pid, net, cgroup, time = (
        NsId(store.new_id("namespace")) for _ in range(8)
    )
    store.put(UserNs(id=user, uid_map=IDENTITY, gid_map=IDENTITY))
    store.put(MountNs(id=mnt, owner=user, root=MountId(2)))
    store.put(UtsNs(id=uts, owner=user, hostname=hostname))
    store.put(IpcNs(id=ipc, owner=user))
    store.put(PidNs(id=pid, owner=user, init=INIT))
    store.put(NetNs(id=net, owner=user))
    store.put(CgroupNs(id=cgroup, owner=user))
    store.put(TimeNs(id=time, owner=user))
    return NsProxy(
        mnt=mnt,
        uts=uts,
        ipc=ipc,
        pid=pid,
        pid_for_children=pid,
        net=net,
        cgroup=cgroup,
        time=time,
        time_for_children=time,
    )


def _root_filesystem(store: Store, spaces: NsProxy, family: Family) -> At:
    """An empty disk as ``/``, mounted over the rootfs that every Linux begins with.

    Private, as the kernel makes every mount: it is systemd that shares them (mount_namespaces(7)).
    """
    fstype, disk = family.disk
    sb = SuperblockId(store.new_id(Superblock))
    root = store.new_id(Inode)
    store.put(
        Superblock(
            id=sb, fstype=fstype, source=disk, root=root, owner=INITIAL_USER_NS, device=0x801
        )
    )
    store.put(Inode(id=root, sb=sb, mode=S_IFDIR | 0o755, nlink=2, parent=root))
    below = _initial_ramfs(store)
    mount = MountId(store.new_id(Mount))
    first = MountId(store.new_id(Mount))
    store.put(
        Mount(
            id=first,
            ns=spaces.mnt,
            parent=None,
            mountpoint=None,
            root=below.root,
            sb=below.id,
            source="rootfs",
            domain=KERNEL,
        )
    )
    store.put(
        Mount(
            id=mount,
            ns=spaces.mnt,
            parent=first,
            mountpoint=below.root,
            root=root,
            sb=sb,
            flags=MS_RELATIME,
            source=disk,
        )
    )
    return At(mount, root)


def _initial_ramfs(store: Store) -> Superblock:
    """ramfs-rootfs-initramfs: the filesystem under ``/`` that can't be pivoted away from."""
    root = store.new_id(Inode)
    sb = Superblock(
        id=SuperblockId(store.new_id(Superblock)),
        fstype="rootfs",
        source="rootfs",
        root=root,
        owner=INITIAL_USER_NS,
        device=2,
        domain=KERNEL,
    )
    store.put(sb)
    store.put(Inode(id=root, sb=sb.id, mode=S_IFDIR | 0o755, nlink=2, parent=root, domain=KERNEL))
    return sb
