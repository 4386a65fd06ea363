"""What differs between kernels, as types; the values live in ``families/``.

A handler never asks which family runs it: it reads a trait, or asks the security chain.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from simulator.machine.abi.call import Result
from simulator.machine.abi.errno import Errno
from simulator.machine.kernel import log
from simulator.machine.kernel.cred import ALL_CAPABILITIES
from simulator.machine.kernel.fs.registry import FilesystemType
from simulator.machine.kernel.resource.layout import CONTROLLERS
from simulator.machine.kernel.security import Chain
from simulator.machine.kernel.trap import NotModelled, Trap

if TYPE_CHECKING:
    from simulator.machine.kernel.task import Task

Handler: TypeAlias = Callable[..., Result | int]
Release: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Syscall:
    """One entry of a system call table.

    ``converters`` check and convert the arguments one by one (EFAULT for a null pointer), of which
    ``least`` must be given; ``since`` is the first release that has the call; ``partial`` says what
    the model leaves out of it.
    """

    name: str
    handler: Handler
    converters: tuple[Callable[[Any], Any], ...]
    least: int
    since: Release = ()
    partial: str = ""

    def run(self, trap: "Trap", args: tuple[Any, ...]) -> Result | int:
        """Have the handler carry out the call. Raises ``NotModelled`` for arguments that the model
        does not take, and whatever the handler does.
        """
        converters = self.converters
        if not self.least <= len(args) <= len(converters):
            takes = f"takes {self.least} to {len(converters)} arguments, not {len(args)}"
            raise NotModelled(takes)
        return self.handler(trap, *map(operator.call, converters, args))  # pyright: ignore


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Behavioural switches, each with the source that says so."""

    chroot_pins_dotdot: bool = False
    """The first chroot is remembered and ``..`` never passes it (FreeBSD vfs_lookup.c fd_jdir)."""
    context_root_pins_dotdot: bool = False
    """``..`` never passes the root of the caller's container, whatever its own root is: a prison's
    (vfs_lookup.c), a zone's (lookup.c), ``ve->root_path`` (fs/namei.c of OpenVZ)."""
    bind_mount_ends_at_its_root: bool = True
    """``..`` from a directory that was moved out of a bind mount is ENOENT, since Linux 4.3
    (fs/namei.c, path_connected())."""
    chroot_refuses_open_directories: bool = False
    """A second chroot fails with EPERM while a directory is open (kern_descrip.c)."""
    has_namespaces: bool = True
    has_abstract_sockets: bool = True
    network_wall: str = "net-ns"
    """The wall between two networks of one machine: a namespace, a vnet, a zone's stack."""
    ipc_wall: str = "ipc-ns"
    """The wall between two sets of System V objects."""
    socket_families: frozenset[int] = frozenset((1, 2, 10, 16, 17, 40, 44))
    """Address families that are compiled in: UNIX, INET, INET6, NETLINK, PACKET, VSOCK, XDP."""
    ports_belong_to_context: bool = False
    """Two contexts may bind one port on any address (FreeBSD in_pcblookup_local(), zones(7))."""
    release_agent_needs_rights: bool = True
    """Naming a release agent asks for CAP_SYS_ADMIN over the machine, since Linux 5.17
    (CVE-2022-0492)."""
    network_context_apart: bool = False
    """A task's network has a tag of its own besides its context (Linux-VServer's nid)."""
    scheduling_compares_capabilities: bool = True
    """Nobody schedules a process with capabilities that the caller lacks (cap_safe_nice(), with
    file capabilities since Linux 2.6.24)."""
    queues_belong_to_ipc_namespace: bool = True
    """POSIX message queues are an IPC namespace's, since Linux 2.6.30; before, the machine's."""
    devpts_is_one: bool = False
    """Every mount of devpts shows the machine's terminals, but for ``newinstance`` (Linux 4.7)."""
    terminals_are_tagged: bool = False
    """A pseudoterminal bears the number of the context that opened it (Linux-VServer devpts)."""
    copies_unified_files: bool = False
    """Writing to a file that is immutable but may be unlinked, and has other names, makes a copy
    under this name (Linux-VServer CONFIG_VSERVER_COWBL)."""
    names_belong_to_context: bool = False
    """Abstract UNIX names are found within one context only (Linux-VServer af_unix.c)."""
    loopback_of_context: bool = False
    """Each context has a loopback interface of its own, and any address means each of its
    addresses (zones(5)); else loopback and any address mean the context's first address."""
    mounts_belong_to_context: bool = False
    """What a context mounts is in its own list of mounts (zone_vfslist, mntfs)."""
    icmp_is_its_own_right: bool = False
    """A raw socket for ICMP alone asks for less than any other (net_icmpaccess)."""
    has_unnamed_files: bool = True
    """open(2) knows O_TMPFILE, since Linux 3.11; before, the bit means nothing."""
    sysfs_of_network: bool = False
    """A sandbox with a network of its own has a small /sys of its own too (openvz6
    kernel/ve/vecalls.c init_ve_sysfs())."""
    pipes_have_attributes: bool = True
    """fchmod(2) and fchown(2) change pipes and sockets, as pipefs and sockfs let them."""
    errors_are_negative: bool = True
    """A call's result from -4095 to -1 is the number of an error, also where it was meant as a
    process group (fcntl(2) F_GETOWN, BUGS)."""
    syncs_by_operation: bool = True
    """fsync(2) is EINVAL for what has no such operation: character devices, and whatever the
    filesystem's ``FileOperations`` leave out."""
    hostname_of_context: bool = False
    """A prison or zone has its own host name (kern_jail.c); else a UTS namespace has it."""
    setuid_clears_capabilities: bool = True
    """capabilities(7), "Effect of user ID changes on capabilities"."""
    userns_clone_refused_in_chroot: bool = True
    """unshare(2): EPERM when the root is not the mount namespace's root, since Linux 3.9."""
    unlink_directory_errno: Errno = Errno.EISDIR
    """unlink(2) of a directory: EISDIR on Linux, EPERM by POSIX."""
    nproc_counts_per_user_namespace: bool = True
    """getrlimit(2) RLIMIT_NPROC: counted for a uid of one user namespace, since Linux 5.14."""
    nproc_counts_per_context: bool = False
    """A user's processes are counted within one context (SunOS upcount_inc(), by uid and zone)."""
    devices_only_in_devfs: bool = False
    """A device node that mknod(2) made on a disk opens nothing (FreeBSD ufs_open())."""
    mknod_whiteout_unprivileged: bool = True
    """mknod(2) of a 0:0 character device needs no privilege since Linux 5.8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What a kernel shows a container's processes in place of the machine's own; each asks who
    looks. ``proc`` are the files of /proc (``procfs`` nodes by name), ``log`` the number of the
    ring that the kernel's messages are read from and written to; the last two what a set of
    capabilities reads as, and what is meant by one that is asked for (OpenVZ: SYS_ADMIN and
    NET_ADMIN stand for VE_ADMIN).
    """

    proc: "Callable[[Trap], Mapping[str, Any]]"
    log: "Callable[[Trap], int]"
    show_capabilities: "Callable[[Trap, int], int]"
    take_capabilities: "Callable[[Trap, int], int]"
    status: "Callable[[Trap, Task], tuple[str, ...]] | None" = None
    """Lines that /proc/PID/status has besides the usual ones."""
    process: "Callable[[Trap, Task], Mapping[str, Any]] | None" = None
    """Files that /proc/PID has besides the usual ones; None for one that is listed only."""
    reboot: "Callable[[Trap], Callable[[int], int] | None] | None" = None
    """What reboot(2) does with its command where it isn't the machine that is meant."""
    sysinfo: "Callable[[Trap], Mapping[str, int] | None] | None" = None
    """Fields of sysinfo(2) that are not the machine's; None where they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A kernel: its calls, its behaviour, its walls, its numbers."""

    id: str
    title: str
    release: Release
    release_name: str
    machine: str = "x86_64"
    sysname: str = "Linux"
    version: str = "#1 SMP PREEMPT_DYNAMIC"
    """What uname(2) calls the build."""
    table: Mapping[str, Syscall]
    traits: Traits
    chain: Chain
    filesystems: Mapping[str, FilesystemType]
    errno_numbers: Mapping[str, int]
    capabilities: int = ALL_CAPABILITIES
    """Those that exist, as a mask: what init begins with and the bounding set can hold."""
    disk: tuple[str, str] = ("ext4", "/dev/sda1")
    """The type of the root filesystem and the device it is on."""
    boot_lines: tuple[str, ...] = log.BOOT_LINES
    """What the kernel says while it boots."""
    controllers: frozenset[str] = frozenset(CONTROLLERS)
    """Control group controllers that are compiled in, by their names in version 1."""
    features: frozenset[str] = frozenset()
    """Compile-time options and machine facts that calls depend on, such as ``modules``."""
    call_names: frozenset[str] = frozenset()
    """Every call that the kernel has: a filter answers for those that ``table`` lacks."""
    inside: Inside | None = None
    """What a container's processes are shown; None: what everybody is."""
    sysctls: Mapping[str, str]
    """Kernel-wide sysctls at boot: ``kernel.dmesg_restrict`` and so on."""
