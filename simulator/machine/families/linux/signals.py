"""Who may send a signal to whom: kill(2), kernel/signal.c (kill_ok_by_cred)."""

from simulator.machine.abi.call import Denial
from simulator.machine.abi.constants import SIGCONT
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.families.linux.capabilities import capable
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel.security import Answer, Policy
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.state.store import World

_OTHER_USER = Denial(
    Errno.EPERM,
    "uid",
    N_("The process belongs to another user, and the caller lacks CAP_KILL over it."),
    "kill(2)",
)


def may_signal(trap: Trap, task: Task, signo: int) -> Answer:
    """The same user, or CAP_KILL over the target's user namespace; SIGCONT within a session."""
    if (
        task.id == trap.task.id
        or (signo == SIGCONT and task.sid == trap.task.sid)
        or _kill_ok_by_cred(trap.store, trap.task, task)
    ):
        return None
    return _OTHER_USER


def _kill_ok_by_cred(store: World, sender: Task, target: Task) -> bool:
    mine, theirs = sender.cred, target.cred
    return (
        mine.euid in (theirs.suid, theirs.ruid)
        or mine.ruid in (theirs.suid, theirs.ruid)
        or capable(store, mine, "KILL", theirs.user_ns)
    )


# reparent_leader(): PR_SET_PDEATHSIG's signal is sent by the parent that ends, as with kill(2)
exits.of_death_signals(_kill_ok_by_cred)

SIGNALS = Policy(name="signals", may_signal=may_signal)
