"""Pid namespaces: a process knows only those of its own namespace and of those below it."""

from simulator.machine.abi.call import Denial
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.task import Task, visible_from
from simulator.machine.kernel.trap import Trap

_UNSEEN = Denial(
    Errno.ESRCH,
    "pid-ns",
    N_("The process lives outside the caller's pid namespace: no number names it there."),
    "pid_namespaces(7)",
)


def may_see(trap: Trap, task: Task) -> Answer:
    """find_vpid(): numbers are looked up in the caller's own namespace."""
    if trap.task.ns.pid == task.ns.pid or visible_from(trap.store, task, trap.task.ns.pid):
        return None
    return _UNSEEN


PID_NAMESPACES = Policy(name="pid-ns", may_see=may_see)
