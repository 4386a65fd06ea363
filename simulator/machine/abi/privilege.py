"""What a handler asks for when an action is not everybody's.

Handlers name the *right*; each kernel family says what grants it: a Linux capability over a user
namespace, FreeBSD's superuser filtered by ``prison_priv_check()``, a Solaris privilege in the limit
set.
"""

from enum import Enum, auto


class Privilege(Enum):
    """A right that a handler may need."""

    __hash__ = object.__hash__  # Enum's own is a function in Python, and each right is looked up

    CHROOT = auto()
    MOUNT = auto()
    UNMOUNT = auto()
    MKNOD_DEVICE = auto()
    OPEN_BY_HANDLE = auto()
    SET_IMMUTABLE = auto()
    TRUSTED_XATTR = auto()
    QUOTA = auto()

    DAC_OVERRIDE = auto()
    DAC_READ_SEARCH = auto()
    CHOWN = auto()
    FOWNER = auto()
    FSETID = auto()
    SET_FILE_CAPABILITIES = auto()

    SETUID = auto()
    SETGID = auto()
    SET_CAPABILITIES = auto()
    KILL = auto()
    PTRACE = auto()
    CHECKPOINT = auto()
    SCHED_RAISE = auto()
    IO_REAL_TIME = auto()
    RESOURCE_RAISE = auto()

    NAMESPACE = auto()
    SET_HOSTNAME = auto()
    LOCK_MEMORY = auto()
    IPC_OWNER = auto()
    IPC_ADMIN = auto()

    RAW_SOCKET = auto()
    ICMP_SOCKET = auto()
    RESERVED_PORT = auto()
    NET_CONFIG = auto()

    CLOCK_SET = auto()
    CLOCK_ADJUST = auto()
    REBOOT = auto()
    MODULE = auto()
    KEXEC = auto()
    SWAP = auto()
    ACCOUNTING = auto()
    KERNEL_LOG = auto()
    RAW_IO = auto()
    KERNEL_MEMORY = auto()
    TTY_CONFIG = auto()
    TTY_INJECT = auto()
    BPF = auto()
    PERF = auto()
    FANOTIFY = auto()
    ENTROPY = auto()
    WAKE_ALARM = auto()
    SYSCTL_WRITE = auto()
    SYSCTL_WRITE_OWN = auto()
    AUDIT_WRITE = auto()
    SECCOMP = auto()
    JAIL_CREATE = auto()
    JAIL_ATTACH = auto()
    RESOURCE_RULES = auto()
    ZONE_CONFIG = auto()
    ZONE_ADMIN = auto()
