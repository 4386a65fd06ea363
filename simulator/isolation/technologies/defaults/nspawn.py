"""systemd-nspawn 252 as data: ``nspawn-mount.c``, ``nspawn.c``, ``nspawn-register.c``."""

from simulator.isolation.mechanisms.base import Image
from simulator.isolation.mechanisms.default_mounts import Mounted
from simulator.machine.abi.constants import (
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_STRICTATIME,
)
from simulator.machine.kernel.cred import mask

ROOT = Image(root="/srv/{name}")
"""``-D``: a directory of its own for each container."""

GROUP = "/machine.slice/machine-{name}.scope"
"""The scope that systemd-machined makes for a registered container."""

CAPABILITIES = mask(
    "AUDIT_CONTROL AUDIT_WRITE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_OWNER KILL "
    "LEASE LINUX_IMMUTABLE MKNOD NET_BIND_SERVICE NET_BROADCAST NET_RAW SETFCAP SETGID SETPCAP "
    "SETUID SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_NICE SYS_PTRACE SYS_RESOURCE SYS_TTY_CONFIG"
)
"""``arg_caps_retain``. CAP_NET_ADMIN comes with a network of the container's own."""

_CLOSED = MS_NOSUID | MS_NODEV | MS_NOEXEC

MOUNTS: tuple[Mounted, ...] = (
    Mounted("/tmp", "tmpfs", "tmpfs", MS_NOSUID | MS_NODEV | MS_STRICTATIME, "mode=01777"),
    Mounted("/sys", "sysfs", "sysfs", _CLOSED | MS_RDONLY),
    Mounted("/dev", "tmpfs", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=0755"),
    Mounted("/dev/shm", "tmpfs", "tmpfs", MS_NOSUID | MS_NODEV | MS_STRICTATIME, "mode=01777"),
    Mounted(
        "/dev/pts",
        "devpts",
        "devpts",
        MS_NOSUID | MS_NOEXEC,
        "newinstance,ptmxmode=0666,mode=0620,gid=5",
    ),
    Mounted("/run", "tmpfs", "tmpfs", MS_NOSUID | MS_NODEV | MS_STRICTATIME, "mode=0755"),
    Mounted("/proc", "proc", "proc", _CLOSED),
    Mounted("/dev/mqueue", "mqueue", "mqueue", _CLOSED),
    Mounted("/sys/fs/cgroup", "cgroup2", "cgroup", _CLOSED | MS_RDONLY),
)

API = frozenset({"/sys"})
"""Like the paths below, writable with SYSTEMD_NSPAWN_API_VFS_WRITABLE (MOUNT_APPLY_APIVFS_RO)."""

READ_ONLY = (
    "/proc/sys",
    "/proc/acpi",
    "/proc/apm",
    "/proc/asound",
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/scsi",
)
"""It means to cover /proc/kallsyms, kcore, keys, sysrq-trigger and timer_list, too, with
/run/systemd/inaccessible/reg: but that name is looked up when the container's /run is a new tmpfs
already, finds nothing, and the failure counts as harmless (252, ``PROC_INACCESSIBLE_REG``)."""

DEVICES = (
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:2 rwm",
    "c 136:* rw",
    "c 10:200 rwm",
)
"""``DevicePolicy=closed`` of the scope, and what is allowed beside it (the terminals, tun)."""
