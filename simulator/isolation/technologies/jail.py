"""FreeBSD jails: Poul-Henning Kamp and Robert Watson, FreeBSD 4.0, 2000."""

from simulator.isolation.mechanisms import prison_walls
from simulator.isolation.mechanisms.base import Guest, Image
from simulator.isolation.mechanisms.devfs_rules import DevfsRules
from simulator.isolation.mechanisms.prison import Prison
from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.options import jail as options
from simulator.machine.abi.i18n import N_

TECHNOLOGY = Technology(
    id="jail",
    title=N_("FreeBSD jail"),
    year=2000,
    launcher="jail",
    kernel="freebsd",
    mechanisms=(
        DevfsRules(),
        Prison(params=(("ip4.addr", ("192.0.2.2{ordinal}",)),)),
        prison_walls.ROOT,
        prison_walls.VISIBILITY,
        prison_walls.PRIVILEGES,
        prison_walls.ADDRESSES,
    ),
    image=Image(root="/srv/{name}"),
    guest=Guest(hostname="jail.vitrina.example"),
    options=options.read,
    about=N_("One tag on the process; the kernel asks about it at every door."),
)
