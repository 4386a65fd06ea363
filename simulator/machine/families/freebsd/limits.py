"""racct and rctl as a question of the security chain: sys/kern/kern_rctl.c rctl_enforce()."""

from simulator.machine.kernel.rctl import enforce
from simulator.machine.kernel.security import Policy

LIMITS = Policy(name="rctl", may_charge=enforce.may_charge)
