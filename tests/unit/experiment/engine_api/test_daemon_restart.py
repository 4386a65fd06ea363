"""An engine that begins anew on the disk of one that was killed: moby ``daemon.go`` restore()."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "isolation" / "docker"))

from engine_client import REALTIME, Client

from simulator.experiment.engine_api.disk import DiskFile
from simulator.experiment.engine_api.machine import Machine

SECOND = 1_000_000_000
SLEEP = ("sleep", "1000")


def machine(path: Path) -> tuple[Client, DiskFile]:
    disk = DiskFile(path)
    client = Client(Machine(REALTIME, disk.restore))
    disk.begin(client.machine.kernel)
    return client, disk


def policy(name: str, most: int = 0) -> dict[str, Any]:
    return {"RestartPolicy": {"Name": name, "MaximumRetryCount": most}}


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Client:
    path = tmp_path_factory.mktemp("engine") / "state"
    client, disk = machine(path)
    client.pull()
    for name in ("no", "always", "unless-stopped", "on-failure"):
        client.run(*SLEEP, name=f"{name}-up", HostConfig=policy(name))
        client.run(*SLEEP, name=f"{name}-stopped", HostConfig=policy(name))
        assert client.post(f"/containers/{name}-stopped/stop", t=0).status == 204
    client.run("sh", "-c", "exit 3", name="tried", HostConfig=policy("on-failure", 1))
    client.machine.advance(3 * SECOND)
    client.wait(client.run("true", name="succeeded", HostConfig=policy("on-failure")))
    client.create(*SLEEP, name="never-begun", HostConfig=policy("always"))
    client.run(*SLEEP, name="passing", HostConfig={"AutoRemove": True})
    client.run(*SLEEP, name="paused-up", HostConfig=policy("always"))
    assert client.post("/containers/paused-up/pause").status == 204
    client.post("/networks/create", {"Name": "ours", "Labels": {"of": "us"}})
    client.post("/volumes/create", {"Name": "kept", "Labels": {"of": "us"}})
    host = policy("always") | {
        "NetworkMode": "ours", "Binds": ["kept:/data"], "Memory": 20 << 20,
        "PortBindings": {"80/tcp": [{"HostPort": "8080"}]},
    }  # fmt: skip
    client.run(
        "sh", "-c", "hostname >> /data/begun; sleep 1000", name="served", Hostname="served",
        Labels={"of": "us"}, ExposedPorts={"80/tcp": {}}, HostConfig=host,
    )  # fmt: skip
    client.settle()
    disk.flush()  # and here it is killed
    again, _disk = machine(path)
    again.machine.advance(SECOND)
    return again


def state(client: Client, name: str) -> dict[str, Any]:
    return client.get(f"/containers/{name}/json").json()["State"]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("no-up", "exited"),
        ("no-stopped", "exited"),
        ("always-up", "running"),
        ("always-stopped", "running"),  # a stop holds only until the daemon begins anew
        ("unless-stopped-up", "running"),
        ("unless-stopped-stopped", "exited"),
        ("on-failure-up", "running"),  # the daemon's end is a failure: status 255
        ("on-failure-stopped", "running"),  # and so is 137, whoever asked for it
        ("tried", "exited"),  # as often as it may
        ("succeeded", "exited"),
        ("never-begun", "created"),
        ("paused-up", "running"),
    ],
)
def test_whom_a_new_daemon_starts_again(restarted: Client, name: str, status: str) -> None:
    assert state(restarted, name)["Status"] == status


def test_what_ran_has_ended_with_255(restarted: Client) -> None:
    told = state(restarted, "no-up")
    assert (told["ExitCode"], told["Pid"], told["Running"]) == (255, 0, False)
    assert state(restarted, "no-stopped")["ExitCode"] == 137
    assert restarted.get("/containers/tried/json").json()["RestartCount"] == 1


def test_what_was_to_be_removed_is(restarted: Client) -> None:
    assert restarted.get("/containers/passing/json").status == 404


def test_what_comes_again_is_what_it_was(restarted: Client) -> None:
    told = restarted.get("/containers/served/json").json()
    assert told["Config"]["Labels"]["of"] == "us"
    assert told["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"] == "8080"
    network = restarted.get("/networks/ours").json()
    assert network["Labels"] == {"of": "us"}
    address = told["NetworkSettings"]["Networks"]["ours"]["IPAddress"]
    assert address == network["Containers"][told["Id"]]["IPv4Address"].partition("/")[0]
    assert restarted.get("/volumes/kept").json()["Labels"] == {"of": "us"}
    assert restarted.execute("served", "cat", "/data/begun") == b"served\nserved\n"
    assert restarted.execute("served", "cat", "/sys/fs/cgroup/memory.max") == b"20971520\n"


def test_a_second_restart_begins_with_what_the_first_one_left(tmp_path: Path) -> None:
    client, disk = machine(tmp_path / "state")
    client.pull()
    client.run(*SLEEP, name="one", HostConfig=policy("unless-stopped"))
    disk.flush()
    second, disk = machine(tmp_path / "state")
    assert state(second, "one")["Running"]
    assert second.post("/containers/one/stop", t=0).status == 204
    disk.flush()
    third, _disk = machine(tmp_path / "state")
    third.machine.advance(SECOND)
    assert state(third, "one")["Status"] == "exited"
