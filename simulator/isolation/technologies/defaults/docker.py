"""Docker's defaults as data: moby ``oci/defaults.go`` and ``oci/caps/defaults.go``, v20.10.24."""

from simulator.isolation.mechanisms.base import Guest
from simulator.machine.kernel.cred import mask

CONTAINER_ID = "5d8f3c2a91e04b7d6a1c0f9e8b7a6d5c4f3e2d1c0b9a8f7e6d5c4b3a29180706"
"""A container's id is random; this one stands for it, so that a run repeats exactly."""

ROOT = "/var/lib/docker/overlay2/{name}/merged"
LAYER = "/var/lib/docker/overlay2/image/diff"
"""One image, below every container's own layer."""

CAPABILITIES = mask(
    "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP"
    " NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE"
)
"""The fourteen that a container's root keeps."""

MASKED = (
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
)

READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

ENVIRONMENT = (
    ("PATH", "/bin:/usr/bin:/sbin"),
    ("HOSTNAME", CONTAINER_ID[:12]),
    ("HOME", "/root"),
)
"""The image's ENV, the container's name from the daemon, the user's home from runc."""

GUEST = Guest(hostname=CONTAINER_ID[:12], env=ENVIRONMENT, groups=(0,), session=True)
