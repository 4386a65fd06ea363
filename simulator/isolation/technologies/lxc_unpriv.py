"""LXC without privilege: Serge Hallyn and Stephane Graber, LXC 1.0, 2014: ``lxc.idmap``."""

from simulator.isolation.mechanisms import seccomp_lxc
from simulator.isolation.mechanisms.apparmor import Apparmor
from simulator.isolation.mechanisms.base import Guest
from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.cgroup_ns import CgroupNs
from simulator.isolation.mechanisms.default_mounts import DefaultMounts
from simulator.isolation.mechanisms.ipc_ns import IpcNs
from simulator.isolation.mechanisms.lxc_config import LxcConfig
from simulator.isolation.mechanisms.mount_ns import MountNs
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.pid_ns import PidNs
from simulator.isolation.mechanisms.pivot_root import PivotRoot
from simulator.isolation.mechanisms.proc_mixed import ProcMixed
from simulator.isolation.mechanisms.session_keyring import SessionKeyring
from simulator.isolation.mechanisms.user_ns import UserNs
from simulator.isolation.mechanisms.uts_ns import UtsNs
from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.defaults import lxc as defaults
from simulator.isolation.technologies.options import lxc as options
from simulator.machine.abi.i18n import N_

TECHNOLOGY = Technology(
    id="lxc-unpriv",
    title=N_("LXC, unprivileged"),
    year=2014,
    launcher="lxc-start",
    mechanisms=(
        LxcConfig(defaults.CONFIG_MAPPED),
        UserNs(),
        MountNs(),
        UtsNs(),
        IpcNs(),
        PidNs(),
        NetNs(bridge=defaults.BRIDGE, subnet=defaults.SUBNET, ipv6=True),
        CgroupLimits(group=defaults.GROUP),
        CgroupNs(),
        SessionKeyring(),
        DefaultMounts(defaults.MOUNTS, groups_v1=False, groups_alone=True),
        ProcMixed(),
        PivotRoot(shared=True, pinned=True),
        Apparmor(defaults.PROFILE),
        seccomp_lxc.common(),
    ),
    image=defaults.MAPPED,
    guest=Guest(hostname="{name}", env=defaults.ENVIRONMENT, session=True),
    options=options.read,
    about=N_("Root inside is nobody outside: every right, and over nothing but its own."),
)
