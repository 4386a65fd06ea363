"""Warden: VMware's Cloud Foundry team, 2011; here its last version, on Ubuntu 14.04.

The column that is compared is a job with ``privileged: true``: root with all capabilities. Without
it a job runs as ``vcap``, a user whose id is the container's own.
"""

from simulator.isolation.mechanisms.bare_devices import BareDevices
from simulator.isolation.mechanisms.base import Guest
from simulator.isolation.mechanisms.default_mounts import DefaultMounts
from simulator.isolation.mechanisms.device_list import DeviceList
from simulator.isolation.mechanisms.init import Init
from simulator.isolation.mechanisms.ipc_ns import IpcNs
from simulator.isolation.mechanisms.mount_ns import MountNs
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.overlay_root import OverlayRoot
from simulator.isolation.mechanisms.own_hierarchies import OwnHierarchies
from simulator.isolation.mechanisms.pid_ns import PidNs
from simulator.isolation.mechanisms.pivot_root import PivotRoot
from simulator.isolation.mechanisms.point_to_point import PointToPoint
from simulator.isolation.mechanisms.pool_firewall import PoolFirewall
from simulator.isolation.mechanisms.rlimits import Rlimits
from simulator.isolation.mechanisms.uid_pool import UidPool
from simulator.isolation.mechanisms.uts_ns import UtsNs
from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.defaults import warden as defaults
from simulator.isolation.technologies.options import warden as options
from simulator.machine.abi.i18n import N_

TECHNOLOGY = Technology(
    id="warden",
    title=N_("Warden"),
    year=2011,
    launcher="warden",
    release="linux-3.13",
    mechanisms=(
        OwnHierarchies(defaults.CGROUPS, defaults.SUBSYSTEMS),
        OverlayRoot(fstype="overlayfs", inside=True),
        MountNs(),
        UtsNs(),
        IpcNs(),
        PidNs(),
        NetNs(bridge="", ipv6=True),
        PointToPoint(),
        PoolFirewall(defaults.POOL_NETWORK),
        defaults.GROUPS,
        BareDevices(),
        DeviceList(defaults.DEVICES),
        DefaultMounts(defaults.MOUNTS, nodes=(), links=defaults.LINKS),
        PivotRoot(),
        UidPool(runs=False),
        Init("wshd"),
        Rlimits(tuple((number, most, most) for number, most in defaults.LIMITS.values())),
    ),
    image=defaults.IMAGE,
    guest=Guest(hostname="{name}", session=True),
    options=options.read,
    about=N_("A daemon with a socket hands out containers for a job each; root inside is root."),
)
