"""Hierarchies of version 1 as mount(2) makes, changes and ends them; delegation in version 2."""

import pytest

from simulator.machine.abi.constants import CLONE_NEWCGROUP, MS_REMOUNT
from simulator.machine.kernel import usermode
from tests.unit.machine.kernel.grouped import TOP, Grouped


def mount(machine: Grouped, options: str, flags: int = 0) -> object:
    machine.ask("mkdir", "/g", 0o755)
    return machine.ask("mount", "none", "/g", "cgroup", flags, options)


@pytest.mark.parametrize(
    ("options", "errno"),
    [
        ("bogus", "EINVAL"),
        ("none", "EINVAL"),
        ("name=nobody", "EINVAL"),
        ("none,net_cls", "EINVAL"),
        ("cpu,memory", "EBUSY"),
        ("all", "EBUSY"),
        ("net_cls,net_prio", 0),
        ("cpu", 0),
    ],
)
def test_what_a_hierarchy_is_made_of(machine: Grouped, options: str, errno: object) -> None:
    """As measured on Linux 6.18 with version 1 beside version 2."""
    assert mount(machine, options) == errno


def test_a_hierarchy_without_groups_ends_with_its_last_mount(machine: Grouped) -> None:
    mount(machine, "net_cls,name=one")
    machine.ask("umount2", "/g", 0)
    assert mount(machine, "net_cls,net_prio") == 0


def test_a_hierarchy_with_groups_outlives_its_mount(machine: Grouped) -> None:
    mount(machine, "net_cls")
    machine.ask("mkdir", "/g/kept", 0o755)
    machine.ask("umount2", "/g", 0)
    assert mount(machine, "net_cls,net_prio") == "EBUSY"
    assert mount(machine, "net_cls") == 0


def test_a_remount_takes_controllers_while_there_are_no_groups(machine: Grouped) -> None:
    mount(machine, "net_cls,net_prio")
    assert mount(machine, "net_cls,net_prio,perf_event", MS_REMOUNT) == 0
    assert mount(machine, "net_cls,cpu", MS_REMOUNT) == "EBUSY"
    machine.ask("mkdir", "/g/x", 0o755)
    assert mount(machine, "net_cls", MS_REMOUNT) == "EBUSY"


def test_no_task_joins_a_cpuset_without_processors(machine: Grouped) -> None:
    machine.make("cpuset/box")
    assert machine.put("cpuset/box/tasks", "0") == "ENOSPC"
    machine.put("cpuset/box/cpuset.cpus", "0")
    machine.put("cpuset/box/cpuset.mems", "0")
    assert machine.put("cpuset/box/tasks", "0") == 1


def test_clone_children_hands_the_processors_down(machine: Grouped) -> None:
    machine.put("cpuset/cgroup.clone_children", "1")
    machine.make("cpuset/box")
    assert machine.text("cpuset/box/cpuset.cpus") == "0-1\n"


@pytest.mark.parametrize(
    ("file", "text", "answer"),
    [
        ("cpu/box/cpu.shares", "1", "2\n"),
        ("cpu/box/cpu.shares", "300000", "262144\n"),
        ("cpu/box/cpu.shares", "-1", "EINVAL"),
        ("cpu/box/cpu.rt_runtime_us", "-1", "EINVAL"),
        ("cpuset/box/cpuset.cpus", "9", "ERANGE"),
        ("cpuset/box/cpuset.mems", "1", "EINVAL"),
        ("memory/box/memory.memsw.limit_in_bytes", "-2", "EINVAL"),
        ("memory/box/memory.use_hierarchy", "0", "EINVAL"),
        ("memory/box/memory.move_charge_at_immigrate", "1", "EINVAL"),
        ("blkio/box/blkio.throttle.read_bps_device", "99:0 1", "ENODEV"),
        ("blkio/box/blkio.throttle.read_bps_device", "x", "EINVAL"),
        ("pids/box/pids.max", "4194305", "EINVAL"),
        ("freezer/box/freezer.state", "frozen", "EINVAL"),
    ],
)
def test_what_a_file_takes(machine: Grouped, file: str, text: str, answer: str) -> None:
    """As measured on Linux 6.18."""
    machine.make(file.rpartition("/")[0])
    result = machine.put(file, text)
    assert (result if isinstance(result, str) else machine.text(file)) == answer


def test_both_memory_limits_are_set_in_the_order_in_which_they_agree(machine: Grouped) -> None:
    machine.make("memory/box")
    both = "memory/box/memory.memsw.limit_in_bytes"
    assert machine.put("memory/box/memory.limit_in_bytes", "64M") == 3
    assert machine.put(both, "32M") == "EINVAL"
    assert machine.put(both, "128M") == 4
    assert machine.put("memory/box/memory.limit_in_bytes", "256M") == "EINVAL"


def asked(machine: Grouped) -> list[tuple[str, ...]]:
    return [helper.argv for helper in machine.store.all(usermode.Helper)]


def agent(machine: Grouped) -> None:
    mount(machine, "none,name=door")
    machine.ask("mkdir", "/g/box", 0o755)
    for path, text in (("box/notify_on_release", "1"), ("release_agent", "/bin/agent")):
        machine.put(f"../../../g/{path}", text)


def test_the_last_task_that_leaves_has_the_agent_run(machine: Grouped) -> None:
    agent(machine)
    child, other = machine.fork(), machine.fork()
    for pid in (child, other):
        machine.put("../../../g/box/tasks", str(pid))
    machine.ask("exit", 0, pid=child)
    assert asked(machine) == []
    machine.ask("exit", 0, pid=other)
    assert asked(machine) == [("/bin/agent", "/box")]


def test_the_last_group_that_goes_has_the_agent_run_for_the_one_above(machine: Grouped) -> None:
    agent(machine)
    machine.ask("mkdir", "/g/box/inner", 0o755)
    machine.ask("rmdir", "/g/box/inner")
    assert asked(machine) == [("/bin/agent", "/box")]


def test_a_group_that_was_not_asked_to_tells_nobody(machine: Grouped) -> None:
    agent(machine)
    machine.put("../../../g/box/notify_on_release", "0")
    child = machine.fork()
    machine.put("../../../g/box/tasks", str(child))
    machine.ask("exit", 0, pid=child)
    assert asked(machine) == []


def test_threaded_groups_know_no_way_back(unified: Grouped) -> None:
    unified.make("box")
    unified.make("box/inner")
    assert unified.put("box/inner/cgroup.type", "threaded") == 8
    assert unified.text("box/cgroup.type") == "domain threaded\n"
    unified.make("box/inner/deep")
    assert unified.text("box/inner/deep/cgroup.type") == "domain invalid\n"
    assert unified.put("box/inner/deep/cgroup.procs", "0") == "EOPNOTSUPP"
    assert unified.put("box/inner/cgroup.type", "domain") == "EINVAL"


def test_a_group_that_hands_memory_down_is_no_threaded_tree(unified: Grouped) -> None:
    unified.put("cgroup.subtree_control", "+memory")
    unified.make("box")
    unified.put("box/cgroup.subtree_control", "+memory")
    unified.make("box/inner")
    assert unified.put("box/inner/cgroup.type", "threaded") == "EOPNOTSUPP"


def test_a_namespace_is_the_border_of_what_was_delegated(unified: Grouped) -> None:
    unified.ask("umount2", TOP, 0)
    unified.ask("mount", "none", TOP, "cgroup2", 0, "nsdelegate")
    unified.put("cgroup.subtree_control", "+pids")
    unified.make("box")
    child = unified.fork()
    unified.put("box/cgroup.procs", str(child))
    unified.ask("unshare", CLONE_NEWCGROUP, pid=child)
    assert unified.put("box/pids.max", "max", child) == "EPERM"
    assert unified.put("cgroup.procs", "0", child) == "ENOENT"
    assert unified.put("box/pids.max", "max") == 3
