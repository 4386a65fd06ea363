"""Docker: dotCloud, 2013; here the defaults of Docker Engine 20.10 with runc 1.1."""

from simulator.isolation.mechanisms.apparmor import Apparmor
from simulator.isolation.mechanisms.base import Image
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.cgroup_ns import CgroupNs
from simulator.isolation.mechanisms.container_files import ContainerFiles
from simulator.isolation.mechanisms.default_mounts import DefaultMounts
from simulator.isolation.mechanisms.device_list import DeviceList
from simulator.isolation.mechanisms.ipc_ns import IpcNs
from simulator.isolation.mechanisms.masked_paths import MaskedPaths
from simulator.isolation.mechanisms.mount_ns import MountNs
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.overlay_root import OverlayRoot
from simulator.isolation.mechanisms.pid_ns import PidNs
from simulator.isolation.mechanisms.pivot_root import PivotRoot
from simulator.isolation.mechanisms.readonly_paths import ReadonlyPaths
from simulator.isolation.mechanisms.seccomp import Seccomp
from simulator.isolation.mechanisms.session_keyring import SessionKeyring
from simulator.isolation.mechanisms.sysctls import Sysctls
from simulator.isolation.mechanisms.uts_ns import UtsNs
from simulator.isolation.technologies.base import Technology, change
from simulator.isolation.technologies.defaults import docker as defaults
from simulator.isolation.technologies.eras import docker as eras
from simulator.isolation.technologies.options import docker as options
from simulator.machine.abi.i18n import N_

_TODAY = Technology(
    id="docker",
    title=N_("Docker"),
    year=2013,
    mechanisms=(
        OverlayRoot(),
        MountNs(),
        UtsNs(),
        IpcNs(),
        PidNs(),
        NetNs(),
        CgroupLimits(),
        CgroupNs(unified_only=True),
        SessionKeyring(),
        DeviceList(),
        DefaultMounts(),
        ContainerFiles(),
        PivotRoot(),
        Sysctls(),
        Apparmor(),
        ReadonlyPaths(defaults.READ_ONLY),
        MaskedPaths(defaults.MASKED),
        Seccomp(),
        Capabilities(defaults.CAPABILITIES),
    ),
    image=Image(root=defaults.ROOT, layer=defaults.LAYER),
    guest=defaults.GUEST,
    options=options.read,
    about=N_("Namespaces, capabilities, a filter and an image, behind one command."),
)

TECHNOLOGY = change(_TODAY, eras=eras.of(_TODAY))
