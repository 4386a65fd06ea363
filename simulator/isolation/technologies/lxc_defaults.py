"""LXC's defaults as data: lxc 5.0 ``config/templates/common.conf.in``, ``userns.conf.in``."""

from simulator.isolation.mechanisms import default_mounts
from simulator.isolation.mechanisms.base import Image
from simulator.isolation.mechanisms.default_mounts import Mounted
from simulator.machine.abi.constants import MS_NODEV, MS_NOEXEC, MS_NOSUID
from simulator.machine.kernel.cred import ALL_CAPABILITIES, mask

ROOTFS = Image(root="/srv/{name}")
"""``lxc.rootfs.path``: a directory of its own for each container."""

MAPPED = Image(root="/srv/{name}", uid_shift=100_000)
"""The same with ``lxc.idmap = u 0 100000 65536``: its files are the mapped users'."""

GROUP = "/lxc.payload.{name}"
"""``lxc.cgroup.pattern``: where a container's processes are, in every hierarchy."""

DROPPED = "mac_admin mac_override sys_time sys_module sys_rawio"
"""``lxc.cap.drop``: five are gone, all others stay."""

CAPABILITIES = ALL_CAPABILITIES & ~mask(DROPPED.upper())

DEVICES: tuple[str, ...] = (
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 5:0 rwm",
    "c 5:1 rwm",
    "c 5:2 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 136:* rwm",
    "c 10:229 rwm",
)
"""``lxc.cgroup.devices.allow`` and its twin of version 2; 10:229 is fuse."""

_CLOSED = MS_NOSUID | MS_NODEV | MS_NOEXEC

MOUNTS: tuple[Mounted, ...] = (
    Mounted("/dev", "tmpfs", "none", 0, "mode=0755,size=500000"),
    Mounted("/proc", "proc", "proc", _CLOSED),
    Mounted("/sys", "sysfs", "sysfs", 0),
    Mounted("/sys/fs/cgroup", "cgroup2", "cgroup2", _CLOSED),
    Mounted("/dev/shm", "tmpfs", "shm", 0),
    Mounted(
        "/dev/pts",
        "devpts",
        "devpts",
        MS_NOSUID | MS_NOEXEC,
        "gid=5,newinstance,ptmxmode=0666,mode=0620,max=1028",
    ),
)
"""``lxc.autodev``, ``lxc.mount.auto`` at its most open, the template's ``lxc.mount.entry`` for
/dev/shm, ``lxc.pty.max`` and ``lxc.tty.max`` together. Groups of version 1 are the container's
init's to mount, in its own cgroup namespace (``cgfsng_mount``).
"""

LINKS = default_mounts.LINKS

PROFILE = "lxc-container-default-cgns"
BRIDGE = "lxcbr0"
SUBNET = "10.0.3"

ENVIRONMENT = (("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("container", "lxc"))
