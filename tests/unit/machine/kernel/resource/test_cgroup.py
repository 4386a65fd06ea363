"""Control groups: who is in them, and what they refuse."""

import msgspec
import pytest

from simulator.machine.abi.constants import S_IFBLK, S_IFCHR, SIGKILL
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.ids import Pid
from simulator.machine.families.linux import LINUX
from simulator.machine.kernel.boot import INIT, boot
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource.cgroup import (
    Cgroup,
    can_fork,
    charge_memory,
    device_allowed,
    setup,
)
from simulator.machine.kernel.resource.group import BY_CONTROLLER, DeviceList, DeviceRule
from simulator.machine.kernel.resource.memory import Memory
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.trap import Denied, Trap

NULL = 0x103
DISK = 0x800


def machine(layout: str = "hybrid") -> Kernel:
    kernel = boot(LINUX)
    setup(kernel.store, layout)
    return kernel


def child_group(kernel: Kernel, controller: str, name: str = "box") -> Cgroup:
    tree = kernel.store.first(BY_CONTROLLER, controller)
    assert tree is not None
    return groups.create(kernel.store, kernel.store.row(Cgroup, tree.root), name)


def put_in(kernel: Kernel, pid: int, group: Cgroup) -> Task:
    task = kernel.store.row(Task, pid)
    moved = msgspec.structs.replace(task, cgroups={**task.cgroups, group.hierarchy: group.id})
    kernel.store.put(moved)
    return moved


def trap_of(kernel: Kernel, pid: int = INIT) -> Trap:
    return Trap(kernel.store, kernel.family, kernel.store.row(Task, pid))


def test_fork_is_refused_with_eagain_once_the_group_holds_pids_max_tasks() -> None:
    kernel = machine()
    group = groups.put_setting(kernel.store, child_group(kernel, "pids"), "pids.max", "1")
    put_in(kernel, INIT, group)
    with pytest.raises(Denied) as refused:
        can_fork(trap_of(kernel))
    assert refused.value.denial.errno is Errno.EAGAIN
    assert refused.value.denial.wall == "cgroup-pids"


def test_a_limit_on_an_ancestor_counts_the_tasks_of_all_its_descendants() -> None:
    kernel = machine()
    above = groups.put_setting(kernel.store, child_group(kernel, "pids"), "pids.max", "2")
    left = groups.create(kernel.store, above, "left")
    right = groups.create(kernel.store, above, "right")
    init = put_in(kernel, INIT, left)
    can_fork(trap_of(kernel))
    kernel.store.put(msgspec.structs.replace(init, id=Pid(2), cgroups={right.hierarchy: right.id}))
    with pytest.raises(Denied):
        can_fork(trap_of(kernel))


def test_without_pids_max_a_group_may_always_fork() -> None:
    kernel = machine("v2")
    group = child_group(kernel, "pids")
    put_in(kernel, INIT, group)
    can_fork(trap_of(kernel))
    groups.put_setting(kernel.store, group, "pids.max", "1")
    with pytest.raises(Denied):
        can_fork(trap_of(kernel))


def test_over_the_memory_limit_the_largest_task_of_the_group_is_killed() -> None:
    kernel = machine()
    group = child_group(kernel, "memory")
    groups.put_setting(kernel.store, group, "memory.limit_in_bytes", "1000")
    init = put_in(kernel, INIT, group)
    kernel.store.put(msgspec.structs.replace(init, id=Pid(2), memory=900))
    assert charge_memory(trap_of(kernel), 200)
    victim = kernel.store.row(Task, Pid(2))
    assert victim.state is TaskState.ZOMBIE
    assert victim.exit_status == SIGKILL


def test_a_task_that_alone_exceeds_the_limit_is_killed_itself() -> None:
    kernel = machine("v2")
    group = groups.put_setting(kernel.store, child_group(kernel, "memory"), "memory.max", "100")
    put_in(kernel, INIT, group)
    assert not charge_memory(trap_of(kernel), 101)


def test_without_a_limit_the_machines_own_memory_ends_and_a_host_task_dies() -> None:
    kernel = machine()
    kernel.store.put(Memory(id=0, total=1000))
    init = kernel.store.row(Task, INIT)
    kernel.store.put(msgspec.structs.replace(init, id=Pid(2), memory=700))
    kernel.store.put(msgspec.structs.replace(init, id=Pid(3), memory=400, domain="guest"))
    trap = trap_of(kernel, 3)
    assert charge_memory(trap, 200)
    assert kernel.store.row(Task, Pid(2)).state is TaskState.ZOMBIE
    assert [(c.kind, c.operation) for c in trap.crossings] == [("memory", "exhaust")]


def test_a_device_list_that_denies_by_default_allows_only_what_it_names() -> None:
    kernel = machine()
    rules = DeviceList(False, (DeviceRule("c", 1, 3, "rw"),))
    group = msgspec.structs.replace(child_group(kernel, "devices"), devices=rules)
    kernel.store.put(group)
    task = put_in(kernel, INIT, group)
    assert device_allowed(kernel.store, task, S_IFCHR, NULL, "r")
    assert not device_allowed(kernel.store, task, S_IFCHR, NULL, "m")
    assert not device_allowed(kernel.store, task, S_IFBLK, DISK, "r")


def test_a_version_2_program_of_an_ancestor_must_allow_the_device_too() -> None:
    kernel = machine("v2")
    deny_all = DeviceList(False)
    above = msgspec.structs.replace(child_group(kernel, "memory"), programs=(deny_all,))
    kernel.store.put(above)
    task = put_in(kernel, INIT, groups.create(kernel.store, above, "inner"))
    assert not device_allowed(kernel.store, task, S_IFCHR, NULL, "r")


def test_a_task_that_nobody_moved_is_in_the_root_of_every_hierarchy() -> None:
    kernel = machine()
    group = groups.controlled(kernel.store, kernel.store.row(Task, INIT), "pids")
    assert group is not None
    assert groups.path(kernel.store, group) == "/"


def test_a_path_outside_the_namespace_root_begins_with_dotdot() -> None:
    kernel = machine("v2")
    left = child_group(kernel, "memory", "left")
    right = child_group(kernel, "memory", "right")
    assert groups.path(kernel.store, right, left.id) == "/../right"
    assert groups.path(kernel.store, left, left.id) == "/"
