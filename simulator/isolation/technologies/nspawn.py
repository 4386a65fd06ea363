"""systemd-nspawn: Lennart Poettering, 2010, "chroot on steroids"; here systemd 252, run by root."""

from simulator.isolation.mechanisms.base import Guest
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.cgroup_ns import CgroupNs
from simulator.isolation.mechanisms.default_mounts import DefaultMounts
from simulator.isolation.mechanisms.device_list import DeviceList
from simulator.isolation.mechanisms.ipc_ns import IpcNs
from simulator.isolation.mechanisms.mount_ns import MountNs
from simulator.isolation.mechanisms.pid_ns import PidNs
from simulator.isolation.mechanisms.pivot_root import PivotRoot
from simulator.isolation.mechanisms.readonly_paths import ReadonlyPaths
from simulator.isolation.mechanisms.seccomp_nspawn import NspawnFilter
from simulator.isolation.mechanisms.session_keyring import SessionKeyring
from simulator.isolation.mechanisms.uts_ns import UtsNs
from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.defaults import nspawn as defaults
from simulator.isolation.technologies.options import nspawn as options
from simulator.machine.abi.i18n import N_

TECHNOLOGY = Technology(
    id="nspawn",
    title=N_("systemd-nspawn"),
    year=2010,
    launcher="systemd-nspawn",
    mechanisms=(
        MountNs(),
        UtsNs(),
        IpcNs(),
        PidNs(),
        CgroupLimits(group=defaults.GROUP),
        CgroupNs(),
        SessionKeyring(),
        DeviceList(defaults.DEVICES),
        DefaultMounts(
            defaults.MOUNTS, groups_mode=0o755, groups_closed=True, with_paths=defaults.API
        ),
        PivotRoot(shared=True),
        ReadonlyPaths(defaults.READ_ONLY),
        NspawnFilter(),
        Capabilities(defaults.CAPABILITIES),
    ),
    image=defaults.ROOT,
    guest=Guest(hostname="{name}", env=(("container", "systemd-nspawn"),), session=True),
    options=options.read,
    about=N_("Boots a whole distribution from a directory, on the network of its host."),
)
