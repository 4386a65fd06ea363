"""Control groups as files: one guarantee or errno each, as the real kernel has them."""

from dataclasses import replace

import pytest

from simulator.machine.abi.constants import CLONE_NEWCGROUP, CLONE_NEWUSER, S_IFREG
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.task import Task, TaskState
from tests.unit.machine.kernel.grouped import TOP, Grouped


def test_a_directory_made_in_a_hierarchy_is_a_group_with_its_files(machine: Grouped) -> None:
    assert machine.make("pids/box") == 0
    assert machine.text("pids/box/pids.max") == "max\n"


def test_the_root_group_has_no_limit_to_set(machine: Grouped) -> None:
    assert machine.text("pids/pids.max") == "ENOENT"


@pytest.mark.parametrize(
    ("text", "shown"), [("5", "5"), ("0", "0"), (" 7 \n", "7"), ("0x10", "16"), ("max\n", "max")]
)
def test_pids_max_takes_numbers_and_max(machine: Grouped, text: str, shown: str) -> None:
    machine.make("pids/box")
    assert machine.put("pids/box/pids.max", text) == len(text)
    assert machine.text("pids/box/pids.max") == f"{shown}\n"


@pytest.mark.parametrize("text", ["-1", "abc", "4194305"])
def test_pids_max_refuses_anything_else(machine: Grouped, text: str) -> None:
    machine.make("pids/box")
    assert machine.put("pids/box/pids.max", text) == "EINVAL"


def test_writing_a_pid_moves_its_task(machine: Grouped) -> None:
    machine.make("pids/box")
    child = machine.fork()
    machine.put("pids/box/cgroup.procs", str(child))
    assert machine.text("pids/box/cgroup.procs") == f"{child}\n"
    assert machine.text("pids/box/pids.current") == "1\n"


def test_writing_0_moves_the_writer(machine: Grouped) -> None:
    machine.make("pids/box")
    child = machine.fork()
    machine.put("pids/box/cgroup.procs", "0", child)
    assert machine.text("pids/box/cgroup.procs") == f"{child}\n"


def test_a_pid_of_nobody_is_esrch(machine: Grouped) -> None:
    machine.make("pids/box")
    assert machine.put("pids/box/cgroup.procs", "999999") == "ESRCH"


def test_a_full_group_forks_no_more(machine: Grouped) -> None:
    machine.make("pids/box")
    child = machine.fork()
    machine.put("pids/box/cgroup.procs", str(child))
    machine.put("pids/box/pids.max", "1")
    assert machine.ask("fork", pid=child) == "EAGAIN"


def test_a_group_with_tasks_or_groups_is_not_removed(machine: Grouped) -> None:
    machine.make("pids/box")
    machine.make("pids/box/inner")
    assert machine.remove("pids/box") == "EBUSY"
    machine.remove("pids/box/inner")
    child = machine.fork()
    machine.put("pids/box/cgroup.procs", str(child))
    assert machine.remove("pids/box") == "EBUSY"
    machine.ask("exit", 0, pid=child)
    assert machine.remove("pids/box") == 0


def test_a_users_write_to_another_users_task_is_eacces_even_in_a_delegated_group(
    machine: Grouped,
) -> None:
    machine.make("pids/box")
    machine.ask("chown", f"{TOP}/pids/box/cgroup.procs", 1000, 1000)
    user = machine.user()
    assert machine.put("pids/box/cgroup.procs", "1", user) == "EACCES"
    assert machine.put("pids/box/cgroup.procs", str(user), user) == len(str(user))


def test_a_group_of_another_user_is_written_by_nobody_else(machine: Grouped) -> None:
    machine.make("pids/box")
    user = machine.user()
    assert machine.put("pids/box/pids.max", "max", user) == "EACCES"


def test_files_of_a_group_are_neither_made_nor_removed(machine: Grouped) -> None:
    machine.make("pids/box")
    assert machine.ask("unlink", f"{TOP}/pids/box/pids.max") == "EPERM"
    assert machine.ask("mknod", f"{TOP}/pids/box/new", S_IFREG | 0o644, 0) == "EACCES"
    assert machine.ask("symlink", "x", f"{TOP}/pids/box/link") == "EPERM"


def test_a_group_of_version_1_changes_its_name_and_not_its_place(machine: Grouped) -> None:
    machine.make("pids/box")
    machine.make("pids/other")
    move = f"{TOP}/pids/box", f"{TOP}/pids/other/box"
    assert machine.ask("rename", *move) == "EIO"
    assert machine.ask("rename", f"{TOP}/pids/box", f"{TOP}/pids/case") == 0


def test_a_memory_limit_is_cut_to_whole_pages(machine: Grouped) -> None:
    machine.make("memory/box")
    machine.put("memory/box/memory.limit_in_bytes", "4097")
    assert machine.text("memory/box/memory.limit_in_bytes") == "4096\n"


def test_version_1_says_minus_one_for_no_memory_limit(machine: Grouped) -> None:
    machine.make("memory/box")
    assert machine.put("memory/box/memory.limit_in_bytes", "max") == "EINVAL"
    machine.put("memory/box/memory.limit_in_bytes", "-1")
    assert machine.text("memory/box/memory.limit_in_bytes") == "9223372036854771712\n"


def test_denying_all_devices_and_allowing_one_leaves_that_one(machine: Grouped) -> None:
    machine.make("devices/box")
    machine.put("devices/box/devices.deny", "a")
    machine.put("devices/box/devices.allow", "c 1:3 rwm")
    assert machine.text("devices/box/devices.list") == "c 1:3 rwm\n"


def test_a_group_allows_no_device_that_the_one_above_denies(machine: Grouped) -> None:
    machine.make("devices/box")
    machine.put("devices/box/devices.deny", "a")
    machine.make("devices/box/inner")
    assert machine.put("devices/box/inner/devices.allow", "a") == "EPERM"
    assert machine.put("devices/box/inner/devices.allow", "b 8:0 r") == "EPERM"


def test_a_device_denied_above_is_lost_below(machine: Grouped) -> None:
    machine.make("devices/box")
    machine.put("devices/box/devices.deny", "a")
    machine.put("devices/box/devices.allow", "c 1:5 r")
    machine.make("devices/box/inner")
    machine.put("devices/box/devices.deny", "c 1:5 r")
    assert machine.text("devices/box/inner/devices.list") == ""


def test_a_frozen_task_goes_on_when_its_group_thaws(machine: Grouped) -> None:
    machine.make("freezer/box")
    child = machine.fork()
    machine.put("freezer/box/cgroup.procs", str(child))
    machine.put("freezer/box/freezer.state", "FROZEN")
    assert machine.ask("getpid", pid=child) == "Blocked"
    machine.put("freezer/box/freezer.state", "THAWED")
    assert machine.word(child) == str(child)


def test_a_group_freezes_with_those_above_it(machine: Grouped) -> None:
    machine.make("freezer/box")
    machine.make("freezer/box/inner")
    child = machine.fork()
    machine.put("freezer/box/inner/cgroup.procs", str(child))
    machine.put("freezer/box/freezer.state", "FROZEN")
    assert machine.ask("getpid", pid=child) == "Blocked"
    machine.put("freezer/box/inner/freezer.state", "THAWED")
    assert child not in machine.kernel.woken
    machine.put("freezer/box/freezer.state", "THAWED")
    assert machine.word(child) == str(child)


def test_the_release_agent_is_named_by_the_machines_root_alone(machine: Grouped) -> None:
    user = machine.user()
    assert machine.ask("unshare", CLONE_NEWUSER, pid=user) == 0
    machine.ask("chmod", f"{TOP}/pids/release_agent", 0o666)
    assert machine.put("pids/release_agent", "/x", user) == "EPERM"
    assert machine.put("pids/release_agent", "/x") == 2


def test_an_older_kernel_lets_any_writer_of_the_file_name_the_release_agent(
    machine: Grouped,
) -> None:
    family = machine.kernel.family
    traits = replace(family.traits, release_agent_needs_rights=False)
    machine.kernel.family = replace(family, traits=traits)
    machine.ask("chmod", f"{TOP}/pids/release_agent", 0o666)
    assert machine.put("pids/release_agent", "/x", machine.user()) == 2


def test_a_controller_in_use_is_not_mounted_elsewhere(machine: Grouped) -> None:
    machine.ask("mkdir", "/other", 0o755)
    assert machine.ask("mount", "none", "/other", "cgroup", 0, "memory,pids") == "EBUSY"
    assert machine.ask("mount", "none", "/other", "cgroup", 0, "memory") == 0


def test_an_unused_controller_makes_a_hierarchy_of_its_own(machine: Grouped) -> None:
    machine.ask("mkdir", "/other", 0o755)
    assert machine.ask("mount", "none", "/other", "cgroup", 0, "net_cls") == 0
    assert machine.ask("mkdir", "/other/box", 0o755) == 0


@pytest.mark.parametrize("options", ["nothing", "none", "all,memory", "none,memory", "name="])
def test_options_that_name_no_hierarchy_are_einval(machine: Grouped, options: str) -> None:
    machine.ask("mkdir", "/other", 0o755)
    assert machine.ask("mount", "none", "/other", "cgroup", 0, options) == "EINVAL"


def test_a_new_hierarchy_is_made_in_the_first_cgroup_namespace_alone(machine: Grouped) -> None:
    machine.make("pids/box")
    machine.ask("mkdir", "/other", 0o755)
    child = machine.fork()
    machine.put("pids/box/cgroup.procs", str(child))
    machine.ask("unshare", CLONE_NEWCGROUP, pid=child)
    assert machine.ask("mount", "none", "/other", "cgroup", 0, "net_cls", pid=child) == "EPERM"


def test_a_cgroup_namespace_mounts_its_own_group_as_the_root(machine: Grouped) -> None:
    machine.make("pids/box")
    machine.make("pids/box/inner")
    machine.ask("mkdir", "/other", 0o755)
    child = machine.fork()
    machine.put("pids/box/cgroup.procs", str(child))
    machine.ask("unshare", CLONE_NEWCGROUP, pid=child)
    assert machine.ask("mount", "none", "/other", "cgroup", 0, "pids", pid=child) == 0
    assert isinstance(machine.ask("stat", "/other/inner", pid=child), dict)


def test_version_2_hands_down_what_the_parent_allows(unified: Grouped) -> None:
    unified.make("box")
    assert unified.text("box/pids.max") == "ENOENT"
    assert unified.put("cgroup.subtree_control", "+pids") == 5
    assert unified.text("box/pids.max") == "max\n"
    assert unified.put("box/cgroup.subtree_control", "+memory") == "ENOENT"


def test_a_group_that_hands_controllers_down_holds_no_tasks(unified: Grouped) -> None:
    unified.put("cgroup.subtree_control", "+pids")
    unified.make("box")
    unified.put("box/cgroup.subtree_control", "+pids")
    child = unified.fork()
    assert unified.put("box/cgroup.procs", str(child)) == "EBUSY"


def test_a_group_with_tasks_hands_no_controllers_down(unified: Grouped) -> None:
    unified.put("cgroup.subtree_control", "+pids")
    unified.make("box")
    unified.put("box/cgroup.procs", str(unified.fork()))
    assert unified.put("box/cgroup.subtree_control", "+pids") == "EBUSY"


def test_a_controller_that_a_child_hands_down_is_not_taken_back(unified: Grouped) -> None:
    unified.put("cgroup.subtree_control", "+pids")
    unified.make("box")
    unified.put("box/cgroup.subtree_control", "+pids")
    assert unified.put("cgroup.subtree_control", "-pids") == "EBUSY"


def test_an_unknown_controller_is_einval(unified: Grouped) -> None:
    assert unified.put("cgroup.subtree_control", "+nope") == "EINVAL"
    assert unified.put("cgroup.subtree_control", "pids") == "EINVAL"


def test_version_2_moves_a_task_for_whoever_may_write_in_the_common_ancestor(
    unified: Grouped,
) -> None:
    unified.make("box")
    unified.ask("chown", f"{TOP}/box/cgroup.procs", 1000, 1000)
    user = unified.user()
    assert unified.put("box/cgroup.procs", str(user), user) == "EACCES"


def test_cgroup_kill_ends_every_task_below(unified: Grouped) -> None:
    unified.make("box")
    unified.make("box/inner")
    child = unified.fork()
    unified.put("box/inner/cgroup.procs", str(child))
    unified.put("box/cgroup.kill", "1")
    assert unified.store.row(Task, Pid(child)).state is TaskState.ZOMBIE


def test_cgroup_freeze_takes_0_and_1(unified: Grouped) -> None:
    unified.make("box")
    assert unified.put("box/cgroup.freeze", "2") == "ERANGE"
    assert unified.put("box/cgroup.freeze", "1") == 1


def test_cgroup_max_descendants_bounds_the_groups_below(unified: Grouped) -> None:
    unified.make("box")
    unified.put("box/cgroup.max.descendants", "1")
    unified.make("box/one")
    assert unified.make("box/two") == "EAGAIN"


def test_groups_of_version_2_keep_their_names(unified: Grouped) -> None:
    unified.make("box")
    assert unified.ask("rename", f"{TOP}/box", f"{TOP}/case") == "EPERM"


def test_changing_a_group_of_the_hosts_is_reported(machine: Grouped) -> None:
    machine.make("pids/box")
    machine.make("pids/other")
    guest = machine.fork()
    machine.put("pids/box/cgroup.procs", str(guest))
    machine.ask("@domain", guest, "guest")
    machine.put("pids/other/pids.max", "max", guest)
    found = [
        (c.kind, c.owner, c.operation)
        for event in machine.kernel.timeline.events
        for c in event.crossings
    ]
    assert ("cgroup", "host", "write") in found


def test_a_task_may_read_of_its_own_group_without_a_report(machine: Grouped) -> None:
    machine.make("pids/box")
    guest = machine.fork()
    machine.put("pids/box/cgroup.procs", str(guest))
    machine.ask("@domain", guest, "guest")
    before = len(machine.kernel.timeline.events)
    machine.text("pids/box/pids.max", guest)
    crossings = [c for e in machine.kernel.timeline.events[before:] for c in e.crossings]
    assert not [c for c in crossings if c.kind == "cgroup"]
