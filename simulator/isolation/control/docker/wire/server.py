"""Serving a connection: request after request, until the client has had enough."""

from http import HTTPStatus
from typing import TYPE_CHECKING

import h11
import msgspec

from simulator.isolation.control.docker.api.errors import (
    ApiError,
    BadRequest,
    NotImplementedHere,
    of_kernel,
)
from simulator.isolation.control.docker.engine import strangers
from simulator.isolation.control.docker.wire import router
from simulator.isolation.control.docker.wire.exchange import Connection, Exchange, Gone
from simulator.machine.abi.constants import SHUT_RDWR
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.runtime import GapError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_MALFORMED = 400
_TOO_LARGE = 431
_EXPECTATION = 417


def _refusal(status: int) -> bytes:
    """What net/http says to what is no request (``server.go``)."""
    line = f"{status} {HTTPStatus(status).phrase}"
    head = f"HTTP/1.1 {line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close"
    return f"{head}\r\n\r\n{line}".encode()


async def serve(sys: Process, engine: "Engine", fd: int) -> None:
    """Answer what comes over ``fd``, then close it."""
    connection = Connection(fd)
    try:
        while await _one(sys, engine, connection):
            connection.http.start_next_cycle()
    except (Gone, h11.LocalProtocolError):  # it has gone, or an answer was cut short
        pass
    await sys.succeeds("shutdown", fd, SHUT_RDWR)
    await sys.succeeds("close", fd)


async def _one(sys: Process, engine: "Engine", connection: Connection) -> bool:
    """One request; whether another may follow on the connection."""
    try:
        event = await connection.event(sys)
    except h11.RemoteProtocolError as error:
        large = error.error_status_hint == _TOO_LARGE
        await connection.send(sys, _refusal(_TOO_LARGE if large else _MALFORMED))
        return False
    if not isinstance(event, h11.Request):
        return False
    if event.http_version not in (b"1.0", b"1.1"):
        await connection.send(sys, _refusal(_MALFORMED))
        return False
    try:
        exchange = Exchange(sys, engine, connection, event)
    except ValueError:  # what stands for a host in the target is none
        await connection.send(sys, _refusal(_MALFORMED))
        return False
    if exchange.headers.get("expect", "100-continue").lower() != "100-continue":
        await connection.send(sys, _refusal(_EXPECTATION))
        return False
    try:
        await _answer(exchange)
    except ApiError as error:
        await exchange.fail(error)
    except SysError as error:
        await exchange.fail(of_kernel(error))
    except msgspec.MsgspecError as error:
        await exchange.fail(BadRequest(f"invalid JSON: {error}"))
    except Gone:
        raise
    except GapError as gap:
        await sys.err(f"{exchange.path}: the model can't do this: {gap}\n")
        await exchange.fail(NotImplementedHere(f"the simulated machine can't do this: {gap}"))
        return False
    except Exception as fault:
        # net/http recovers a handler's panic too; the connection is lost, the daemon is not
        await sys.err(f"http: panic serving {exchange.path}: {type(fault).__name__}: {fault}\n")
        await exchange.fail(ApiError("internal error"))
        return False
    await exchange.unwatch()
    if exchange.hijacked or exchange.watcher:
        return False
    return await _drained(exchange)


async def _answer(exchange: Exchange) -> None:
    engine = exchange.engine
    engine.requests += 1
    match = router.find(exchange.method, exchange.path)
    exchange.names, exchange.version = match.names, match.version
    if "/containers/" in exchange.path:
        await strangers.adopt(exchange.sys, engine)
    await match.handler(exchange)


async def _drained(exchange: Exchange) -> bool:
    """Read what is left of the body, a little of it at least, so that h11 can go on."""
    http = exchange.connection.http
    if http.our_state is not h11.DONE or http.their_state is h11.ERROR:
        return False
    try:
        await exchange.body(1 << 20)
    except ApiError:
        return False
    return http.their_state is h11.DONE
