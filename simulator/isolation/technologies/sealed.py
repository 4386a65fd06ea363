"""Another machine: the control that must hold on every probe, or the oracle is no good."""

from simulator.isolation.mechanisms.separate_machine import SeparateMachine
from simulator.isolation.technologies.base import Technology
from simulator.machine.abi.i18n import N_

TECHNOLOGY = Technology(
    id="sealed",
    title=N_("another machine"),
    mechanisms=(SeparateMachine(),),
    about=N_("A machine of its own with nothing in common but the room: the control that holds."),
)
