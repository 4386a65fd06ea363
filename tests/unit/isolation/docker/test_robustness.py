"""What no client should send, at every route, and what must be left behind: nothing."""

import json
from typing import Any

import pytest

from simulator.isolation.control.docker import daemon
from simulator.isolation.control.docker.wire import router
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs.fd import File
from tests.unit.isolation.docker.engine_client import Client

assert daemon, "importing it enters the routes"
WRONG: tuple[tuple[str, bytes], ...] = (
    ("no JSON", b"{"),
    ("a list", b"[1]"),
    ("a number", b"7"),
    ("no UTF-8", b'"\xff\xfe"'),
    ("deep", b"[" * 100_000),
)
SWAPPED = b'{"Name": 7, "Image": [], "Cmd": 5, "Container": {}, "HostConfig": "x", "Detach": "no",'
SWAPPED += b'"Memory": "much", "Driver": 1, "username": [], "RestartPolicy": 3, "Env": {"a": 1}}'


@pytest.fixture(scope="module")
def engine() -> Client:
    client = Client()
    client.post("/images/create", fromImage="busybox", tag="latest")
    client.post("/containers/create", {"Image": "busybox", "Cmd": ["true"]}, name="x")
    client.post("/networks/create", {"Name": "x"})
    return client


def _places(method: str) -> list[str]:
    """A path of every route with ``method``."""
    found: list[str] = []
    for one in router.routes():
        if one.method == method:
            text = one.pattern.pattern.replace("/?", "")
            while "(" in text:
                before, _, rest = text.partition("(")
                inside, _, after = rest.partition(")")
                word = "x" if inside.startswith("?P") else inside.partition("|")[0]
                text = before + word + after
            found.append(text)
    return found


def _sane(answer: Any, method: str) -> None:
    # A real engine has 500 for a body that is no archive, and so has this one.
    no_archive = b"Error processing tar file" in answer.body
    assert answer.status < 500 or answer.status in (501, 503) or no_archive, answer
    if answer.status >= 400 and method != "HEAD":
        assert answer.message
        assert "Traceback" not in answer.message
        assert "internal error" not in answer.message


@pytest.mark.parametrize("place", sorted(set(_places("POST") + _places("PUT"))))
def test_a_wrong_body_gets_an_answer_and_a_message(engine: Client, place: str) -> None:
    method = "PUT" if place in _places("PUT") else "POST"
    for _name, body in (*WRONG, ("swapped", SWAPPED)):
        for kind in ("application/json", "text/html"):
            answer = engine.ask(method, place, raw=body, kind=kind)
            _sane(answer, method)
    assert engine.get("/_ping").status == 200


@pytest.mark.parametrize("place", sorted(set(_places("GET") + _places("DELETE"))))
def test_a_wrong_query_gets_an_answer_and_a_message(engine: Client, place: str) -> None:
    if place == "/events":
        pytest.skip("its answer has no end")
    method = "GET" if place in _places("GET") else "DELETE"
    for filters in ("[", "7", '{"label": 3}', json.dumps({"nosuch": ["1"]}), '{"a": {"b": "c"}}'):
        _sane(
            engine.ask(method, place, filters=filters, limit="x", since="y", tail="z", stream="0"),
            method,
        )
    assert engine.get("/_ping").status == 200


@pytest.mark.parametrize(
    "text",
    [
        b"\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /_ping HTTP/9.9\r\n\r\n",
        b"GET /_ping HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /auth HTTP/1.1\r\nHost: x\r\nContent-Length: minus\r\n\r\n",
        b"GET /_ping HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 2_000_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_400(engine: Client, text: bytes) -> None:
    fd = engine.send(text)
    assert engine.receive(fd).startswith(b"HTTP/1.1 4")
    engine.machine.call("close", fd)
    engine.settle()
    assert engine.get("/_ping").status == 200


def _rows(engine: Client) -> dict[str, int]:
    store = engine.machine.kernel.store
    return {table.__name__: len(list(store.all(table))) for table in (Task, File)}


@pytest.mark.parametrize(
    "request_", [b"POST /build HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\nhalf",
                 b"POST /images/create?fromImage=alpine HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"POST /containers/x/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"GET /containers/x/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n"],
    ids=["build", "pull", "attach", "logs", "events"],
)  # fmt: skip
def test_a_client_that_is_cut_off_leaves_nothing(engine: Client, request_: bytes) -> None:
    before = _rows(engine)
    fd = engine.send(request_)
    engine.machine.turn(20)
    engine.machine.call("close", fd)
    engine.settle()
    assert engine.get("/_ping").status == 200
    assert _rows(engine) == before


def test_many_containers_networks_and_volumes_leave_no_rows(engine: Client) -> None:
    def all_of_it(count: int) -> None:
        made = [engine.post("/containers/create", {"Image": "busybox", "Cmd": ["true"]})
                for _ in range(count)]  # fmt: skip
        nets = [engine.post("/networks/create", {"Name": f"many-{at}"}) for at in range(count // 2)]
        vols = [engine.post("/volumes/create", {"Name": f"many-{at}"}) for at in range(count)]
        assert {one.status for one in (*made, *nets, *vols)} == {201}
        for one in made:
            assert engine.ask("DELETE", f"/containers/{one.json()['Id']}").status == 204
        for one in nets:
            assert engine.ask("DELETE", f"/networks/{one.json()['Id']}").status == 204
        for one in vols:
            assert engine.ask("DELETE", f"/volumes/{one.json()['Name']}").status == 204

    def counts() -> dict[str, int]:
        return {
            table.__name__: len(rows)
            for table, rows in engine.machine.kernel.store.tables.items()
        }  # fmt: skip

    all_of_it(2)
    before = counts()
    all_of_it(10)
    assert counts() == before


def test_a_full_disk_refuses_in_the_kernels_words_and_can_be_cleaned_up(engine: Client) -> None:
    """A container fills the daemon's disk and ends; nothing waits for ever, and ``rm`` helps."""
    fill = "dd if=/dev/zero of=/big bs=1M count=90000 2>/dev/null; echo $?; dd if=/dev/zero of=/b"
    full = engine.run("sh", "-c", fill, name="full")
    assert engine.post(f"/containers/{full}/wait").json() == {"StatusCode": 1}
    refused = engine.post("/containers/create", {"Image": "busybox", "Cmd": ["true"]}, name="late")
    assert refused.status == 500
    assert "no space left on device" in refused.message
    assert engine.get("/containers/late/json").status == 404
    assert engine.get(f"/containers/{full}/json").json()["State"]["Status"] == "exited"
    assert engine.post(f"/containers/{full}/rename", name="filled").status == 500
    assert engine.get("/containers/filled/json").status == 404
    assert engine.post("/networks/create", {"Name": "late"}).status == 500
    assert engine.get("/networks/late").status == 404
    assert engine.post("/volumes/create", {"Name": "late"}).status == 500
    assert engine.get("/volumes/late").status == 404
    assert b"no space left on device" in engine.post("/images/create", fromImage="redis").body
    assert engine.delete(f"/containers/{full}").status == 204
    assert b"errorDetail" not in engine.post("/images/create", fromImage="redis").body
    late = engine.run("true", name="late")
    assert engine.post(f"/containers/{late}/wait").json() == {"StatusCode": 0}
    assert engine.delete(f"/containers/{late}").status == 204
