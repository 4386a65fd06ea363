"""vzctl, vzlist and vzmigrate, typed on the host of two environments."""

import json

import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.engine.session import SimSession
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Returned


@pytest.fixture
def host() -> SimSession:
    return open_session(load_world(), parse_spec("openvz"))


def run(host: SimSession, line: str) -> tuple[int, str]:
    result = host.shell("host", line)
    assert isinstance(result, Returned), result
    data = result.data
    return result.value, data.decode() if isinstance(data, bytes) else str(data)


def ok(host: SimSession, line: str) -> str:
    status, text = run(host, line)
    assert status == 0, text
    return text


def test_the_session_s_own_sandboxes_are_listed(host: SimSession) -> None:
    assert ok(host, "vzlist -1").split() == ["101", "102"]
    assert ok(host, "vzctl status 101") == "CTID 101 exist mounted running\n"
    assert ok(host, "vzctl exec 101 hostname") == "ct101\n"


def test_a_container_goes_through_its_states(host: SimSession) -> None:
    ok(host, "vzctl create 110 --hostname web --ipadd 192.0.2.110")
    assert ok(host, "vzctl status 110") == "CTID 110 exist unmounted down\n"
    assert run(host, "vzctl create 110")[0] == 44
    assert "Container is mounted" in ok(host, "vzctl mount 110")
    assert run(host, "vzctl destroy 110")[0] == 41
    ok(host, "vzctl start 110")
    assert run(host, "vzctl start 110") == (32, "Container is already running\n")
    assert ok(host, "vzctl exec 110 hostname") == "web\n"
    assert run(host, "vzctl umount 110")[0] == 32
    assert "Container is unmounted" in ok(host, "vzctl stop 110")
    ok(host, "vzctl destroy 110")
    assert ok(host, "vzctl status 110") == "CTID 110 deleted unmounted down\n"


def test_a_command_s_own_status_is_exec2_s(host: SimSession) -> None:
    assert run(host, 'vzctl exec2 101 "exit 3"')[0] == 3
    assert run(host, 'vzctl exec 101 "exit 3"')[0] == 8
    ok(host, "vzctl stop 101")
    assert run(host, "vzctl exec 101 true") == (31, "Container is not running\n")


def test_a_limit_takes_hold_at_once_and_its_failures_are_counted(host: SimSession) -> None:
    assert "UB limits were set" in ok(host, "vzctl set 101 --numproc 4 --save")
    crowd = 'vzctl exec 101 "for i in 1 2 3 4 5 6; do sleep 9 & done" 2>&1'
    assert "Cannot allocate memory" in run(host, crowd)[1]
    held, _most, _barrier, limit, failed = ok(
        host, "vzlist -H -o numproc,numproc.m,numproc.b,numproc.l,numproc.f 101"
    ).split()
    assert int(held) <= int(limit) == 4
    assert int(failed) >= 1
    assert 'NUMPROC="4:4"' in ok(host, "cat /etc/vz/conf/101.conf")


def test_what_ran_runs_again_after_a_suspend(host: SimSession) -> None:
    ok(host, "vzctl create 110")
    ok(host, "vzctl start 110")
    ok(host, 'vzctl exec 110 "sleep 500 &"')
    assert "Checkpointing completed successfully" in ok(host, "vzctl suspend 110")
    assert ok(host, "vzctl status 110") == "CTID 110 exist unmounted down suspended\n"
    assert "Restoring completed successfully" in ok(host, "vzctl restore 110")
    assert "sleep 500" in ok(host, "vzctl exec 110 ps")


def test_running_containers_keep_what_needs_a_restart(host: SimSession) -> None:
    text = "Unable to set capability on a running container\n"
    assert run(host, "vzctl set 101 --capability sys_time:on --save") == (32, text)


@pytest.mark.parametrize(
    ("line", "status", "text"),
    [
        ("vzctl frob 101", 20, "Bad command: frob\n"),
        ("vzctl start", 21, "CT ID missing\n"),
        ("vzctl start x", 21, "Bad CT ID x\n"),
        ("vzctl start 999", 14, "Container config file does not exist\n"),
        ("vzctl set 101 --numproc x", 21, "Bad parameter for --numproc: x\n"),
        ("vzlist 999", 1, "Container(s) not found\n"),
        ("vzlist -o frob", 1, "Unknown field: frob\n"),
        ("vzmigrate foo 999", 10, "Error: CT #999 doesn't exist\n"),
    ],
)
def test_mistakes_are_told_as_the_real_tools_do(
    host: SimSession, line: str, status: int, text: str
) -> None:
    assert run(host, line) == (status, text)


def test_migration_ends_at_the_connection(host: SimSession) -> None:
    status, text = run(host, "vzmigrate --live foo.example 101")
    assert status == 4
    assert "Could not resolve hostname foo.example" in text
    assert "Can't connect to destination address" in text
    refused = run(host, "vzmigrate localhost 101")[1]
    assert "ssh: connect to host localhost port 22: Connection refused\n" in refused
    nobody = run(host, "vzmigrate root@192.0.2.99 101")[1]
    assert "ssh: connect to host 192.0.2.99 port 22: No route to host\n" in nobody


def test_vzlist_by_name_shows_the_name_where_there_is_one(host: SimSession) -> None:
    run(host, "vzctl set 101 --name web --save")
    lines = run(host, "vzlist -n")[1].splitlines()
    assert [line.split()[0] for line in lines] == ["SMARTNAME", "web", "102"]


def test_vzlist_tells_programs_in_json(host: SimSession) -> None:
    told = json.loads(run(host, "vzlist -j -o ctid,ip,numproc,name,swappages.l")[1])
    one = {"ctid": 101, "ip": ["192.0.2.101"], "numproc": 1, "name": None, "swappages.l": 131072}
    assert told[0] == one
    assert {row["status"] for row in json.loads(run(host, "vzlist -j")[1])} == {"running"}


def test_vzlist_cuts_what_is_longer_than_its_column_but_for_the_last(host: SimSession) -> None:
    run(host, "vzctl set 101 --description 'a description of more than thirty-two letters' --save")
    run(host, "vzctl set 101 --ipadd 192.0.2.7 --save")
    long = run(host, "vzlist -H -o description,ctid 101")[1]
    assert long == "a description of more than thirt        101\n"
    assert run(host, "vzlist -H -o ctid,description 101")[1].endswith("thirty-two letters\n")
    assert len(run(host, "vzlist -H -o ip,ctid 101")[1].split()) == 2


@pytest.mark.parametrize("spec", ["openvz", "vserver", "jail", "zone"])
def test_a_name_is_looked_up_on_kernels_without_getrandom(spec: str) -> None:
    old = open_session(load_world(), parse_spec(spec))
    assert "no servers could be reached" in run(old, "nslookup nowhere.example")[1]
