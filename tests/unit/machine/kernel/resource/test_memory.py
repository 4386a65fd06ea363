"""Memory: what is touched is charged; taken back first, killed for last."""

import msgspec

from simulator.machine.abi.call import Blocked, Call, Killed, Returned
from simulator.machine.abi.constants import O_CREAT, O_RDWR
from simulator.machine.kernel import log
from simulator.machine.kernel.modules import SwapArea
from simulator.machine.kernel.resource.reclaim import Swapped
from simulator.machine.kernel.task import Task
from tests.unit.machine.kernel.resource.busy import PAGES, Busy

MB = 1 << 20


def limited(size: int, version: str = "v2", memory: int = 1 << 30) -> Busy:
    machine = Busy(version, memory=memory)
    if version == "v2":
        machine.put("cgroup.subtree_control", "+memory")
        machine.make("a")
        machine.put("a/memory.max", str(size))
    else:
        machine.make("memory/a")
        machine.put("memory/a/memory.limit_in_bytes", str(size))
    return machine


def test_a_mapping_costs_nothing_until_it_is_touched() -> None:
    machine = limited(64 * MB)
    pid = machine.child("a")
    address = machine.ask("mmap", 0, 32 * MB, *PAGES, pid=pid)
    assert machine.text("a/memory.current") == "0\n"
    machine.kernel.call(pid, Call("@touch", (address, 8 * MB)))
    assert machine.text("a/memory.current") == f"{8 * MB}\n"
    machine.kernel.call(pid, Call("@touch", (address, 8 * MB)))
    assert machine.text("a/memory.current") == f"{8 * MB}\n"
    assert machine.ask("munmap", address, 32 * MB, pid=pid) == 0
    assert machine.text("a/memory.current") == "0\n"
    assert machine.text("a/memory.peak") == f"{8 * MB}\n"


def test_the_heap_grows_and_shrinks_with_brk() -> None:
    machine = limited(64 * MB)
    pid = machine.child("a")
    begin = machine.ask("brk", 0, pid=pid)
    assert machine.ask("brk", begin + 4 * MB, pid=pid) == begin + 4 * MB
    machine.kernel.call(pid, Call("@touch", (begin, 4 * MB)))
    assert machine.text("a/memory.current") == f"{4 * MB}\n"
    assert machine.ask("brk", begin, pid=pid) == begin
    assert machine.text("a/memory.current") == "0\n"
    assert machine.ask("brk", begin - 1, pid=pid) == begin


def test_beyond_its_limit_a_group_loses_the_task_that_holds_most() -> None:
    machine = limited(64 * MB)
    small, large = machine.child("a"), machine.child("a")
    machine.touch(small, 10 * MB)
    assert isinstance(machine.touch(large, 60 * MB), Killed)
    assert machine.alive(small)
    assert not machine.alive(large)
    events = str(machine.text("a/memory.events"))
    assert "max 1\noom 1\noom_kill 1\noom_group_kill 0\n" in events
    assert "Memory cgroup out of memory: Killed process" in log.ring(machine.store).lines[-1]


def test_oom_score_adj_moves_the_choice() -> None:
    machine = limited(64 * MB)
    large, small = machine.child("a"), machine.child("a")
    machine.touch(large, 40 * MB)
    disliked = msgspec.structs.replace(machine.store.row(Task, small), oom_score_adj=900)
    machine.store.put(disliked)
    machine.touch(small, 30 * MB)
    assert machine.alive(large)
    assert not machine.alive(small)


def test_a_group_may_die_as_one() -> None:
    machine = limited(64 * MB)
    machine.put("a/memory.oom.group", "1")
    tasks = [machine.child("a") for _ in range(3)]
    machine.touch(tasks[0], 70 * MB)
    assert not any(machine.alive(task) for task in tasks)
    assert "oom_kill 3\noom_group_kill 1\n" in str(machine.text("a/memory.events"))


def test_files_in_memory_go_before_anybody_is_killed() -> None:
    machine = limited(16 * MB)
    pid = machine.child("a")
    fd = machine.ask("open", "/big", O_RDWR | O_CREAT, 0o600, pid=pid)
    machine.ask("write", fd, b"", 12 * MB, pid=pid)
    assert machine.text("a/memory.current") == f"{12 * MB}\n"
    assert f"file {12 * MB}\n" in str(machine.text("a/memory.stat"))
    assert isinstance(machine.touch(pid, 10 * MB), Returned)
    assert machine.text("a/memory.current") == f"{16 * MB}\n"
    assert f"file {6 * MB}\n" in str(machine.text("a/memory.stat"))
    assert machine.put("a/memory.reclaim", str(6 * MB)) == len(str(6 * MB))
    assert machine.text("a/memory.current") == f"{10 * MB}\n"


def test_pages_go_to_swap_where_there_is_some() -> None:
    machine = limited(16 * MB)
    machine.store.put(SwapArea(id=1, path="/swap", size=64 * MB))
    pid = machine.child("a")
    machine.touch(pid, 24 * MB)
    assert machine.alive(pid)
    assert machine.text("a/memory.swap.current") == f"{8 * MB}\n"
    machine.put("a/memory.swap.max", str(10 * MB))
    assert isinstance(machine.touch(pid, 24 * MB), Killed)
    assert machine.store.get(Swapped, pid) is None


def test_version_1_bounds_memory_and_swap_together() -> None:
    machine = limited(16 * MB, "v1")
    machine.put("memory/a/memory.memsw.limit_in_bytes", str(24 * MB))
    machine.store.put(SwapArea(id=1, path="/swap", size=64 * MB))
    pid = machine.child("memory/a")
    machine.touch(pid, 20 * MB)
    assert machine.text("memory/a/memory.usage_in_bytes") == f"{16 * MB}\n"
    assert machine.text("memory/a/memory.memsw.usage_in_bytes") == f"{20 * MB}\n"
    assert machine.text("memory/a/memory.failcnt") == "1\n"
    assert isinstance(machine.touch(pid, 8 * MB), Killed)
    assert machine.text("memory/a/memory.max_usage_in_bytes") == f"{16 * MB}\n"


def test_without_an_oom_killer_the_caller_waits_for_room() -> None:
    machine = limited(16 * MB, "v1")
    machine.put("memory/a/memory.oom_control", "1")
    holder, waiter = machine.child("memory/a"), machine.child("memory/a")
    machine.touch(holder, 12 * MB)
    assert isinstance(machine.touch(waiter, 8 * MB), Blocked)
    assert "oom_kill_disable 1\nunder_oom 1\n" in str(machine.text("memory/a/memory.oom_control"))
    machine.ask("kill", holder, 9)
    assert machine.kernel.woken[waiter] == Returned(0)
    assert machine.text("memory/a/memory.usage_in_bytes") == f"{8 * MB}\n"


def test_above_high_memory_is_taken_back_and_nobody_killed() -> None:
    machine = limited(64 * MB)
    machine.put("a/memory.high", str(8 * MB))
    pid = machine.child("a")
    machine.touch(pid, 12 * MB)
    assert machine.alive(pid)
    assert "high 1\n" in str(machine.text("a/memory.events"))


def test_when_the_machine_is_full_the_largest_goes_whoever_it_is() -> None:
    machine = Busy(memory=64 * MB)
    large, small = machine.child(), machine.child()
    machine.touch(large, 50 * MB)
    machine.touch(small, 20 * MB)
    assert machine.alive(small)
    assert not machine.alive(large)
    assert log.ring(machine.store).lines[-1].startswith("Out of memory: Killed process")
