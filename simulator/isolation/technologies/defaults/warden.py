"""Warden's defaults: config/linux.yml and root/linux/skeleton of cloudfoundry-attic/warden."""

from simulator.isolation.mechanisms.base import Image
from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.default_mounts import Mounted
from simulator.machine.abi.constants import RLIMIT_AS, RLIMIT_NOFILE, RLIMIT_NPROC

DEPOT = "/tmp/warden/containers"
ROOTFS = "/tmp/warden/rootfs"
CGROUPS = "/tmp/warden/cgroup"
SUBSYSTEMS = ("cpu", "cpuacct", "devices", "memory")
"""What setup.sh mounts, each by itself."""
POOL_NETWORK = "10.254.0.0/22"

IMAGE = Image(root=f"{DEPOT}/{{name}}/mnt", layer=ROOTFS, upper="tmp/rootfs")

GROUPS = CgroupLimits(group="/instance-{name}", top=CGROUPS, controllers=SUBSYSTEMS)

DEVICES = (
    "c 1:3 rw",
    "c 1:5 rw",
    "c 1:8 rw",
    "c 1:9 rw",
    "c 5:0 rw",
    "c 5:2 rw",
    "c 136:* rw",
    "c 10:229 rw",
)
"""hook-parent-after-clone.sh: no ``m`` anywhere, so that no node can be made."""

MOUNTS = (
    Mounted("/dev/pts", "devpts", "devpts", 0, "newinstance,ptmxmode=0666"),
    Mounted("/proc", "proc", "none", 0),
    Mounted("/dev/shm", "tmpfs", "tmpfs", 0),
)
LINKS = (("pts/ptmx", "/dev/ptmx"),)
"""hook-child-after-pivot.sh: /sys is not mounted."""

LIMITS: dict[str, tuple[int, int]] = {
    "as": (RLIMIT_AS, 4_294_967_296),
    "nofile": (RLIMIT_NOFILE, 8192),
    "nproc": (RLIMIT_NPROC, 512),
}
"""container_rlimits, soft and hard alike."""
