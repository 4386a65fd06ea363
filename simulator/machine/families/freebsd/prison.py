"""The rules of a prison, as questions of the security chain: sys/kern/kern_jail.c.

prison_check(): who sees whom. prison_priv_check(): a list of what root may still do; "in all
remaining cases, deny". prison_check_ip4(), prison_check_af(): which addresses. And the parameters
that open one thing each.
"""

from simulator.machine.abi.call import Denial
from simulator.machine.abi.constants import AF_INET, AF_INET6, AF_UNIX
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import prison
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap

GRANTED = frozenset(
    {
        Privilege.SETUID,
        Privilege.SETGID,
        Privilege.PTRACE,
        Privilege.KILL,
        Privilege.RESOURCE_RAISE,
        Privilege.IPC_OWNER,
        Privilege.IPC_ADMIN,
        Privilege.JAIL_CREATE,
        Privilege.JAIL_ATTACH,
        Privilege.CHROOT,
        Privilege.CHOWN,
        Privilege.FOWNER,
        Privilege.FSETID,
        Privilege.DAC_OVERRIDE,
        Privilege.DAC_READ_SEARCH,
        Privilege.QUOTA,
        Privilege.KERNEL_MEMORY,
        Privilege.SYSCTL_WRITE_OWN,
    }
)
"""prison_priv_check(): PRIV_CRED_*, PRIV_DEBUG_*, PRIV_SIGNAL_*, PRIV_PROC_LIMIT, PRIV_IPC_*,
PRIV_JAIL_*, PRIV_SYSCTL_WRITEJAIL, PRIV_VFS_* without mounting, and PRIV_KMEM_READ: only devfs
hides the node."""

CONDITIONAL: dict[Privilege, str] = {
    Privilege.SET_HOSTNAME: "allow.set_hostname",
    Privilege.SET_IMMUTABLE: "allow.chflags",
    Privilege.LOCK_MEMORY: "allow.mlock",
    Privilege.RESERVED_PORT: "allow.reserved_ports",
    Privilege.RAW_SOCKET: "allow.raw_sockets",
    Privilege.KERNEL_LOG: "allow.read_msgbuf",
}
"""What one parameter of the prison grants, and nothing else."""

VNET = frozenset({Privilege.NET_CONFIG, Privilege.RAW_SOCKET})
"""What a prison with a network of its own (``vnet``) may do to that."""

MOUNTING = frozenset({Privilege.MOUNT, Privilege.UNMOUNT})

_CITE = "sys/kern/kern_jail.c prison_priv_check()"
_NOT_GRANTED = Denial(
    Errno.EPERM,
    "prison-privileges",
    N_("Root in a prison has the privileges of a list, and this one is not on it."),
    _CITE,
)
_NO_MOUNT = Denial(
    Errno.EPERM,
    "prison-privileges",
    N_("Mounting in a prison needs allow.mount and an enforce_statfs below 2."),
    _CITE,
)
_NOT_THIS_TYPE = Denial(
    Errno.EPERM,
    "prison-privileges",
    N_("The prison may not mount filesystems of this type (allow.mount.*)."),
    "sys/kern/vfs_mount.c vfs_domount_first()",
)
_CLOSED: dict[str, Denial] = {
    "allow.set_hostname": Denial(
        Errno.EPERM,
        "prison-privileges",
        N_("The prison may not change its host name (allow.set_hostname)."),
        "jail(8)",
    ),
    "allow.chflags": Denial(
        Errno.EPERM,
        "prison-privileges",
        N_("The prison may not touch system file flags (allow.chflags)."),
        _CITE,
    ),
    "allow.mlock": Denial(
        Errno.EPERM,
        "prison-privileges",
        N_("The prison may not lock memory (allow.mlock)."),
        _CITE,
    ),
    "allow.reserved_ports": Denial(
        Errno.EACCES,
        "prison-privileges",
        N_("The prison may not bind ports below 1024 (allow.reserved_ports)."),
        _CITE,
    ),
    "allow.raw_sockets": Denial(
        Errno.EPERM,
        "prison-privileges",
        N_("The prison may not make raw sockets (allow.raw_sockets)."),
        _CITE,
    ),
    "allow.read_msgbuf": Denial(
        Errno.EPERM,
        "prison-privileges",
        N_("The prison may not read the kernel's messages (allow.read_msgbuf)."),
        _CITE,
    ),
}
_UNSEEN = Denial(
    Errno.ESRCH,
    "prison-visibility",
    N_("The process is in another prison: for the caller it does not exist."),
    "sys/kern/kern_jail.c prison_check()",
)
_NOT_ITS_ADDRESS = Denial(
    Errno.EADDRNOTAVAIL,
    "prison-addresses",
    N_("The address is not on the prison's list."),
    "sys/netinet/in_jail.c prison_check_ip4()",
)
_NO_ADDRESSES = Denial(
    Errno.EAFNOSUPPORT,
    "prison-addresses",
    N_("The prison has no address of this family."),
    "sys/netinet/in_jail.c prison_check_ip4()",
)
_NO_SOCKETS = Denial(
    Errno.EPROTONOSUPPORT,
    "prison-addresses",
    N_("The prison may not have sockets of this family (ip4, ip6, allow.socket_af)."),
    "sys/kern/kern_jail.c prison_check_af(), sys/kern/uipc_socket.c socreate()",
)
_NO_SYSV = Denial(
    Errno.ENOSYS,
    "prison",
    N_("System V IPC is switched off in the prison: the call acts as if it did not exist."),
    "sys/kern/sysv_shm.c",
)


def holds(trap: Trap, privilege: Privilege, over: NsId | None) -> Answer:
    """prison_priv_check()."""
    del over
    if not prison.is_jailed(trap.task) or privilege in GRANTED:
        return None
    row = prison.of(trap)
    if not prison.has(row, "prison-privileges"):
        return None
    if privilege in MOUNTING:
        open_ = prison.allows(row, "allow.mount") and prison.number(row, "enforce_statfs", 0) < 2
        return None if open_ else _NO_MOUNT
    if privilege in VNET and row.params["vnet"]:
        return None
    parameter = CONDITIONAL.get(privilege)
    if parameter is None:
        return _NOT_GRANTED
    return None if prison.allows(row, parameter) else _CLOSED[parameter]


def may_see(trap: Trap, task: Task) -> Answer:
    """prison_check(), asked by p_cansee(), p_cansignal(), p_cansched() and p_candebug()."""
    return None if prison.sees(trap.store, trap.task, task) else _UNSEEN


def may_mount(trap: Trap, fstype: str, target: str, flags: int) -> Answer:
    """vfs_domount_first(): each type of filesystem is allowed for itself."""
    del target, flags
    row = prison.of(trap)
    if not prison.has(row, "prison-privileges") or prison.allows(row, f"allow.mount.{fstype}"):
        return None
    return _NOT_THIS_TYPE


def may_bind(trap: Trap, family: int, text: str, port: int) -> Answer:
    """prison_local_ip4() and prison_check_ip4(): the prison's own addresses, or any of them."""
    del port
    mode = _mode(trap, family)
    if mode is None:
        return None
    if mode == "disable":
        return _NO_ADDRESSES
    if ip.is_any(text) or text in prison.of(trap).addresses:
        return None
    return _NOT_ITS_ADDRESS


def may_use_family(trap: Trap, family: int) -> Answer:
    """prison_check_af(), as socreate() reports it."""
    if not prison.is_jailed(trap.task) or family == AF_UNIX:
        return None
    row = prison.of(trap)
    if not prison.has(row, "prison-addresses"):
        return None
    if family in (AF_INET, AF_INET6):
        return _NO_SOCKETS if _mode(trap, family) == "disable" else None
    return None if prison.allows(row, "allow.socket_af") else _NO_SOCKETS


def may_use_sysv(trap: Trap, kind: str) -> Answer:
    """shm_find_prison() and its like."""
    if not prison.is_jailed(trap.task):
        return None
    return _NO_SYSV if prison.of(trap).params[f"sysv{kind}"] == "disable" else None


def _mode(trap: Trap, family: int) -> str | None:
    """``new`` or ``disable`` where the caller's addresses of this family are restricted."""
    row: Context = prison.of(trap)
    if not prison.has(row, "prison-addresses"):
        return None
    mode = row.params["ip6" if family == AF_INET6 else "ip4"]
    return mode if mode in ("new", "disable") else None  # pyright: ignore[reportReturnType]


PRISON = Policy(
    name="prison",
    holds=holds,
    may_see=may_see,
    may_mount=may_mount,
    may_bind=may_bind,
    may_use_family=may_use_family,
    may_use_sysv=may_use_sysv,
)
