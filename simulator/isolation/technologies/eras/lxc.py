"""LXC as it was: before pivot_root(2), and before anything was dropped, filtered or read-only.

Read from lxc at bf601689a^ (the last to use chroot(2)) and lxc-0.7.5: ``conf.c``, ``start.c``,
``lxc-debian``, ``lxc-ubuntu``.
"""

from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.chroot import Chroot
from simulator.isolation.mechanisms.default_mounts import DefaultMounts, Mounted
from simulator.isolation.mechanisms.device_list import DeviceList
from simulator.isolation.mechanisms.ipc_ns import IpcNs
from simulator.isolation.mechanisms.lxc_config import LxcConfig
from simulator.isolation.mechanisms.mount_ns import MountNs
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.pid_ns import PidNs
from simulator.isolation.mechanisms.pivot_root import PivotRoot
from simulator.isolation.mechanisms.uts_ns import UtsNs
from simulator.isolation.technologies.base import Technology, change
from simulator.isolation.technologies.defaults import lxc as defaults
from simulator.machine.kernel.cred import ALL_CAPABILITIES, mask

_DEVICES = (
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
    "c 254:0 rwm",
)
"""Nothing else may even be made."""

_MOUNTS = (
    Mounted("/proc", "proc", "proc", 0),
    Mounted("/sys", "sysfs", "sysfs", 0),
    Mounted("/dev/pts", "devpts", "devpts", 0, "newinstance"),
)
"""The template's fstab, and ``lxc.pts``; /dev is the root filesystem's own."""

_CONFIG = (
    "lxc.utsname = {name}",
    "lxc.tty = 4",
    "lxc.pts = 1024",
    "lxc.rootfs = {root}",
    "lxc.mount.entry = proc proc proc defaults 0 0",
    "lxc.mount.entry = sysfs sys sysfs defaults 0 0",
    "lxc.cgroup.devices.deny = a",
    *(f"lxc.cgroup.devices.allow = {rule}" for rule in _DEVICES),
    "lxc.network.type = veth",
    "lxc.network.link = br0",
    "lxc.network.flags = up",
)

_WALLS = (
    LxcConfig(_CONFIG),
    MountNs(),
    UtsNs(),
    IpcNs(),
    PidNs(),
    NetNs(bridge="br0", subnet=defaults.SUBNET, ipv6=True),
    CgroupLimits(group="/{name}"),
    DeviceList(_DEVICES),
    DefaultMounts(_MOUNTS, nodes=(), links=(), groups_v1=False),
    # start.c: the one right that every container lost, or it would have rebooted the host.
    Capabilities(ALL_CAPABILITIES & ~mask("SYS_BOOT")),
)


def of(today: Technology) -> tuple[Technology, ...]:
    """The eras of ``today``'s LXC, the oldest first."""
    return (
        change(
            today,
            era="0.6.4",
            year=2009,
            release="linux-2.6.32",
            mechanisms=(*_WALLS, Chroot()),
        ),
        change(
            today,
            era="0.7.5",
            year=2011,
            release="linux-3.2",
            mechanisms=(*_WALLS, PivotRoot()),
        ),
    )
