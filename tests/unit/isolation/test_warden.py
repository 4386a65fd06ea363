"""Warden: the daemon and its client on a simulated host, and the words of a SPEC."""

import msgspec
import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.engine.session import SimSession
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.mechanisms.uid_pool import UidPool
from simulator.isolation.technologies.base import SpecError
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Returned


@pytest.fixture
def session() -> SimSession:
    """A host whose init starts warden-server."""
    world = msgspec.structs.replace(load_world(), services=("warden",))
    return open_session(world, parse_spec("warden"))


def said(session: SimSession, line: str) -> str:
    result = session.shell("host", line)
    assert isinstance(result, Returned), result
    return result.data.decode()


def test_the_sessions_own_sandboxes_are_containers_too(session: SimSession) -> None:
    assert said(session, "warden -- list") == "handles[0] : guest\nhandles[1] : neighbour\n"


def test_a_job_runs_as_a_user_of_the_containers_own(session: SimSession) -> None:
    said(session, "warden -- create --handle web")
    output = said(session, "warden -- run --handle web --script 'id -u; pwd; exit 3'; echo $?")
    assert output == "10002\n/home/vcap\n3\n"
    assert said(session, "warden -- run --handle web --privileged --script 'id -u'") == "0\n"


def test_a_job_is_linked_later_and_then_forgotten(session: SimSession) -> None:
    said(session, "warden -- create --handle web")
    spawned = said(session, "warden -- spawn --handle web --script 'echo a; echo b >&2; exit 7'")
    assert spawned == "job_id : 1\n"
    linked = said(session, "warden -- link --handle web --job_id 1")
    assert linked == "exit_status : 7\nstdout : a\n\nstderr : b\n\n"
    assert said(session, "warden -- link --handle web --job_id 1") == "no such job\n"


def test_out_of_memory_stops_the_whole_container(session: SimSession) -> None:
    said(session, "warden -- create --handle web")
    said(session, "warden -- spawn --handle web --script 'sleep 1000'")
    said(session, "warden -- limit_memory --handle web --limit_in_bytes 8388608")
    said(session, "warden -- run --handle web --script 'head -c 20000000 /dev/zero > /dev/shm/x'")
    said(session, "sleep 3")
    info = said(session, "warden -- info --handle web")
    assert info.startswith("state : stopped\nevents[0] : out of memory\n")
    assert "job_ids" not in info


def test_a_destroyed_container_leaves_nothing(session: SimSession) -> None:
    said(session, "warden -- create --handle web; warden -- destroy --handle web")
    assert said(session, "ls /tmp/warden/containers") == "guest\nneighbour\n"
    assert "instance-1" not in said(session, "ls /tmp/warden/cgroup/memory")
    assert said(session, "warden -- info --handle web") == "unknown handle\n"


def test_files_go_in_and_out(session: SimSession) -> None:
    said(session, "warden -- create --handle web; echo hello > /tmp/f")
    said(session, "warden -- copy_in --handle web --src_path /tmp/f --dst_path /tmp/g")
    assert said(session, "warden -- run --handle web --script 'cat /tmp/g'") == "hello\n"
    said(session, "warden -- copy_out --handle web --src_path /tmp/g --dst_path /tmp/h")
    assert said(session, "cat /tmp/h") == "hello\n"


def test_a_job_starts_no_more_processes_than_its_limit(session: SimSession) -> None:
    said(session, "warden -- create --handle web")
    script = "sleep 9 & sleep 9 & sleep 9 & sleep 9 & wait"
    command = f"warden -- run --handle web --rlimits.nproc 3 --script '{script}'"
    assert "Resource temporarily unavailable" in said(session, command)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("-- nonsense", "Command: 'nonsense' is non-existent.\n"),
        ("-- create --bogus", "In flag: '--bogus', the field: 'bogus' is invalid.\n"),
        ("-- run --handle x --script true", "unknown handle\n"),
        ("-- create --rootfs /nowhere", "rootfs /nowhere not found\n"),
    ],
)
def test_a_mistake_is_a_line(session: SimSession, command: str, answer: str) -> None:
    assert said(session, f"warden {command}") == answer


def test_two_daemons_know_nothing_of_each_other(session: SimSession) -> None:
    change = "s#/tmp/warden.sock#/tmp/two.sock#; s#warden/containers#two#; s#10.254#10.253#"
    said(session, f"sed '{change}' /etc/warden/linux.yml > /tmp/two.yml")
    said(session, "warden-server /tmp/two.yml & sleep 1")
    said(session, "warden --socket /tmp/two.sock -- create --handle other")
    assert said(session, "warden --socket /tmp/two.sock -- list") == "handles[0] : other\n"
    assert "other" not in said(session, "warden -- list")


def test_a_spec_takes_wardens_words() -> None:
    jobs = parse_spec("warden privileged: false limit_memory=64M rlimits.nproc=20")
    pool = jobs.get("uid-pool")
    assert isinstance(pool, UidPool)
    assert pool.runs
    with pytest.raises(SpecError, match="privileged"):
        parse_spec("warden priviledged: true")
    with pytest.raises(SpecError, match="true or false"):
        parse_spec("warden privileged: perhaps")


def test_a_job_runs_in_the_sessions_own_sandbox(session: SimSession) -> None:
    said(session, "echo out > /tmp/word; warden -- copy_in --handle guest --src_path /tmp/word"
         " --dst_path /tmp/word")  # fmt: skip
    output = said(
        session, "warden -- run --handle guest --script 'id -un; hostname; cat /tmp/word'"
    )
    assert output == "vcap\nguest\nout\n"
    assert said(session, "warden -- run --handle guest --script 'exit 4'; echo $?") == "4\n"
    assert said(session, "warden -- run --handle neighbour --script hostname") == "neighbour\n"


def test_the_disk_limit_has_every_field_of_the_protocol(session: SimSession) -> None:
    said(session, "warden -- create --handle web")
    assert said(session, "warden -- limit_disk --handle web --byte_limit 1000; echo $?") == "0\n"
    refused = said(session, "warden -- limit_disk --handle web --bytes 1000")
    assert refused == "In flag: '--bytes', the field: 'bytes' is invalid.\n"
