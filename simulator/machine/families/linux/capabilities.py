"""Which capability grants a right, and in which user namespaces it counts.

Source: capabilities(7), user_namespaces(7), security/commoncap.c (cap_capable).
"""

from collections.abc import Mapping

from simulator.machine.abi.call import Denial
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.cred import Credentials, capability, mask
from simulator.machine.kernel.namespace import UserNs, is_ancestor
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.trap import Trap
from simulator.machine.state.store import World

GRANTED_BY: dict[Privilege, str] = {
    Privilege.CHROOT: "SYS_CHROOT",
    Privilege.MOUNT: "SYS_ADMIN",
    Privilege.UNMOUNT: "SYS_ADMIN",
    Privilege.MKNOD_DEVICE: "MKNOD",
    Privilege.OPEN_BY_HANDLE: "DAC_READ_SEARCH",
    Privilege.SET_IMMUTABLE: "LINUX_IMMUTABLE",
    Privilege.TRUSTED_XATTR: "SYS_ADMIN",
    Privilege.QUOTA: "SYS_ADMIN",
    Privilege.DAC_OVERRIDE: "DAC_OVERRIDE",
    Privilege.DAC_READ_SEARCH: "DAC_READ_SEARCH",
    Privilege.CHOWN: "CHOWN",
    Privilege.FOWNER: "FOWNER",
    Privilege.FSETID: "FSETID",
    Privilege.SET_FILE_CAPABILITIES: "SETFCAP",
    Privilege.SETUID: "SETUID",
    Privilege.SETGID: "SETGID",
    Privilege.SET_CAPABILITIES: "SETPCAP",
    Privilege.KILL: "KILL",
    Privilege.PTRACE: "SYS_PTRACE",
    Privilege.CHECKPOINT: "CHECKPOINT_RESTORE SYS_ADMIN",
    Privilege.SCHED_RAISE: "SYS_NICE",
    Privilege.IO_REAL_TIME: "SYS_NICE SYS_ADMIN",
    Privilege.RESOURCE_RAISE: "SYS_RESOURCE",
    Privilege.NAMESPACE: "SYS_ADMIN",
    Privilege.SET_HOSTNAME: "SYS_ADMIN",
    Privilege.LOCK_MEMORY: "IPC_LOCK",
    Privilege.IPC_OWNER: "IPC_OWNER",
    Privilege.IPC_ADMIN: "SYS_ADMIN",
    Privilege.RAW_SOCKET: "NET_RAW",
    Privilege.ICMP_SOCKET: "NET_RAW",
    Privilege.RESERVED_PORT: "NET_BIND_SERVICE",
    Privilege.NET_CONFIG: "NET_ADMIN",
    Privilege.CLOCK_SET: "SYS_TIME",
    Privilege.CLOCK_ADJUST: "SYS_TIME",
    Privilege.REBOOT: "SYS_BOOT",
    Privilege.MODULE: "SYS_MODULE",
    Privilege.KEXEC: "SYS_BOOT",
    Privilege.SWAP: "SYS_ADMIN",
    Privilege.ACCOUNTING: "SYS_PACCT",
    Privilege.KERNEL_LOG: "SYSLOG",
    Privilege.RAW_IO: "SYS_RAWIO",
    Privilege.KERNEL_MEMORY: "SYS_RAWIO",
    Privilege.TTY_CONFIG: "SYS_TTY_CONFIG",
    Privilege.TTY_INJECT: "SYS_ADMIN",
    Privilege.BPF: "BPF SYS_ADMIN",
    Privilege.PERF: "PERFMON SYS_ADMIN",
    Privilege.FANOTIFY: "SYS_ADMIN",
    Privilege.ENTROPY: "SYS_ADMIN",
    Privilege.WAKE_ALARM: "WAKE_ALARM",
    Privilege.SYSCTL_WRITE: "SYS_ADMIN",
    Privilege.AUDIT_WRITE: "AUDIT_WRITE",
    Privilege.SECCOMP: "SYS_ADMIN",
    Privilege.JAIL_CREATE: "SYS_ADMIN",
    Privilege.JAIL_ATTACH: "SYS_ADMIN",
}
"""capabilities(7): any one of the named capabilities grants the privilege."""

_MISSING: dict[str, str] = {
    "SYS_CHROOT": N_("This needs the capability CAP_SYS_CHROOT, which the caller lacks."),
    "SYS_ADMIN": N_("This needs the capability CAP_SYS_ADMIN, which the caller lacks."),
    "MKNOD": N_("This needs the capability CAP_MKNOD, which the caller lacks."),
    "DAC_READ_SEARCH": N_("This needs the capability CAP_DAC_READ_SEARCH, which the caller lacks."),
    "DAC_OVERRIDE": N_("This needs the capability CAP_DAC_OVERRIDE, which the caller lacks."),
    "LINUX_IMMUTABLE": N_("This needs the capability CAP_LINUX_IMMUTABLE, which the caller lacks."),
    "CHOWN": N_("This needs the capability CAP_CHOWN, which the caller lacks."),
    "FOWNER": N_("This needs the capability CAP_FOWNER, which the caller lacks."),
    "FSETID": N_("This needs the capability CAP_FSETID, which the caller lacks."),
    "SETFCAP": N_("This needs the capability CAP_SETFCAP, which the caller lacks."),
    "SETUID": N_("This needs the capability CAP_SETUID, which the caller lacks."),
    "SETGID": N_("This needs the capability CAP_SETGID, which the caller lacks."),
    "SETPCAP": N_("This needs the capability CAP_SETPCAP, which the caller lacks."),
    "KILL": N_("This needs the capability CAP_KILL, which the caller lacks."),
    "SYS_PTRACE": N_("This needs the capability CAP_SYS_PTRACE, which the caller lacks."),
    "CHECKPOINT_RESTORE": N_(
        "This needs the capability CAP_CHECKPOINT_RESTORE, which the caller lacks."
    ),
    "SYS_NICE": N_("This needs the capability CAP_SYS_NICE, which the caller lacks."),
    "SYS_RESOURCE": N_("This needs the capability CAP_SYS_RESOURCE, which the caller lacks."),
    "IPC_LOCK": N_("This needs the capability CAP_IPC_LOCK, which the caller lacks."),
    "IPC_OWNER": N_("This needs the capability CAP_IPC_OWNER, which the caller lacks."),
    "NET_RAW": N_("This needs the capability CAP_NET_RAW, which the caller lacks."),
    "NET_BIND_SERVICE": N_(
        "This needs the capability CAP_NET_BIND_SERVICE, which the caller lacks."
    ),
    "NET_ADMIN": N_("This needs the capability CAP_NET_ADMIN, which the caller lacks."),
    "SYS_TIME": N_("This needs the capability CAP_SYS_TIME, which the caller lacks."),
    "SYS_BOOT": N_("This needs the capability CAP_SYS_BOOT, which the caller lacks."),
    "SYS_MODULE": N_("This needs the capability CAP_SYS_MODULE, which the caller lacks."),
    "SYS_PACCT": N_("This needs the capability CAP_SYS_PACCT, which the caller lacks."),
    "SYSLOG": N_("This needs the capability CAP_SYSLOG, which the caller lacks."),
    "SYS_RAWIO": N_("This needs the capability CAP_SYS_RAWIO, which the caller lacks."),
    "SYS_TTY_CONFIG": N_("This needs the capability CAP_SYS_TTY_CONFIG, which the caller lacks."),
    "BPF": N_("This needs the capability CAP_BPF, which the caller lacks."),
    "PERFMON": N_("This needs the capability CAP_PERFMON, which the caller lacks."),
    "WAKE_ALARM": N_("This needs the capability CAP_WAKE_ALARM, which the caller lacks."),
    "AUDIT_WRITE": N_("This needs the capability CAP_AUDIT_WRITE, which the caller lacks."),
}

_ELSEWHERE = Denial(
    Errno.EPERM,
    "user-ns",
    N_(
        "The caller's capabilities count only in its own user namespace and below, "
        "and this object belongs to one above."
    ),
    "user_namespaces(7)",
)


def policy(granted_by: Mapping[Privilege, str]) -> Policy:
    """cap_capable(): the capability, in a user namespace that owns the object."""
    needed = {privilege: mask(names) for privilege, names in granted_by.items()}
    lacking = {
        privilege: Denial(Errno.EPERM, "capability", _MISSING[names.split()[0]], "capabilities(7)")
        for privilege, names in granted_by.items()
    }

    def holds(trap: Trap, privilege: Privilege, over: NsId | None) -> Answer:
        cred = trap.task.cred
        bits = needed[privilege]
        store = trap.store
        if over is None:
            over = NsId(1)
        if cred.user_ns == over:
            return None if cred.effective & bits else lacking[privilege]
        if owns(store, cred, over):
            return None
        if is_ancestor(store, cred.user_ns, over):
            return None if cred.effective & bits else lacking[privilege]
        return _ELSEWHERE if cred.effective & bits else lacking[privilege]

    return Policy(name="capability", holds=holds)


def capable(world: World, cred: Credentials, name: str, over: NsId) -> bool:
    """Whether ``cred`` has one capability over user namespace ``over`` (ns_capable())."""
    if owns(world, cred, over):
        return True
    return bool(cred.effective & capability(name)) and is_ancestor(world, cred.user_ns, over)


def owns(world: World, cred: Credentials, over: NsId) -> bool:
    """user_namespaces(7): a namespace's creator, in its parent, has every capability in it."""
    current: NsId | None = over
    while current is not None and current != cred.user_ns:
        row = world.row(UserNs, current)
        if row.parent == cred.user_ns:
            return row.owner_uid == cred.euid
        current = row.parent
    return False


CAPABILITIES = policy(GRANTED_BY)
BEFORE_SYSLOG = policy({**GRANTED_BY, Privilege.KERNEL_LOG: "SYS_ADMIN"})
"""CAP_SYSLOG came with Linux 2.6.37."""
