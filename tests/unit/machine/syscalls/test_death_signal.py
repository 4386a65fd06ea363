"""PR_SET_PDEATHSIG: a parent that ends sends it, as far as its rights go."""

from simulator.machine.abi.constants import PR_SET_PDEATHSIG, SIGKILL, SIGUSR1
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.task import Task, TaskState
from tests.unit.machine.bare import Machine


def state_after_the_parents_end(uid: int) -> TaskState:
    """What a child of root's, which asked for SIGUSR1, is when its parent of ``uid`` has ended."""
    machine = Machine()
    parent = machine.fork()
    child: Pid = machine.fork(parent)
    machine.do("prctl", PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0, pid=child)
    if uid:
        machine.become(parent, uid)
    machine.do("kill", parent, SIGKILL)
    return machine.kernel.store.row(Task, child).state


def test_a_parent_that_may_signal_its_child_ends_it() -> None:
    assert state_after_the_parents_end(0) is TaskState.ZOMBIE


def test_a_parent_that_may_not_ends_without_a_word() -> None:
    assert state_after_the_parents_end(1000) is TaskState.RUNNING
