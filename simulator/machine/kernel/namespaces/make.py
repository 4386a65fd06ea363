"""One new namespace of each kind: kernel/nsproxy.c create_new_namespaces() and what it calls."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, MountId, NsId
from simulator.machine.kernel import namespace, sysctl
from simulator.machine.kernel.cred import ALL_CAPABILITIES, Credentials, capability
from simulator.machine.kernel.namespace import (
    CgroupNs,
    IpcNs,
    MountNs,
    NetNs,
    PidNs,
    TimeNs,
    UserNs,
    UtsNs,
)
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import mount_tree
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.state.store import Row, Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

MAX_PID_NS_LEVEL = 32
MAX_USER_NS_LEVEL = 32

_FURNISH: dict[str, list[Callable[[Store, NsId], None]]] = {}


def furnish(kind: str, function: Callable[[Store, NsId], None]) -> None:
    """Have ``function`` set up each new namespace of ``kind`` (a loopback interface, for one)."""
    _FURNISH.setdefault(kind, []).append(function)


def new_user_ns(trap: "Trap") -> Credentials:
    """A user namespace below the caller's, and the credentials its maker has in it.

    Errors: ENOSPC below level 32; EPERM in a chroot, or when the caller's own ids have no mapping.
    Source: user_namespaces(7), kernel/user_namespace.c create_user_ns().
    """
    cred = trap.task.cred
    parent = trap.store.row(UserNs, cred.user_ns)
    if parent.level > MAX_USER_NS_LEVEL:
        trap.deny(
            Errno.ENOSPC,
            "user-ns-depth",
            N_("User namespaces nest 32 levels deep and no deeper."),
            "user_namespaces(7)",
        )
    _need_room(trap, "user")
    if trap.family.traits.userns_clone_refused_in_chroot and is_chrooted(trap):
        trap.deny(
            Errno.EPERM,
            "user-ns-in-chroot",
            N_("A process whose root is not its mount namespace's root makes no user namespace."),
            "user_namespaces(7)",
        )
    _need_mapped(trap, parent, cred)
    if parent.parent is None:
        # Counted for the user in the initial namespace: root of the host has the same count.
        trap.touch("namespace-count", HOST, "exhaust", "user.max_user_namespaces")
    ns = NsId(trap.store.new_id("namespace"))
    trap.store.put(
        UserNs(
            id=ns,
            parent=parent.id,
            level=parent.level + 1,
            owner_uid=cred.euid,
            setgroups=parent.setgroups,
            parent_could_setfcap=bool(cred.effective & capability("SETFCAP")),
            domain=trap.task.domain,
        )
    )
    _furnished(trap.store, "user", ns)
    return full_in(cred, ns)


_TABLES: dict[str, type[Row]] = {
    "user": UserNs,
    "mnt": MountNs,
    "uts": UtsNs,
    "ipc": IpcNs,
    "pid": PidNs,
    "cgroup": CgroupNs,
    "net": NetNs,
    "time": TimeNs,
}


def _need_room(trap: "Trap", kind: str) -> None:
    """ENOSPC when as many namespaces of ``kind`` live as user.max_KIND_namespaces allows.

    The kernel counts for each user; here all users of the machine count together.
    """
    name = f"user.max_{kind}_namespaces"
    written = trap.store.get(sysctl.Sysctl, name)
    text = trap.family.sysctls.get(name) if written is None else written.value
    if text is None:
        return
    if trap.store.count(_TABLES[kind]) <= int(text):  # those that nobody is in any more included
        return
    alive = {_space(task, kind) for task in trap.store.all(Task)}
    if len(alive) - 1 >= int(text):
        trap.deny(
            Errno.ENOSPC,
            "namespace-limit",
            N_("The machine allows no more namespaces of this kind (user.max_*_namespaces)."),
            "namespaces(7)",
        )


def _space(task: Task, kind: str) -> NsId:
    return task.cred.user_ns if kind == "user" else getattr(task.ns, kind)


def full_in(cred: Credentials, ns: NsId) -> Credentials:
    """``cred`` with every capability in user namespace ``ns`` (set_cred_user_ns())."""
    return msgspec.structs.replace(
        cred,
        effective=ALL_CAPABILITIES,
        permitted=ALL_CAPABILITIES,
        inheritable=0,
        bounding=ALL_CAPABILITIES,
        ambient=0,
        securebits=0,
        user_ns=ns,
    )


def is_chrooted(trap: "Trap") -> bool:
    """Whether the caller's root is not where its mount namespace begins (current_chrooted())."""
    return trap.task.root != mount_tree.root_of(trap.store, trap.task.ns.mnt)


def _need_mapped(trap: "Trap", parent: UserNs, cred: Credentials) -> None:
    if not (
        namespace.has_mapping(parent.uid_map, cred.euid)
        and namespace.has_mapping(parent.gid_map, cred.egid)
    ):
        trap.deny(
            Errno.EPERM,
            "id-map",
            N_("The caller's own user or group id has no mapping in its user namespace."),
            "user_namespaces(7)",
        )


def new_mount_ns(trap: "Trap", old: NsId, owner: NsId) -> tuple[NsId, dict[MountId, MountId]]:
    """A copy of mount namespace ``old``; returns it and old mount -> new mount.

    Owned by another user namespace than ``old``, it is the less privileged: its mounts are slaves
    of the old ones, and locked together. Source: fs/namespace.c copy_mnt_ns().
    """
    store = trap.store
    source = store.row(MountNs, old)
    _need_room(trap, "mnt")
    less_privileged = owner != source.owner
    ns = NsId(store.new_id("namespace"))
    how = mount_tree.COPY_UNBINDABLE | mount_tree.COPY_NS_FILES
    if less_privileged:
        how |= mount_tree.SLAVE
    first = store.row(Mount, source.root)
    top, copies = mount_tree.copy_tree(trap, first, first.root, how, ns)
    if less_privileged:
        mount_tree.lock_tree(store, top.id)
    for copy in copies.values():
        # A copy is its maker's: what happens to it afterwards is nobody else's loss.
        mount = store.row(Mount, copy)
        store.put(msgspec.structs.replace(mount, domain=trap.task.domain))
    store.put(MountNs(id=ns, owner=owner, root=top.id, domain=trap.task.domain))
    _furnished(store, "mnt", ns)
    return ns, copies


def new_uts_ns(trap: "Trap", owner: NsId) -> NsId:
    """A copy of the caller's two names."""
    _need_room(trap, "uts")
    ns = NsId(trap.store.new_id("namespace"))
    old = trap.store.row(UtsNs, trap.task.ns.uts)
    trap.store.put(msgspec.structs.replace(old, id=ns, owner=owner, domain=trap.task.domain))
    _furnished(trap.store, "uts", ns)
    return ns


def new_ipc_ns(trap: "Trap", owner: NsId) -> NsId:
    """An ipc namespace without any object."""
    _need_room(trap, "ipc")
    ns = NsId(trap.store.new_id("namespace"))
    trap.store.put(IpcNs(id=ns, owner=owner, domain=trap.task.domain))
    _furnished(trap.store, "ipc", ns)
    return ns


def new_pid_ns(trap: "Trap", owner: NsId) -> NsId:
    """A pid namespace below the caller's; its first task will be its init.

    Errors: EINVAL when the caller's children already go to another one; ENOSPC below level 32.
    """
    active = trap.task.ns.pid
    if trap.task.ns.pid_for_children != active:
        trap.fail(
            Errno.EINVAL,
            N_("The caller's children already go to another pid namespace."),
            "pid_namespaces(7)",
        )
    parent = trap.store.row(PidNs, active)
    if not namespace.is_ancestor(trap.store, parent.owner, owner):
        trap.fail(Errno.EINVAL, "", "pid_namespaces(7)")
    if parent.level + 1 > MAX_PID_NS_LEVEL:
        trap.deny(
            Errno.ENOSPC,
            "pid-ns-depth",
            N_("Pid namespaces nest 32 levels deep and no deeper."),
            "pid_namespaces(7)",
        )
    _need_room(trap, "pid")
    ns = NsId(trap.store.new_id("namespace"))
    trap.store.put(
        PidNs(id=ns, owner=owner, parent=active, level=parent.level + 1, domain=trap.task.domain)
    )
    _furnished(trap.store, "pid", ns)
    return ns


def new_cgroup_ns(trap: "Trap", owner: NsId) -> NsId:
    """A cgroup namespace whose roots are the groups that the caller is in now."""
    _need_room(trap, "cgroup")
    ns = NsId(trap.store.new_id("namespace"))
    groups = trap.task.cgroups
    roots = tuple(groups[hierarchy] for hierarchy in sorted(groups))
    trap.store.put(CgroupNs(id=ns, owner=owner, roots=roots, domain=trap.task.domain))
    _furnished(trap.store, "cgroup", ns)
    return ns


def new_net_ns(trap: "Trap", owner: NsId) -> NsId:
    """A network namespace: a loopback interface that is down, and nothing else."""
    _need_room(trap, "net")
    ns = NsId(trap.store.new_id("namespace"))
    trap.store.put(NetNs(id=ns, owner=owner, domain=trap.task.domain))
    _furnished(trap.store, "net", ns)
    return ns


def new_time_ns(trap: "Trap", owner: NsId) -> NsId:
    """A time namespace with the offsets of the one that the caller's children go to."""
    _need_room(trap, "time")
    ns = NsId(trap.store.new_id("namespace"))
    old = trap.store.row(TimeNs, trap.task.ns.time_for_children)
    trap.store.put(msgspec.structs.replace(old, id=ns, owner=owner, domain=trap.task.domain))
    _furnished(trap.store, "time", ns)
    return ns


def _furnished(store: Store, kind: str, ns: NsId) -> None:
    for function in _FURNISH.get(kind, ()):
        function(store, ns)
