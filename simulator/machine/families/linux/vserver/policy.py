"""The rules of the two contexts, as questions of the security chain. Source: the kernel 2.6.27 with
the patch vs2.3, whose functions are named beside each.
"""

from simulator.machine.abi.call import Denial
from simulator.machine.abi.constants import AF_INET, AF_INET6, FS_BARRIER_FL
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.families.linux.capabilities import GRANTED_BY
from simulator.machine.kernel import vserver as vx
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.cred import mask
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.net.interface import Interface
from simulator.machine.kernel.net.socket import Socket
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs.inode import Inode, Superblock, is_dir

VISIBILITY, BOUNDING, BARRIER = "context-visibility", "bounding-set", "chroot-barrier"
NETWORK, NETIF, PROC, TERMINALS = "network-context", "hide-netif", "proc-hide", "tagged-terminals"

CCAPS: dict[str, tuple[Privilege, ...]] = {
    "set_utsname": (Privilege.SET_HOSTNAME,),
    "syslog": (Privilege.KERNEL_LOG,),
    "secure_mount": (Privilege.MOUNT, Privilege.UNMOUNT),
    "secure_remount": (Privilege.MOUNT,),
    "quota_ctl": (Privilege.QUOTA,),
    "set_rlimit": (Privilege.RESOURCE_RAISE,),
}
"""vx_capable(): context capabilities that stand in for the system's in one place each."""
NCAPS: dict[str, tuple[Privilege, ...]] = {
    "raw_icmp": (Privilege.ICMP_SOCKET,),
    "raw_socket": (Privilege.RAW_SOCKET, Privilege.ICMP_SOCKET),
}
"""nx_capable(): those of the network context."""

_BITS = {privilege: mask(names) for privilege, names in GRANTED_BY.items()}
_BITS[Privilege.KERNEL_LOG] = mask("SYS_ADMIN")
_BY_CCAP = {privilege: name for name, held in CCAPS.items() for privilege in held}
_BY_NCAP: dict[Privilege, tuple[str, ...]] = {
    privilege: tuple(name for name, held in NCAPS.items() if privilege in held)
    for held in NCAPS.values()
    for privilege in held
}

_NOT_IN_SET = Denial(
    Errno.EPERM,
    BOUNDING,
    N_("The context's bounding set (bcaps) lacks the capability: root in here never has it."),
    "security/commoncap.c cap_capable() of Linux-VServer",
)
_OTHER_CONTEXT = Denial(
    Errno.ESRCH,
    VISIBILITY,
    N_("The process is in another security context: signals look for the caller's own only."),
    "kernel/signal.c kill_pid_info() of Linux-VServer",
)
_UNLISTED = Denial(
    Errno.ENOENT,
    VISIBILITY,
    N_("The process is in another security context, which /proc does not show."),
    "include/linux/vs_pid.h vx_proc_task_visible()",
)
_UNTRACED = Denial(
    Errno.EPERM,
    VISIBILITY,
    N_("The process is in another security context: it may not be looked into."),
    "kernel/ptrace.c of Linux-VServer",
)
_WALL_AHEAD = Denial(
    Errno.EACCES,
    BARRIER,
    N_("The directory has the barrier flag: only the host's context and context 1 pass it."),
    "fs/namei.c dx_barrier()",
)
_OTHER_TERMINAL = Denial(
    Errno.EACCES,
    TERMINALS,
    N_("The terminal has the tag of another security context."),
    "fs/namei.c __dx_permission()",
)
_NOT_ITS_ADDRESS = Denial(
    Errno.EADDRNOTAVAIL,
    NETWORK,
    N_("The address is none of the network context's."),
    "include/linux/vs_inet.h v4_map_sock_addr()",
)
_HIDDEN_INTERFACE = Denial(
    Errno.ENODEV,
    NETIF,
    N_("None of the network context's addresses is on this interface, so it does not show."),
    "include/linux/vs_inet.h nx_dev_visible()",
)
_HIDDEN_SOCKET = Denial(
    Errno.ENOENT,
    NETWORK,
    N_("The socket is of another network context, which the tables do not show."),
    "net/ipv4/tcp_ipv4.c nx_check()",
)
_PROC_READ_ONLY = Denial(
    Errno.EACCES,
    PROC,
    N_("Only the host's context writes to the kernel's settings in /proc."),
    "fs/namei.c __dx_permission()",
)


def _restricted(row: Context, wall: str) -> bool:
    return vx.is_guest(row) and vx.stands(row, wall)


def holds(trap: Trap, privilege: Privilege, over: NsId | None) -> Answer:
    """cap_capable(), vx_capable(), nx_capable(); a context that is being set up is not masked."""
    del over
    row = vx.of(trap)
    if not _restricted(row, BOUNDING) or vx.has_flag(row, vx.STATE_SETUP):
        return None
    if trap.task.cred.effective & vx.count(row, "bcaps") & _BITS[privilege]:
        return None
    if _BY_CCAP.get(privilege) in vx.words(row, "ccaps"):
        return None
    net = vx.words(vx.network(trap), "ncaps")
    if any(name in net for name in _BY_NCAP.get(privilege, ())):
        return None
    return _NOT_IN_SET


def may_list(trap: Trap, task: Task) -> Answer:
    """vx_proc_task_visible(): one's own context; pid 1 too, while a fake init is yet to come."""
    row = vx.of(trap)
    if not vx.stands(row, VISIBILITY):
        return None
    waits_for_init = {"fakeinit", vx.STATE_INIT} <= set(vx.words(row, "flags"))
    if task.id == 1 and waits_for_init:
        return None
    return None if vx.sees(trap, vx.xid(trap.store, task), watch=True) else _UNLISTED


def may_reach(trap: Trap, task: Task) -> Answer:
    """kill_pid_info(): the very same context, also for the host's root and for the spectator."""
    if not vx.stands(vx.of(trap), VISIBILITY) or _lifted_for(trap, task):
        return None
    return None if vx.sees(trap, vx.xid(trap.store, task)) else _OTHER_CONTEXT


def may_trace(trap: Trap, task: Task) -> Answer:
    """sys_ptrace(), __ptrace_may_access(): EPERM, which tells that the process exists."""
    if not vx.stands(vx.of(trap), VISIBILITY) or _lifted_for(trap, task):
        return None
    return None if vx.sees(trap, vx.xid(trap.store, task), watch=True) else _UNTRACED


def _lifted_for(trap: Trap, task: Task) -> bool:
    """Where the rule is lifted for a context, the others reach into it too."""
    return not vx.stands(trap.store.row(Context, task.context), VISIBILITY)


def may_pass(trap: Trap, inode: Inode, want: int) -> Answer:
    """dx_permission(): the barrier, and the tags of devpts."""
    del want
    row = vx.of(trap)
    if inode.flags & FS_BARRIER_FL and is_dir(inode) and vx.is_guest(row):
        return _WALL_AHEAD
    if inode.tag and _is_foreign(trap, inode, row):
        return _OTHER_TERMINAL
    return None


def _is_foreign(trap: Trap, inode: Inode, row: Context) -> bool:
    sb = trap.store.get(Superblock, inode.sb)
    if sb is None or sb.fstype != "devpts" or is_dir(inode) or not vx.stands(row, VISIBILITY):
        return False
    return not vx.sees(trap, inode.tag - 1, watch=True)


def may_bind(trap: Trap, family: int, text: str, port: int) -> Answer:
    """v4_map_sock_addr(): the context's own addresses, its loopback, or any of them."""
    del port
    row = vx.network(trap)
    if not _restricted(row, NETWORK) or family not in (AF_INET, AF_INET6):
        return None
    if ip.is_any(text) or ip.is_loopback(text) or ip.unmap(text) in row.addresses:
        return None
    return _NOT_ITS_ADDRESS


def may_see_interface(trap: Trap, interface: Interface) -> Answer:
    """nx_dev_visible(): the loopback, and interfaces with one of the context's addresses."""
    row = vx.network(trap)
    if not _restricted(row, NETWORK) or not vx.has_flag(row, "hide_netif"):
        return None
    if interface.kind == "loopback" or any(a.ip in row.addresses for a in interface.addresses):
        return None
    return _HIDDEN_INTERFACE


def may_see_socket(trap: Trap, socket: Socket) -> Answer:
    """nx_check(sk_nid, VS_WATCH_P | VS_IDENT) in the tables of tcp, udp, raw and unix sockets."""
    row = vx.network(trap)
    if not vx.stands(row, NETWORK) or row.number == vx.SPECTATOR or socket.context == row.id:
        return None
    return _HIDDEN_SOCKET


def may_write_sysctl(trap: Trap, name: str) -> Answer:
    """__dx_permission(): of /proc a guest writes only what is about its own processes."""
    del name
    row = vx.of(trap)
    if not _restricted(row, PROC) or vx.has_flag(row, vx.STATE_SETUP):
        return None
    return _PROC_READ_ONLY


CONTEXT = Policy(
    name="vserver-context",
    holds=holds,
    may_list=may_list,
    may_reach=may_reach,
    may_trace=may_trace,
    may_pass=may_pass,
    may_write_sysctl=may_write_sysctl,
)
NETWORK_CONTEXT = Policy(
    name="vserver-network",
    may_bind=may_bind,
    may_see_interface=may_see_interface,
    may_see_socket=may_see_socket,
)
