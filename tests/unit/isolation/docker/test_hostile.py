"""Bytes, fields and archives that no client should send: each gets the Engine's answer."""

import gzip
import io
import tarfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from simulator.isolation.control.docker.engine.config import CreateRequest
from simulator.machine.abi.call import Call, Returned
from simulator.machine.abi.constants import MSG_DONTWAIT
from simulator.machine.kernel.boot import INIT
from tests.unit.isolation.docker.engine_client import Client

_HOST = b"Host: x\r\n"
_GET = b"GET /_ping HTTP/1.1\r\n" + _HOST
_POST = b"POST /auth HTTP/1.1\r\n" + _HOST
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"
WIRE: tuple[tuple[bytes, int], ...] = (
    (_CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n", 400),
    (_CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n", 400),
    (_CHUNKED + b"2\r\n{}xx0\r\n\r\n", 400),
    (_POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 401),
    (_POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    (_POST + b"Content-Length: -2\r\n\r\n{}", 400),
    (_POST + b"Content-Length: +2\r\n\r\n{}", 400),
    (_POST + b"Content-Length: 99999999999999999999999\r\n\r\n{}", 400),
    (_POST + b"Expect: a dance\r\nContent-Length: 2\r\n\r\n{}", 417),
    (_GET + b"Host: y\r\n\r\n", 400),
    (_GET + b"A : b\r\n\r\n", 400),
    (_GET + b": b\r\n\r\n", 400),
    (_GET + b"A: b\0c\r\n\r\n", 400),
    (_GET + b"A: b\r\n c\r\n\r\n", 200),
    (b"GET /_ping\0 HTTP/1.1\r\n" + _HOST + b"\r\n", 400),
    (b"GET http://[x/_ping HTTP/1.1\r\n" + _HOST + b"\r\n", 400),
    (b"GET /v1." + b"9" * 5000 + b"/_ping HTTP/1.1\r\n" + _HOST + b"\r\n", 400),
    (b"GET /containers/%2e%2e%2fetc/json HTTP/1.1\r\n" + _HOST + b"\r\n", 404),
    (b"GET /containers/json?%zz=1&a=%ff;b HTTP/1.1\r\n" + _HOST + b"\r\n", 200),
    (b"GET /" + b"a" * 2_000_000 + b" HTTP/1.1\r\n" + _HOST + b"\r\n", 431),
    (bytes.fromhex("16030100f8010000f40303") + b"\0" * 200, 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
)


def _status(got: bytes) -> int:
    return int(got[9:12]) if got.startswith(b"HTTP/1.1 ") else 0


def test_malformed_requests_get_gos_answers(engine: Client) -> None:
    for data, status in WIRE:
        fd = engine.send(data)
        engine.settle()
        got = engine.machine.call("recvfrom", fd, 65536, MSG_DONTWAIT)
        assert isinstance(got, Returned), data[:80]
        assert _status(got.data or b"") == status, (data[:80], got)
        engine.machine.call("close", fd)
    engine.settle()
    assert engine.get("/_ping").status == 200


def test_hundreds_who_never_finish_their_head_bar_nobody(engine: Client) -> None:
    slow = [engine.send(b"GET /_ping HT") for _ in range(300)]
    engine.settle()
    assert engine.get("/_ping").status == 200
    for fd in slow:
        engine.machine.call("close", fd)
    engine.settle()


# -- fields

HOSTILE = ("", "\0", "/", "..", "../../etc", "a" * 3000, "'\"\n`$(x)", "ü{}", "-1", "9" * 20,
           "a:b:c:d", "container:x", "80/tcp/udp", "%s%n", "seccomp={", "c 1:3 rwm")  # fmt: skip
WRONG: tuple[Any, ...] = (None, 7, -1.5, 1 << 70, True, "x", [], [None], {}, {"": {}}, [{"a": 7}])


def _values(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Values of a field's type, most of them absurd."""
    match kind:
        case inspect.UnionType(types=types):
            return st.one_of(*map(_values, types))
        case inspect.StrType():
            return st.sampled_from(HOSTILE)
        case inspect.IntType():
            return st.sampled_from((-(1 << 63), -1, 0, 1, 1 << 31, (1 << 63) - 1, 1 << 64))
        case inspect.BoolType():
            return st.booleans()
        case inspect.ListType(item_type=item):
            return st.lists(_values(item), max_size=3)
        case inspect.DictType(value_type=value):
            return st.dictionaries(st.sampled_from(("80/tcp", "/x", *HOSTILE)), _values(value),
                                   max_size=2)  # fmt: skip
        case inspect.StructType(fields=fields):
            return st.sampled_from(fields).flatmap(_one_field)
        case _:
            return st.sampled_from(WRONG)


def _one_field(field: inspect.Field) -> st.SearchStrategy[Any]:
    values = st.one_of(_values(field.type), _values(field.type), st.sampled_from(WRONG))
    return values.map(lambda value: {field.encode_name: value})


@settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(_values(inspect.type_info(CreateRequest)))
def test_no_field_of_a_new_container_breaks_the_engine(engine: Client, field: Any) -> None:
    answer = engine.post("/containers/create", {"Image": "busybox", "Cmd": ["true"]} | field)
    if answer.status != 201:
        # What mkdir(2) says of a volume's name with a NUL is the system's error: 500 in moby too
        assert answer.status in (400, 403, 404, 409) or "invalid argument" in answer.message
        return
    made = answer.json()["Id"]
    assert engine.get(f"/containers/{made}/json").status == 200
    started = engine.post(f"/containers/{made}/start")
    assert started.status == 204 or started.message != "internal error", field
    assert engine.delete(f"/containers/{made}", force=1).status in (204, 404)


# -- archives


def _archive(*members: tuple[str, dict[str, Any], bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, fields, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in fields.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _link(name: str, target: str) -> tuple[str, dict[str, Any], bytes]:
    return name, {"type": tarfile.SYMTYPE, "linkname": target}, b""


_HUGE = tarfile.TarInfo("big")
_HUGE.size = 1 << 50
ARCHIVES: dict[str, bytes] = {
    "a name that climbs": _archive(("../../etc/evil", {}, b"x")),
    "an absolute name": _archive(("/etc/evil", {}, b"x")),
    "a link that leaves": _archive(_link("l", "/etc"), ("l/evil", {}, b"x")),
    "a link that climbs": _archive(_link("l", "../../../../../../etc"), ("l/evil", {}, b"x")),
    "a hard link out": _archive(
        ("h", {"type": tarfile.LNKTYPE, "linkname": "../../../../../../etc/passwd"}, b"")
    ),
    "links in a circle": _archive(_link("a", "b"), _link("b", "a"), ("a/x", {}, b"y")),
    "a device": _archive(("d", {"type": tarfile.BLKTYPE, "devmajor": 8, "devminor": 0}, b"")),
    "an unknown kind": _archive(("p", {"type": b"Z"}, b"")),
    "absurd owners": _archive(("s", {"uid": 1 << 40, "gid": 1 << 40, "mtime": 1e18}, b"x")),
    "a size beyond the disk": _HUGE.tobuf(tarfile.GNU_FORMAT) + b"x" * 512,
    "cut off": _archive(("f", {}, b"x"))[:700],
    "no archive": b"this is no archive at all" * 50,
    "half a gzip": gzip.compress(_archive(("f", {}, b"x")))[:-20],
    "a file over its own directory": _archive(("", {}, b"x"), (".", {}, b"x")),
    "a file and below it": _archive(("a", {}, b"x"), ("a/b", {}, b"y")),
    "whiteouts": _archive((".wh..wh..opq", {}, b""), (".wh.etc", {}, b""), (".wh...", {}, b"")),
    "long names": _archive(("a" * 5000, {}, b"x")),
}


_DOCKERFILE = _archive(("Dockerfile", {}, b"FROM busybox\nCOPY . /c\n"))


def _with_dockerfile(content: bytes) -> bytes:
    """One more member before the others, which are as wrong as they were."""
    return _DOCKERFILE[:1024] + content


def _host_file(engine: Client, path: str) -> bool:
    return isinstance(engine.machine.kernel.call(INIT, Call("stat", (path,))), Returned)


@pytest.mark.parametrize("what", ARCHIVES)
def test_no_archive_leaves_its_root_or_breaks_the_engine(engine: Client, what: str) -> None:
    content = ARCHIVES[what]
    name = f"tar-{list(ARCHIVES).index(what)}"
    engine.create("true", name=name)
    answers = [
        engine.ask("PUT", f"/containers/{name}/archive", raw=content, path="/tmp"),
        engine.ask("POST", "/images/create", raw=content, fromSrc="-", repo=name),
        engine.ask("POST", "/images/load", raw=content),
        engine.ask("POST", "/build", raw=_with_dockerfile(content)),
    ]
    for answer in answers:
        refused = b"Error processing tar file(exit status 1): " in answer.body
        assert answer.status in (200, 400) or refused, answer
        assert b"internal error" not in answer.body
    assert not _host_file(engine, "/etc/evil")
    assert engine.ask("HEAD", f"/containers/{name}/archive", path="/tmp").status == 200
    assert engine.delete(f"/containers/{name}").status == 204
