"""Processor time: by nice values, weights and quotas, on as many processors as there are."""

import msgspec
import pytest

from simulator.machine.abi.call import Blocked, Returned
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.resource import load
from simulator.machine.kernel.resource.demand import Demand, bandwidth, spent
from simulator.machine.kernel.task import Task
from tests.unit.machine.kernel.resource.busy import SECOND, Busy


def near(value: float, wanted: float) -> bool:
    return value == pytest.approx(wanted, rel=0.02, abs=0.02)


def test_one_task_has_one_processor_however_many_there_are() -> None:
    machine = Busy(cpus=4)
    hog = machine.hog()
    machine.run(3)
    assert machine.ran(hog) == 3


def test_equal_tasks_divide_the_processors_equally() -> None:
    machine = Busy(cpus=2)
    hogs = [machine.hog() for _ in range(3)]
    machine.run(3)
    assert all(near(machine.ran(hog), 2) for hog in hogs)


def test_five_steps_of_nice_are_worth_a_factor_of_three() -> None:
    machine = Busy(cpus=1)
    first, second = machine.hog(nice=0), machine.hog(nice=5)
    machine.run(10)
    assert near(machine.ran(first) / machine.ran(second), 1024 / 335)


def test_groups_divide_by_weight_whatever_they_hold() -> None:
    machine = Busy(cpus=1)
    machine.put("cgroup.subtree_control", "+cpu")
    for name, weight in (("a", 300), ("b", 100)):
        machine.make(name)
        machine.put(f"{name}/cpu.weight", str(weight))
    one, many = [machine.hog("a")], [machine.hog("b") for _ in range(4)]
    machine.run(4)
    assert near(machine.ran(*one), 3)
    assert near(machine.ran(*many), 1)


def test_version_1_shares_do_the_same() -> None:
    machine = Busy("v1", cpus=1)
    for name, shares in (("a", 2048), ("b", 512)):
        machine.make(f"cpu/{name}")
        machine.put(f"cpu/{name}/cpu.shares", str(shares))
    a, b = machine.hog("cpu/a"), machine.hog("cpu/b")
    machine.run(5)
    assert near(machine.ran(a), 4)
    assert near(machine.ran(b), 1)


def test_what_one_group_leaves_another_takes() -> None:
    machine = Busy(cpus=2)
    machine.put("cgroup.subtree_control", "+cpu")
    for name in "ab":
        machine.make(name)
    lonely, crowd = machine.hog("a"), [machine.hog("b") for _ in range(4)]
    machine.run(2)
    assert near(machine.ran(lonely), 2)
    assert near(machine.ran(*crowd), 2)


def test_a_quota_ends_a_period_early_and_is_counted() -> None:
    machine = Busy(cpus=2)
    machine.put("cgroup.subtree_control", "+cpu")
    machine.make("a")
    machine.put("a/cpu.max", "25000 100000")
    hog = machine.hog("a")
    machine.run(2)
    assert near(machine.ran(hog), 0.5)
    stat = str(machine.text("a/cpu.stat"))
    assert "usage_usec 500000\n" in stat
    assert "nr_periods 20\nnr_throttled 20\nthrottled_usec 1500000\n" in stat


def test_two_processors_use_a_quota_up_twice_as_fast() -> None:
    machine = Busy("v1", cpus=2)
    machine.make("cpu/a")
    machine.put("cpu/a/cpu.cfs_quota_us", "50000")
    for _ in range(2):
        machine.hog("cpu/a")
    machine.run(1)
    stat = dict(line.split() for line in str(machine.text("cpu/a/cpu.stat")).splitlines())
    assert (stat["nr_periods"], stat["nr_throttled"]) == ("10", "10")
    assert near(int(stat["throttled_time"]) / SECOND, 10 * 2 * 0.075)


def test_a_quota_above_binds_the_groups_below() -> None:
    machine = Busy(cpus=2)
    machine.put("cgroup.subtree_control", "+cpu")
    machine.make("a")
    machine.put("a/cgroup.subtree_control", "+cpu")
    machine.put("a/cpu.max", "100000 100000")
    for name in ("a/x", "a/y"):
        machine.make(name)
    x, y = machine.hog("a/x"), machine.hog("a/y")
    machine.run(2)
    assert near(machine.ran(x), 1)
    assert near(machine.ran(y), 1)


def test_a_set_of_one_processor_holds_two_tasks_to_it() -> None:
    machine = Busy(cpus=2)
    machine.put("cgroup.subtree_control", "+cpuset")
    machine.make("a")
    machine.put("a/cpuset.cpus", "1")
    pinned, free = [machine.hog("a"), machine.hog("a")], machine.hog()
    machine.run(2)
    assert near(machine.ran(*pinned), 2)
    assert near(machine.ran(free), 2)


def test_a_task_that_keeps_to_one_processor_shares_it_while_the_other_is_idle() -> None:
    machine = Busy(cpus=2)
    pinned = [machine.hog(affinity=2), machine.hog(affinity=2)]
    machine.run(2)
    assert near(machine.ran(*pinned), 2)


def test_a_task_told_to_keep_to_what_its_set_lacks_runs_in_the_set() -> None:
    machine = Busy(cpus=2)
    machine.put("cgroup.subtree_control", "+cpuset")
    machine.make("a")
    machine.put("a/cpuset.cpus", "1")
    machine.hog("a", affinity=1)
    other = machine.hog(affinity=2)
    machine.run(2)
    assert near(machine.ran(other), 1)


def test_real_time_goes_first_and_leaves_a_twentieth() -> None:
    machine = Busy(cpus=1)
    fifo, other = machine.hog(policy=1, rt_priority=10), machine.hog()
    machine.run(10)
    assert near(machine.ran(fifo), 9.5)
    assert near(machine.ran(other), 0.5)


def test_fifo_keeps_its_equals_waiting_and_round_robin_does_not() -> None:
    machine = Busy(cpus=1)
    first, second = (machine.hog(policy=1, rt_priority=5) for _ in range(2))
    machine.run(1)
    assert (machine.ran(first), machine.ran(second)) == (1, 0)
    machine = Busy(cpus=1)
    first, second = (machine.hog(policy=2, rt_priority=5) for _ in range(2))
    machine.run(1)
    assert near(machine.ran(first), machine.ran(second))


def test_a_context_has_weight_and_quota_too() -> None:
    machine = Busy(cpus=1)
    for number, params in ((1, {"cpu.weight": 3000}), (2, {"cpu.weight": 1000})):
        machine.store.put(Context(id=number, parent=0, params=params))
    heavy, light = machine.hog(context=1), machine.hog(context=2)
    machine.run(4)
    assert near(machine.ran(heavy), 3)
    capped = {"cpu.quota": 10_000_000, "cpu.period": 100_000_000}
    machine.store.put(Context(id=1, parent=0, params=capped))
    before = machine.ran(heavy)
    machine.run(2)
    assert near(machine.ran(heavy) - before, 0.2)
    assert near(machine.ran(light), 1 + 1.8)


def test_a_token_bucket_lets_go_only_once_it_has_enough() -> None:
    machine = Busy(cpus=1)
    bucket = {
        "cpu.quota": 5_000_000,
        "cpu.period": 50_000_000,
        "cpu.burst": 95_000_000,
        "cpu.restart": 50_000_000,
    }
    machine.store.put(Context(id=1, parent=0, params=bucket))
    hog = machine.hog(context=1)
    machine.run(10)
    assert near(machine.ran(hog), 0.1 + 1)
    stood = bandwidth(machine.store, ("context", 1))
    assert 0 < stood.throttled < stood.periods


def test_work_with_an_end_ends_and_its_caller_goes_on() -> None:
    machine = Busy(cpus=1)
    worker = machine.child()
    assert isinstance(machine.burn(worker, 300_000_000, 500), Blocked)
    assert machine.store.row(Task, worker).state.value == "R"
    machine.run(1)
    assert machine.kernel.woken[worker] == Returned(0)
    assert machine.store.get(Demand, worker) is None
    had = spent(machine.store, worker)
    assert (had.user, had.system) == (150_000_000, 150_000_000)


def test_a_stopped_or_frozen_task_gets_nothing_meanwhile() -> None:
    machine = Busy(cpus=2)
    machine.make("a")
    stopped, frozen = machine.hog(), machine.hog("a")
    machine.ask("kill", stopped, 19)
    machine.put("a/cgroup.freeze", "1")
    machine.run(1)
    assert machine.ran(stopped, frozen) == 0
    machine.ask("kill", stopped, 18)
    machine.put("a/cgroup.freeze", "0")
    machine.run(1)
    assert machine.ran(stopped, frozen) == 2


def test_the_dead_want_nothing_and_hand_their_times_up() -> None:
    machine = Busy(cpus=1)
    hog = machine.hog()
    machine.run(2)
    machine.ask("kill", hog, 9)
    machine.run(2)
    assert machine.ran(hog) == 2
    machine.ask("wait4", hog, 0)
    had = spent(machine.store, 1)
    assert (had.children_user, had.user) == (2 * SECOND, 0)


def test_the_load_follows_those_who_want_to_run() -> None:
    machine = Busy(cpus=1)
    hogs = [machine.hog() for _ in range(3)]
    machine.run(300)
    one, five, fifteen = load.averages(machine.store)
    assert near(one, 3)
    assert 1.8 < five < 2.0
    assert 0.8 < fifteen < 0.9
    for hog in hogs:
        machine.ask("kill", hog, 9)
    machine.run(120)
    assert load.averages(machine.store)[0] < 0.5


def test_time_is_only_a_number_where_nobody_works() -> None:
    machine = Busy()
    mark = len(machine.store.journal)
    machine.run(1000)
    assert len(machine.store.journal) - mark == 1


def test_the_same_history_twice_is_the_same_state() -> None:
    def history() -> Busy:
        machine = Busy(cpus=2)
        machine.put("cgroup.subtree_control", "+cpu")
        machine.make("a")
        machine.put("a/cpu.max", "30000 100000")
        for number in range(5):
            machine.hog("a" if number % 2 else "", nice=number)
        machine.run(3)
        return machine

    first, second = history().store.tables, history().store.tables
    assert {k: v for k, v in first.items() if v} == {k: v for k, v in second.items() if v}


def test_a_branch_goes_on_like_its_parent() -> None:
    machine = Busy(cpus=1)
    hogs = [machine.hog(nice=n) for n in (0, 3)]
    machine.run(1)
    machine.ask("getpid")
    from simulator.machine.kernel.kernel import Kernel

    timeline = machine.kernel.timeline
    other = Kernel(machine.kernel.family, timeline.branch(len(timeline)))
    machine.run(1)
    other.advance(SECOND)
    mine, theirs = ([spent(store, hog) for hog in hogs] for store in (machine.store, other.store))
    assert mine == theirs
    assert msgspec.structs.asdict(mine[0])["user"] > 0


def test_a_task_that_its_own_quota_holds_back_does_not_wait_for_others() -> None:
    machine = Busy(cpus=4)
    machine.put("cgroup.subtree_control", "+cpu")
    machine.make("a")
    machine.put("a/cpu.max", "50000 100000")
    capped, crowd = machine.hog("a"), [machine.hog() for _ in range(3)]
    machine.run(3)
    assert near(machine.ran(capped), 1.5)
    assert spent(machine.store, capped).waited < 50_000_000
    assert near(machine.ran(*crowd), 9)
