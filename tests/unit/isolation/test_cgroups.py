"""Process Containers: their options, libcgroup's tools, and what a kernel of the day lacked."""

import pytest

from simulator.experiment.engine.compare import traced
from simulator.experiment.engine.executor import open_session
from simulator.experiment.probes.language import parse
from simulator.experiment.probes.trace import Status
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.mechanisms.base import PlanError
from simulator.isolation.technologies.base import SpecError, plan
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Call, Returned


def said(spec: str, *lines: str, actor: str = "host", facts: frozenset[str] | None = None) -> str:
    facts = frozenset({"cgroup2"}) if facts is None else facts
    session = open_session(load_world(), parse_spec(spec), facts)
    data = b""
    for line in lines:
        result = session.shell(actor, line)
        assert isinstance(result, Returned), result
        data = result.data
    return data.decode()


def test_the_first_kernel_with_groups_counts_no_memory() -> None:
    assert said("cgroups@2.6.24", "cat /proc/self/cgroup", actor="guest") == (
        "3:cpuset:/guest\n2:cpuacct:/guest\n1:cpu:/guest\n"
    )
    with pytest.raises(PlanError, match="no such controller"):
        plan(parse_spec("cgroups@2.6.24 memory.limit_in_bytes=64M"))


@pytest.mark.parametrize(
    ("era", "call", "errno"),
    [
        ("cgroups@2.6.24", Call("setns", (0, 0)), "ENOSYS"),
        ("cgroups@2.6.24", Call("pipe2", (0,)), "ENOSYS"),
        ("cgroups@3.8", Call("setns", (99, 0)), "EBADF"),
    ],
)
def test_docker_needed_calls_that_the_first_kernel_lacked(era: str, call: Call, errno: str) -> None:
    result = open_session(load_world(), parse_spec(era)).call("guest", call)
    assert getattr(result, "errno", None) == errno


def test_a_setting_of_one_version_is_said_in_the_words_of_the_other() -> None:
    spec = "cgroups memory.limit_in_bytes=64M cpu.shares=512 pids.max=20"
    read = "cd /sys/fs/cgroup/guest; cat memory.max cpu.weight pids.max"
    assert said(spec, read) == "67108864\n50\n20\n"
    read = "cat /sys/fs/cgroup/*/guest/memory.limit_in_bytes /sys/fs/cgroup/cpu/guest/cpu.shares"
    old = "cgroups memory.max=64M cpu.weight=50"
    assert said(old, read, facts=frozenset()) == "67108864\n512\n"


def test_what_version_2_cannot_say_is_a_sentence() -> None:
    with pytest.raises(PlanError, match="version 2"):
        plan(parse_spec("cgroups 'devices.deny=a'"))
    with pytest.raises(SpecError, match=r"memory\.limit_in_bytes"):
        parse_spec("cgroups memory.limit_in_byte=64M")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("cgset -r cpu.bogus=1 web", "Cgroup, requested group parameter does not exist \n95\n"),
        ("cgset -r cpu.shares=abc web", "cgset: cgroup modify error: Invalid argument \n96\n"),
        ("cgget -r cpu.shares none", "variable file read failed No such file or directory\n96\n"),
        ("cgget -nv -r cpu.shares web", "1024\n0\n"),
        ("cgexec -g cpu:none true", "cgroup change of group failed\n82\n"),
        ("cgexec -g cpu:web grep :cpu: /proc/self/cgroup", "1:cpu:/web\n0\n"),
        ("lscgroup cpu:web", "cpu:/web/\n0\n"),
        ("cgdelete cpu:none", "cannot remove group 'none': No such file or directory\n96\n"),
        ("cgcreate -g bogus:x", "one of the needed subsystems is not mounted\n84\n"),
        ("cgclassify -g cpu:web 99999", "changing group of pid 99999: No such process\n1\n"),
        ("cgcreate", "Wrong input parameters, try cgcreate -h' for more information.\n255\n"),
    ],
)
def test_libcgroups_tools_answer_as_version_2_of_it_does(line: str, answer: str) -> None:
    """Messages and exit statuses as measured with cgroup-tools 2.0.2."""
    output = said("cgroups@3.8", "cgcreate -g cpu,memory:web", f"{line}; echo $?")
    assert output.endswith(answer)


def test_plain_mkdir_and_echo_do_the_same() -> None:
    line = "cd /sys/fs/cgroup/cpu; mkdir own; echo 256 > own/cpu.shares; echo $$ > own/tasks"
    assert said("cgroups@3.8", f"{line}; cat own/cpu.shares; grep :cpu: /proc/$$/cgroup") == (
        "256\n1:cpu:/own\n"
    )


def test_the_release_agent_runs_outside_everything() -> None:
    made = (
        "mount -t cgroup -o none,name=door none /mnt; mkdir /mnt/x;"
        " echo 1 > /mnt/x/notify_on_release;"
        " printf '#!/bin/sh\\necho $1 $PWD $(id -u) > /tmp/out' > /tmp/agent;"
        " chmod 755 /tmp/agent; echo /tmp/agent > /mnt/release_agent"
    )
    leave = "sh -c 'echo $$ > /mnt/x/tasks'"
    assert said("none", made, leave, "cat /tmp/out") == "/x / 0\n"


def test_a_program_takes_the_core_of_whoever_crashes() -> None:
    made = (
        "printf '#!/bin/sh\\necho \"$@\" > /tmp/out' > /tmp/taker; chmod 755 /tmp/taker;"
        " echo '|/tmp/taker %s %u %e' > /proc/sys/kernel/core_pattern"
    )
    assert said("none", made, "sh -c 'kill -SEGV $$'", "cat /tmp/out") == "11 0 sh\n"


def test_a_write_into_memory_beyond_the_limit_costs_the_writer_its_life_and_nobody_elses() -> None:
    program = parse(
        'fd = guest.memfd_create("hog", 0)\n'
        'guest.write(fd, "x" * 65536, 65536) * 16\n'
        "host.getpid()\n"
    )
    found = traced(program, load_world(), parse_spec("cgroups memory.max=512K")).entries
    assert [one.signal for one in found if one.status is Status.KILLED] == ["SIGKILL"]
    assert found[-1].status is Status.RETURNED


def test_a_directory_that_is_given_away_takes_no_file_with_it() -> None:
    give = "mkdir /sys/fs/cgroup/del; chown user /sys/fs/cgroup/del"
    owner = "stat -c %U /sys/fs/cgroup/del /sys/fs/cgroup/del/pids.max"
    assert said("cgroups", give, owner) == "user\nroot\n"
    refused = said("cgroups", give, "su user -c 'echo 9 > /sys/fs/cgroup/del/pids.max' 2>&1")
    assert "Permission denied" in refused
    mine = "su user -c 'mkdir /sys/fs/cgroup/del/mine; stat -c %U /sys/fs/cgroup/del/mine/pids.max'"
    handed = "su user -c 'echo +pids > /sys/fs/cgroup/del/cgroup.subtree_control' 2>&1"
    assert "Permission denied" in said("cgroups", give, handed)
    both = f"{give}; chown user /sys/fs/cgroup/del/cgroup.subtree_control"
    assert said("cgroups", both, handed, mine) == "user\n"
