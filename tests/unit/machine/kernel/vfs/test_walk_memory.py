"""What is remembered of walks belongs to a state: branches that begin with it begin with that."""

import gc
import weakref

import pytest

from simulator.machine.abi.call import Call
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from tests.unit.machine.bare import Machine, told

DEEP = "/d/a/b/f"


@pytest.fixture
def it() -> Machine:
    machine = Machine()
    for made in ("/d", "/d/a", "/d/a/b"):
        machine.do("mkdir", made, 0o755)
    machine.do("creat", DEEP, 0o644)
    machine.kernel.timeline.forget()
    return machine


def branch(it: Machine) -> Kernel:
    timeline = it.kernel.timeline
    return Kernel(it.kernel.family, timeline.branch(len(timeline)))


def do(kernel: Kernel, it: Machine, name: str, *args: object):
    return told(kernel.call(it.pid, Call(name, args)))  # pyright: ignore[reportArgumentType]


def knows(kernel: Kernel, it: Machine, path: str) -> bool:
    task = kernel.store.row(Task, it.pid)
    trap = Trap(kernel.store, kernel.family, task)
    return kernel.walks.above(trap, path, task.root) is not None


def test_a_branch_begins_with_what_its_timeline_knew(it):
    assert it.do("stat", DEEP) == 0

    assert knows(branch(it), it, DEEP)


def test_every_directory_on_a_walk_is_remembered(it):
    kernel = branch(it)
    assert do(kernel, it, "stat", "/d/a/b/nothing") == "ENOENT"

    for path in ("/x", "/d/x", "/d/a/x", "/d/a/b/x"):
        assert knows(kernel, it, path)
    assert do(kernel, it, "rename", "/d/a/b", "/d/b") == 0
    assert do(kernel, it, "stat", DEEP) == "ENOENT"
    assert do(kernel, it, "stat", "/d/b/f") == 0


def test_a_walk_that_goes_on_from_a_remembered_one_asks_who_may_search(it):
    user = it.become(it.fork(), 1000)
    it.do("chmod", "/d/a", 0o700)
    assert it.do("stat", "/d/a/b") == 0

    assert it.do("stat", DEEP, pid=user) == "EACCES"
    assert it.do("stat", DEEP) == 0
    assert it.do("stat", DEEP, pid=user) == "EACCES"
    assert it.do("stat", "/d/a/b", pid=user) == "EACCES"
    assert it.do("stat", "/d/a", pid=user) == 0


def test_of_a_walk_through_a_symbolic_link_what_comes_before_it_is_remembered(it):
    it.do("symlink", "/d/a", "/d/a/l")
    kernel = branch(it)

    assert do(kernel, it, "stat", "/d/a/l/b/f") == 0

    assert knows(kernel, it, "/d/a/x")
    assert not knows(kernel, it, "/d/a/l/x")


def test_what_a_branch_learns_before_it_writes_the_next_one_knows(it):
    first, second = branch(it), branch(it)

    assert do(first, it, "stat", DEEP) == 0

    assert knows(second, it, DEEP)
    assert knows(branch(it), it, DEEP)


def test_what_a_branch_learns_after_it_wrote_is_its_own(it):
    first, second = branch(it), branch(it)
    assert do(first, it, "mkdir", "/d/a/new", 0o755) == 0

    assert do(first, it, "stat", "/d/a/new/..") == 0
    assert do(first, it, "creat", "/d/a/new/x", 0o644) > 0

    assert knows(first, it, "/d/a/new/x")
    assert not knows(second, it, "/d/a/new/x")


def test_what_is_learnt_elsewhere_is_not_believed_by_a_branch_that_wrote_before(it):
    moved, other = branch(it), branch(it)
    assert do(moved, it, "rename", "/d/a", "/d/z") == 0
    assert do(moved, it, "stat", "/d") == 0

    assert do(other, it, "stat", DEEP) == 0

    assert do(moved, it, "stat", DEEP) == "ENOENT"
    assert do(other, it, "stat", DEEP) == 0


def test_history_that_begins_anew_is_another_state(it):
    it.do("stat", DEEP)
    moved = branch(it)
    assert do(moved, it, "rename", "/d/a", "/d/z") == 0
    moved.timeline.forget()

    again = Kernel(it.kernel.family, moved.timeline)
    assert do(branch(it), it, "stat", DEEP) == 0
    assert do(moved, it, "stat", DEEP) == do(again, it, "stat", DEEP) == "ENOENT"


def test_a_state_of_the_past_knows_nothing_of_what_came_before_it(it):
    assert it.do("stat", DEEP) == 0
    branch(it)
    assert it.do("rename", "/d/a", "/d/z") == 0
    assert it.do("mkdir", "/d/a", 0o755) == 0

    timeline = it.kernel.timeline
    past = Kernel(it.kernel.family, timeline.branch(len(timeline) - 1))

    assert do(past, it, "stat", DEEP) == "ENOENT"


def test_a_branch_that_nobody_holds_is_gone_at_once(it):
    kernel = branch(it)
    do(kernel, it, "mkdir", "/d/a/new", 0o755)
    gone = weakref.ref(kernel.walks)
    gc.disable()
    try:
        del kernel

        assert gone() is None
    finally:
        gc.enable()
