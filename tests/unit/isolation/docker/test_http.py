"""The wire: versions, malformed requests, sizes."""

import pytest
from engine_client import Client

from simulator.isolation.control.docker.images import reference
from simulator.isolation.control.docker.wire import router


def test_ping_says_what_a_client_wants_to_know(engine: Client) -> None:
    answer = engine.get("/v1.24/_ping".replace("/v1.24", "/v1.41"))
    assert answer.body == b"OK"
    assert answer.headers["api-version"] == router.API_VERSION
    assert answer.headers["ostype"] == "linux"
    assert answer.headers["docker-experimental"] == "false"
    head = engine.ask("HEAD", "/_ping")
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(("version", "words"), [("1.10", "is too old"), ("1.99", "is too new")])
def test_versions_are_negotiated(engine: Client, version: str, words: str) -> None:
    answer = engine.get(f"/v{version}/version")
    assert answer.status == 400
    assert words in answer.message
    assert engine.get("/v1.24/version").json()["ApiVersion"] == router.API_VERSION


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x01\x02\xff\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_a_400(engine: Client, data: bytes) -> None:
    answer = engine.drain(engine.send(data))
    assert answer.startswith(b"HTTP/1.1 400 Bad Request")


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'{"Image": 7}', b'{"Cmd": {"a": 1}}', b"\xff\xfe", b"[" * 5000]
)
def test_what_is_no_configuration_gets_a_400(engine: Client, raw: bytes) -> None:
    head = "POST /v1.47/containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    answer = engine.drain(engine.send(head.encode() + raw))
    assert answer.startswith(b"HTTP/1.1 400 Bad Request")
    assert b'"message":"invalid JSON: ' in answer


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{", "invalid JSON: unexpected EOF"),
        (b"x", "invalid JSON: invalid character 'x' looking for beginning of value"),
        (
            b'{"Image": 7}',
            "invalid JSON: json: cannot unmarshal number into Go struct field CreateRequest.Image"
            " of type string",
        ),
        (
            b'{"Image": "a", "HostConfig": {"Memory": "x"}}',
            "invalid JSON: json: cannot unmarshal string into Go struct field"
            " HostConfig.HostConfig.Memory of type int64",
        ),
        (
            b'{"Image": "a", "HostConfig": {"Memory": 99999999999999999999}}',
            "invalid JSON: json: cannot unmarshal number 99999999999999999999 into Go value of"
            " type int64",
        ),
        (b"{}", "config cannot be empty in order to create a container"),
        (b"null", "config cannot be empty in order to create a container"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_told_in_gos_words(
    engine: Client, raw: bytes, words: str
) -> None:
    answer = engine.ask("POST", "/containers/create", raw=raw, kind="application/json")
    assert (answer.status, answer.message) == (400, words)


def test_a_body_that_is_too_large_gets_a_400(engine: Client) -> None:
    size = 9 << 20
    head = "POST /v1.47/containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    answer = engine.drain(engine.send(head.encode() + b" " * size))
    assert answer.startswith(b"HTTP/1.1 400 Bad Request")


def test_unknown_paths_and_queries(engine: Client) -> None:
    assert engine.get("/nothing").message == "page not found"
    assert engine.post("/_ping").status == 404
    answer = engine.post("/containers/x/resize", h="many", w="1")
    assert answer.status in (400, 404)
    assert engine.get("/containers/json", limit="many").status == 400


def test_fifty_clients_at_once(engine: Client) -> None:
    ask = b"GET /v1.47/info HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    fds = [engine.send(ask) for _ in range(50)]
    assert all(engine.drain(fd).startswith(b"HTTP/1.1 200 OK") for fd in fds)


@pytest.mark.parametrize(
    ("text", "familiar", "tag"),
    [
        ("busybox", "busybox", ""),
        ("library/busybox:1", "busybox", "1"),
        ("index.docker.io/library/a", "a", ""),
        ("localhost:5000/a/b:2", "localhost:5000/a/b", "2"),
    ],
)
def test_references(text: str, familiar: str, tag: str) -> None:
    found = reference.parse(text)
    assert (found.familiar, found.tag) == (familiar, tag)
