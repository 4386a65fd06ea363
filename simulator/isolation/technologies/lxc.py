"""LXC: Daniel Lezcano, Serge Hallyn and others, IBM, 2008; here a privileged container of LXC 5."""

from simulator.isolation.mechanisms import seccomp_lxc
from simulator.isolation.mechanisms.apparmor import Apparmor
from simulator.isolation.mechanisms.base import Guest
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.cgroup_ns import CgroupNs
from simulator.isolation.mechanisms.default_mounts import DefaultMounts
from simulator.isolation.mechanisms.device_list import DeviceList
from simulator.isolation.mechanisms.ipc_ns import IpcNs
from simulator.isolation.mechanisms.lxc_config import LxcConfig
from simulator.isolation.mechanisms.mount_ns import MountNs
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.pid_ns import PidNs
from simulator.isolation.mechanisms.pivot_root import PivotRoot
from simulator.isolation.mechanisms.proc_mixed import ProcMixed
from simulator.isolation.mechanisms.session_keyring import SessionKeyring
from simulator.isolation.mechanisms.sys_mixed import SysMixed
from simulator.isolation.mechanisms.uts_ns import UtsNs
from simulator.isolation.technologies.base import Technology, change
from simulator.isolation.technologies.defaults import lxc as defaults
from simulator.isolation.technologies.defaults import lxc_files as files
from simulator.isolation.technologies.eras import lxc as eras
from simulator.isolation.technologies.options import lxc as options
from simulator.machine.abi.i18n import N_

_TODAY = Technology(
    id="lxc",
    title=N_("LXC"),
    year=2008,
    launcher="lxc-start",
    mechanisms=(
        LxcConfig(defaults.CONFIG),
        MountNs(),
        UtsNs(),
        IpcNs(),
        PidNs(),
        NetNs(bridge=defaults.BRIDGE, subnet=defaults.SUBNET, ipv6=True),
        CgroupLimits(group=defaults.GROUP),
        CgroupNs(),
        SessionKeyring(),
        DeviceList(files.DEVICES),
        DefaultMounts(defaults.MOUNTS, groups_v1=False, groups_alone=True),
        ProcMixed(),
        SysMixed(),
        PivotRoot(shared=True, pinned=True),
        Apparmor(defaults.PROFILE),
        seccomp_lxc.common(),
        Capabilities(defaults.CAPABILITIES),
    ),
    image=defaults.ROOTFS,
    guest=Guest(hostname="{name}", env=defaults.ENVIRONMENT, session=True),
    options=options.read,
    about=N_("The kernel's own namespaces and groups, put together by one configuration file."),
)

TECHNOLOGY = change(_TODAY, eras=eras.of(_TODAY))
