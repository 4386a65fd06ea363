"""Docker as it was: a list of rights taken away, then a list of rights left, then a filter.

Read from moby: v0.1.0 ``lxc_template.go``; v0.11.1, v0.12.0 and v1.10.0
``daemon/execdriver/native/template``, ``pkg/libcontainer/security/restrict``.
"""

from simulator.isolation.mechanisms import seccomp_docker_1_10
from simulator.isolation.mechanisms.apparmor import Apparmor
from simulator.isolation.mechanisms.base import Mechanism
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.container_files import ContainerFiles
from simulator.isolation.mechanisms.default_mounts import OCI_DEFAULT, DefaultMounts, Mounted
from simulator.isolation.mechanisms.device_list import RUNC_ALLOWED, DeviceList
from simulator.isolation.mechanisms.ipc_ns import IpcNs
from simulator.isolation.mechanisms.masked_paths import MaskedPaths
from simulator.isolation.mechanisms.mount_ns import MountNs
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.overlay_root import OverlayRoot
from simulator.isolation.mechanisms.pid_ns import PidNs
from simulator.isolation.mechanisms.pivot_root import PivotRoot
from simulator.isolation.mechanisms.readonly_paths import ReadonlyPaths
from simulator.isolation.mechanisms.seccomp_fixed import FixedFilter
from simulator.isolation.mechanisms.uts_ns import UtsNs
from simulator.isolation.mechanisms.volumes import Volume, Volumes
from simulator.isolation.technologies.base import Technology, change
from simulator.isolation.technologies.defaults import docker as defaults
from simulator.machine.abi.constants import MS_NODEV, MS_NOEXEC, MS_NOSUID
from simulator.machine.kernel.cred import ALL_CAPABILITIES, mask

_CLOSED = MS_NOSUID | MS_NODEV | MS_NOEXEC

_DEVICES_0_1 = (
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 5:1 rwm",
    "c 5:0 rwm",
    "c 4:0 rwm",
    "c 4:1 rwm",
    "c 1:9 rwm",
    "c 1:8 rwm",
    "c 136:* rwm",
    "c 5:2 rwm",
    "c 10:200 rwm",
)
_NODES_0_1 = (("null", 1, 3), ("zero", 1, 5), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0))
_DROPPED_0_1 = mask(
    "AUDIT_CONTROL AUDIT_WRITE MAC_ADMIN MAC_OVERRIDE MKNOD SETFCAP SETPCAP SYS_ADMIN SYS_BOOT"
    " SYS_MODULE SYS_NICE SYS_PACCT SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG"
)
"""``lxc.cap.drop``: DAC_READ_SEARCH, NET_ADMIN, SYSLOG and others are not in it."""

_DROPPED_0_11 = mask(
    "SETPCAP SYS_MODULE SYS_RAWIO SYS_PACCT SYS_ADMIN SYS_NICE SYS_RESOURCE SYS_TIME"
    " SYS_TTY_CONFIG AUDIT_WRITE AUDIT_CONTROL MAC_OVERRIDE MAC_ADMIN NET_ADMIN SYSLOG"
)
"""The last list of what to take away: DAC_READ_SEARCH is still not in it."""

_KEPT_0_12 = mask(
    "CHOWN DAC_OVERRIDE FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE"
    " SYS_CHROOT"
)
"""The first list of what to leave."""

_MOUNTS_0_1 = (
    Mounted("/proc", "proc", "proc", _CLOSED),
    Mounted("/sys", "sysfs", "sysfs", _CLOSED),
    Mounted("/dev/pts", "devpts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666"),
)
_OPEN_SYS = tuple(
    one._replace(flags=_CLOSED) if one.path == "/sys" else one
    for one in OCI_DEFAULT
    if one.fstype not in ("cgroup2", "mqueue")
)
"""libcontainer's own mounts before it mounted control groups and message queues."""


def _first(subnet: str = "172.17.0", bridge: str = "docker0") -> tuple[Mechanism, ...]:
    return (
        OverlayRoot(fstype="aufs"),
        MountNs(),
        UtsNs(),
        IpcNs(),
        PidNs(),
        NetNs(bridge=bridge, subnet=subnet, ipv6=True),
    )


_IN_0_1 = (
    *_first("10.0.3", "lxcbr0"),
    CgroupLimits(group="/lxc/{name}"),
    DeviceList(_DEVICES_0_1),
    DefaultMounts(_MOUNTS_0_1, nodes=_NODES_0_1, links=(), groups_v1=False),
    Volumes((Volume("/etc/resolv.conf", "/etc/resolv.conf", read_only=True),)),
    PivotRoot(),
    Capabilities(ALL_CAPABILITIES & ~_DROPPED_0_1),
)

_IN_0_11 = (
    *_first(),
    CgroupLimits(),
    DeviceList(RUNC_ALLOWED),
    DefaultMounts(_OPEN_SYS, groups_v1=False),
    ContainerFiles(),
    PivotRoot(),
    Apparmor(),
    ReadonlyPaths(("/proc", "/sys")),
    MaskedPaths(("/proc/kcore",)),
    Capabilities(ALL_CAPABILITIES & ~_DROPPED_0_11),
)

_IN_0_12 = (
    *_IN_0_11[:-3],
    ReadonlyPaths(("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/sys")),
    MaskedPaths(("/proc/kcore",)),
    Capabilities(_KEPT_0_12),
)

_IN_1_10 = (
    *_first(),
    CgroupLimits(),
    DeviceList(RUNC_ALLOWED),
    DefaultMounts(),
    ContainerFiles(),
    PivotRoot(),
    Apparmor(),
    ReadonlyPaths(
        (
            "/proc/asound",
            "/proc/bus",
            "/proc/fs",
            "/proc/irq",
            "/proc/sys",
            "/proc/sysrq-trigger",
        )
    ),
    MaskedPaths(("/proc/kcore", "/proc/latency_stats", "/proc/timer_stats")),
    FixedFilter(seccomp_docker_1_10.PROFILE),
    Capabilities(defaults.CAPABILITIES),
)


def of(today: Technology) -> tuple[Technology, ...]:
    """The eras of ``today``'s Docker, the oldest first."""
    return tuple(
        change(today, era=era, year=year, release=release, mechanisms=mechanisms)
        for era, year, release, mechanisms in (
            ("0.1", 2013, "linux-3.8-aufs", _IN_0_1),
            ("0.11", 2014, "linux-3.13", _IN_0_11),
            ("0.12", 2014, "linux-3.13", _IN_0_12),
            ("1.10", 2016, "linux-4.4", _IN_1_10),
        )
    )
