"""What ``runc spec`` and ``crun spec`` write: the configuration that both begin with.

runc ``libcontainer/specconv/example.go`` (1.1), crun ``src/libcrun/container.c`` (1.8).
"""

from simulator.isolation.mechanisms.base import Guest, Image, Mechanism
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.cgroup_ns import CgroupNs
from simulator.isolation.mechanisms.default_mounts import OCI_DEFAULT, DefaultMounts
from simulator.isolation.mechanisms.device_list import DeviceList
from simulator.isolation.mechanisms.ipc_ns import IpcNs
from simulator.isolation.mechanisms.masked_paths import MaskedPaths
from simulator.isolation.mechanisms.mount_ns import MountNs
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.no_new_privs import NoNewPrivs
from simulator.isolation.mechanisms.pid_ns import PidNs
from simulator.isolation.mechanisms.pivot_root import PivotRoot
from simulator.isolation.mechanisms.readonly_paths import ReadonlyPaths
from simulator.isolation.mechanisms.readonly_root import ReadonlyRoot
from simulator.isolation.mechanisms.rlimits import Rlimits
from simulator.isolation.mechanisms.session_keyring import SessionKeyring
from simulator.isolation.mechanisms.uts_ns import UtsNs
from simulator.machine.abi.constants import RLIMIT_NOFILE
from simulator.machine.kernel.cred import mask

IMAGE = Image(root="/srv/{name}")
"""A bundle's ``root.path``; here the tree that the world has for each tenant."""

MASKED = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/sys/firmware",
    "/proc/scsi",
)

READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

MOUNTS = tuple(
    one._replace(flags=0) if one.path == "/proc" else one
    for one in sorted(OCI_DEFAULT, key=lambda one: one.path.startswith("/sys"))
)
"""Docker's, but /proc has no flags and /sys comes last."""

MECHANISMS: tuple[Mechanism, ...] = (
    MountNs(),
    UtsNs(),
    IpcNs(),
    PidNs(),
    NetNs(bridge="", ipv6=True),
    CgroupLimits(group="/{name}"),
    CgroupNs(unified_only=True),
    SessionKeyring(),
    DeviceList(),
    DefaultMounts(MOUNTS),
    PivotRoot(),
    ReadonlyRoot(),
    ReadonlyPaths(READ_ONLY),
    MaskedPaths(MASKED),
    NoNewPrivs(),
    Rlimits(((RLIMIT_NOFILE, 1024, 1024),)),
    Capabilities(mask("AUDIT_WRITE KILL NET_BIND_SERVICE")),
)


def guest(product: str) -> Guest:
    """``process`` of the file, the host name being the product's."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    env = (("PATH", path), ("TERM", "xterm"), ("HOME", "/root"))
    return Guest(hostname=product, env=env, session=True)
