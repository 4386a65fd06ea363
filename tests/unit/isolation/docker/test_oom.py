"""OOMKilled and the event ``oom``: the engine is told by the kernel, not by the exit status."""

import json

import pytest
from engine_client import REALTIME, Client

from simulator.experiment.engine_api.hosts import HOSTS
from simulator.experiment.engine_api.machine import Machine
from simulator.machine.kernel import clock

LIMIT = {"Memory": 20 << 20, "MemorySwap": 20 << 20}
HOST_OF_VERSION = {"2": "debian", "1": "ubuntu-20.04"}
EATS = "dd if=/dev/zero of=/dev/null bs=64M count=1"


@pytest.fixture(scope="module", params=sorted(HOST_OF_VERSION))
def engine(request: pytest.FixtureRequest) -> Client:
    """A machine of each version of control groups."""
    client = Client(Machine(REALTIME, host=HOSTS[HOST_OF_VERSION[request.param]]))
    assert client.get("/info").json()["CgroupVersion"] == request.param
    client.pull()
    return client


def told(engine: Client, name: str) -> list[str]:
    time = clock.clock(engine.machine.kernel.store)
    now = (time.monotonic + time.realtime_offset) // 1_000_000_000 + 1
    body = engine.get("/events", since=1, until=now, filters={"container": [name]}).body
    actions = [json.loads(line)["Action"] for line in body.splitlines()]
    return [action for action in actions if action in ("oom", "die")]


def test_it_is_told_of_a_child_while_the_container_lives(engine: Client) -> None:
    made = engine.run("sh", "-c", f"sleep 1; {EATS}; sleep 1000", name="lives", HostConfig=LIMIT)
    engine.machine.advance(1_500_000_000)
    engine.settle()
    state = engine.get(f"/containers/{made}/json").json()["State"]
    assert (state["Running"], state["OOMKilled"], state["ExitCode"]) == (True, True, 0)
    assert engine.post("/containers/lives/restart", t=0).status == 204
    assert not engine.get(f"/containers/{made}/json").json()["State"]["OOMKilled"]


def test_oom_comes_before_die(engine: Client) -> None:
    made = engine.run("sh", "-c", f"{EATS}; sleep 1; exec {EATS}", name="dies", HostConfig=LIMIT)
    assert engine.wait(made) == 137
    state = engine.get(f"/containers/{made}/json").json()["State"]
    assert (state["Running"], state["OOMKilled"]) == (False, True)
    assert told(engine, "dies") == ["oom", "oom", "die"]


def test_a_kill_is_no_oom(engine: Client) -> None:
    made = engine.run("sleep", "1000", name="killed", HostConfig=LIMIT)
    engine.post("/containers/killed/kill")
    assert engine.wait(made) == 137
    assert not engine.get(f"/containers/{made}/json").json()["State"]["OOMKilled"]
    assert told(engine, "killed") == ["die"]
