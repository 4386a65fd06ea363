"""OpenVZ: SWsoft's Virtuozzo since 2002, under the GPL since 2005; here vzctl 4 on RHEL 6."""

from simulator.isolation.mechanisms import ve_walls
from simulator.isolation.mechanisms.base import Guest, Image
from simulator.isolation.mechanisms.beancounters import Beancounters
from simulator.isolation.mechanisms.cpuunits import CpuUnits
from simulator.isolation.mechanisms.simfs import Simfs
from simulator.isolation.mechanisms.ve_capabilities import OLD, VeCapabilities
from simulator.isolation.mechanisms.ve_config import VeConfig
from simulator.isolation.mechanisms.ve_context import VeContext
from simulator.isolation.mechanisms.ve_devices import VeDevices
from simulator.isolation.mechanisms.ve_mounts import VeMounts
from simulator.isolation.mechanisms.venet import Venet
from simulator.isolation.mechanisms.vzquota import Vzquota
from simulator.isolation.technologies.base import Technology, change, drop, put
from simulator.isolation.technologies.options import openvz as options
from simulator.isolation.technologies.options import openvz_samples as defaults
from simulator.machine.abi.i18n import N_

_TODAY = Technology(
    id="openvz",
    title=N_("OpenVZ"),
    year=2005,
    launcher="vzctl",
    release="linux-2.6.32-ovz",
    mechanisms=(
        VeConfig(),
        Vzquota(),
        Simfs(),
        VeContext(),
        Beancounters(defaults.SAMPLES["vswap-256m"]),
        CpuUnits(),
        VeCapabilities(),
        *ve_walls.WALLS,
        Venet(),
        VeDevices(),
        VeMounts(),
    ),
    image=Image(root="/srv/{name}"),
    guest=Guest(session=True),
    options=options.read,
    about=N_("A kernel patched in a hundred places, and a counter for everything it hands out."),
)

_2_6_18 = change(drop(_TODAY, "ve-handles", "ve-perf"), era="2.6.18", release="linux-2.6.18-ovz")

TECHNOLOGY = change(
    _TODAY,
    eras=(
        put(
            put(_2_6_18, VeCapabilities(OLD, bounding=False)),
            Beancounters(defaults.BASIC),
        ),
    ),
)
