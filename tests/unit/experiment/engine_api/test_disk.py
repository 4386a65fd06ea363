"""What the engine has acknowledged outlives it: images, containers, volumes, by a journal."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "isolation" / "docker"))

from engine_client import REALTIME, Client

from simulator.experiment.engine_api.disk import DiskFile, StateError
from simulator.experiment.engine_api.machine import Machine


def machine(path: Path) -> tuple[Client, DiskFile]:
    disk = DiskFile(path)
    client = Client(Machine(REALTIME, disk.restore))
    disk.begin(client.machine.kernel)
    return client, disk


def test_a_new_machine_finds_what_the_old_one_acknowledged(tmp_path: Path) -> None:
    client, disk = machine(tmp_path / "state")
    client.pull()
    host = {"Binds": ["kept:/data"]}
    client.wait(
        client.run("sh", "-c", "echo x > /data/f; echo y > /y", HostConfig=host, name="one")
    )
    always = {"RestartPolicy": {"Name": "always"}}
    client.run("sleep", "1000", name="service", HostConfig=always)
    client.post("/networks/create", {"Name": "ours"})
    disk.flush()
    client.create("true", name="lost")  # nobody was told of it

    again, _ = machine(tmp_path / "state")
    told = {one["Names"][0]: one["State"] for one in again.get("/containers/json", all=1).json()}
    assert told == {"/one": "exited", "/service": "running"}
    made = again.run("cat", "/data/f", HostConfig=host)
    assert again.wait(made) == 0
    assert again.logs(made) == b"x\n"
    assert "ours" in {one["Name"] for one in again.get("/networks").json()}
    changes = again.get("/containers/one/changes").json()
    assert {"Path": "/y", "Kind": 1} in changes


def test_a_batch_that_was_cut_off_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "state"
    client, disk = machine(path)
    client.pull()
    disk.flush()
    whole = path.read_bytes()
    client.post("/volumes/create", {"Name": "late"})
    disk.flush()
    longer = path.read_bytes()
    for cut in (len(whole) + 3, len(longer) - 1):
        path.write_bytes(longer[:cut])
        again, _ = machine(path)
        assert again.get("/volumes").json()["Volumes"] == []
        assert again.get("/images/busybox/json").status == 200


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text("hello")
    with pytest.raises(StateError, match="no state of an engine"):
        machine(path)


def _told(place: str, body: dict[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    head = f"POST /v1.47{place} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def test_fifty_clients_that_change_things_at_once(tmp_path: Path) -> None:
    engine, disk = machine(tmp_path / "state")
    engine.pull()
    asked = [_told("/networks/create", {"Name": f"once-{at}"}) for at in range(20)]
    asked += [_told("/networks/create", {"Name": "once-1"}) for _ in range(5)]
    asked += [_told("/volumes/create", {"Name": f"once-{at % 5}"}) for at in range(20)]
    asked += [_told("/containers/create?name=once", {"Image": "busybox"}) for _ in range(5)]
    fds = [engine.send(one) for one in asked]
    statuses = [int(engine.drain(fd)[9:12]) for fd in fds]
    assert statuses[:25].count(201) == 20
    assert statuses[:25].count(409) == 5
    assert statuses[25:45] == [201] * 20
    assert sorted(statuses[45:]) == [201, 409, 409, 409, 409]
    nets = [one for one in engine.get("/networks").json() if one["Name"].startswith("once-")]
    assert len({one["IPAM"]["Config"][0]["Subnet"] for one in nets}) == 20
    disk.flush()
    again, _ = machine(tmp_path / "state")
    for place in ("/networks", "/volumes"):
        assert len(_listed(again, place)) == len(_listed(engine, place))


def _listed(engine: Client, place: str) -> list[Any]:
    told = engine.get(place).json()
    return told["Volumes"] if place == "/volumes" else told
