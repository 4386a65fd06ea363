"""Solaris Containers (zones): Andrew Tucker and Daniel Price, Solaris 10, 2005."""

from simulator.isolation.mechanisms import zone_walls
from simulator.isolation.mechanisms.base import Guest, Image
from simulator.isolation.mechanisms.sparse_root import SharedReadOnly, SparseRoot
from simulator.isolation.mechanisms.zone import Net, Zone
from simulator.isolation.mechanisms.zone_devices import ZoneDevices
from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.options import zone as options
from simulator.isolation.technologies.options import zonecfg
from simulator.machine.abi.i18n import N_

_PLAIN = Technology(
    id="zone",
    title=N_("Solaris Containers (zones)"),
    year=2005,
    launcher="zoneadmd",
    kernel="sunos",
    mechanisms=(
        Zone(nets=(Net("192.0.2.2{ordinal}/24"),)),
        *zone_walls.ALL,
        ZoneDevices(),
        SparseRoot(),
        SharedReadOnly(),
    ),
    image=Image(root="/srv/{name}"),
    guest=Guest(),
    options=options.read,
    about=N_("One tag and a limit set of privileges; the global zone sees everything."),
)
TECHNOLOGY = options.configured(_PLAIN, zonecfg.default())
