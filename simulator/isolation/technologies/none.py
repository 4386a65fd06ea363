"""No isolation at all: the control that must leak on every probe, or the probe is no good."""

from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.options import user as options
from simulator.machine.abi.i18n import N_

TECHNOLOGY = Technology(
    id="none",
    title=N_("no isolation"),
    neighbour_in_sandbox=False,
    options=options.read,
    about=N_("A process among others, root like the rest: the control that must leak."),
)
