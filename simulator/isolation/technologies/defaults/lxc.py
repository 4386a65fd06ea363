"""LXC's defaults as data: lxc 5.0 ``config/templates/common.conf.in``, ``userns.conf.in``."""

from simulator.isolation.mechanisms.base import Image
from simulator.isolation.mechanisms.default_mounts import Mounted
from simulator.isolation.technologies.defaults import lxc_files as files
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

_CLOSED = MS_NOSUID | MS_NODEV | MS_NOEXEC

MOUNTS: tuple[Mounted, ...] = (
    Mounted("/dev", "tmpfs", "none", 0, "mode=0755,size=500000"),
    Mounted("/proc", "proc", "proc", _CLOSED),
    Mounted("/sys", "sysfs", "sysfs", 0),
    Mounted("/sys/fs/cgroup", "cgroup2", "cgroup2", _CLOSED),
    Mounted(
        "/dev/pts",
        "devpts",
        "devpts",
        MS_NOSUID | MS_NOEXEC,
        "gid=5,newinstance,ptmxmode=0666,mode=0620,max=1028",
    ),
    Mounted("/dev/shm", "tmpfs", "shm", 0),
    Mounted("/dev/mqueue", "mqueue", "mqueue", 0, optional=True),
)
"""``lxc.autodev``, ``lxc.mount.auto`` at its most open, ``lxc.pty.max`` and ``lxc.tty.max``
together, the template's two lines of ``lxc.mount.entry``. Groups of version 1 are the container's
init's to mount, in its own cgroup namespace (``cgfsng_mount``).
"""

PROFILE = "lxc-container-default-cgns"
PROFILES = (
    "lxc-container-default",
    PROFILE,
    "lxc-container-default-with-nesting",
    "lxc-container-default-with-mounting",
)
"""What the package loads, for ``lxc.apparmor.profile``."""

BRIDGE = "lxcbr0"
SUBNET = "10.0.3"

ENVIRONMENT = (("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("container", "lxc"))

_HEAD = (f"lxc.include = {files.CONFIG}/common.conf",)
_USERNS = (
    f"lxc.include = {files.CONFIG}/userns.conf",
    "lxc.idmap = u 0 100000 65536",
    "lxc.idmap = g 0 100000 65536",
)
_REST = (
    "lxc.net.0.type = veth",
    f"lxc.net.0.link = {BRIDGE}",
    "lxc.net.0.flags = up",
    f"lxc.apparmor.profile = {PROFILE}",
    "lxc.mount.entry = shm dev/shm tmpfs defaults,create=dir 0 0",
    "lxc.mount.entry = mqueue dev/mqueue mqueue defaults,optional,create=dir 0 0",
    "lxc.rootfs.path = dir:{root}",
    "lxc.uts.name = {name}",
)
CONFIG = (*_HEAD, *_REST)
CONFIG_MAPPED = (*_HEAD, *_USERNS, *_REST)
"""A container's own file, /var/lib/lxc/NAME/config."""
