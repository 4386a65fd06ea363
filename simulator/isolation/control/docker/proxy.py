"""docker-proxy: listens on the host for a published port and passes on what comes.

A UDP port has a socket towards the container for each client, so that answers find their way back
(moby ``cmd/docker-proxy/udp_proxy_linux.go``).

``docker-proxy -proto tcp -host-ip A -host-port P -container-ip C -container-port Q``.
"""

import contextlib
from collections.abc import Sequence

from simulator.isolation.control.docker.engine.sync import go
from simulator.machine.abi.constants import (
    AF_INET,
    MSG_NOSIGNAL,
    SHUT_WR,
    SIG_IGN,
    SIGCHLD,
    SIGPIPE,
    SOCK_DGRAM,
    SOCK_STREAM,
)
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_LARGEST = 65_507


_TEXTS = {"container-ip": "container ip", "host-ip": "host ip", "proto": "proxy protocol"}
_NUMBERS = {"container-port": "container port", "host-port": "host port"}
_PARENT = 3
"""The descriptor on which dockerd is told whether it listens."""


class _Misused(Exception):
    """Go's flag package says why."""


def _flags(words: Sequence[str]) -> dict[str, str]:
    given = {"proto": "tcp", "host-ip": "", "container-ip": "", "host-port": "-1",
             "container-port": "-1"}  # fmt: skip
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] not in ("-", "--"):
        word = rest.pop(0)
        name, equals, value = word.removeprefix("-").removeprefix("-").partition("=")
        if name in ("h", "help"):
            raise _Misused("")
        if name not in given:
            raise _Misused(f"flag provided but not defined: -{name}\n")
        if not equals and not rest:
            raise _Misused(f"flag needs an argument: -{name}\n")
        value = value if equals else rest.pop(0)
        if name in _NUMBERS and not value.removeprefix("-").isdigit():
            raise _Misused(f'invalid value "{value}" for flag -{name}: parse error\n')
        given[name] = value
    return given


def _usage(name: str) -> str:
    lines = [f"Usage of {name}:\n"]
    for flag, about in sorted({**_TEXTS, **_NUMBERS}.items()):
        kind = "int" if flag in _NUMBERS else "string"
        default = {"proto": ' (default "tcp")'}.get(flag, " (default -1)" * (kind == "int"))
        lines.append(f"  -{flag} {kind}\n    \t{about}{default}\n")
    return "".join(lines)


@enter("docker-proxy", collection=TOOLS)
async def main(sys: Process, argv: Sequence[str]) -> int:
    """Pass on until it is killed; whoever started it is told by descriptor 3 that it listens."""
    try:
        given = _flags(argv[1:])
    except _Misused as why:
        await sys.err(f"{why}{_usage(argv[0])}")
        return 2 if str(why) else 0
    if given["proto"] not in ("tcp", "udp"):
        await sys.err(f"unsupported protocol {given['proto']}\n")
        return 1
    for signal in (SIGCHLD, SIGPIPE):
        await sys.call("rt_sigaction", signal, SIG_IGN)
    kind = SOCK_DGRAM if given["proto"] == "udp" else SOCK_STREAM
    near = await sys.value("socket", AF_INET, kind, 0)
    where = (given["host-ip"] or "0.0.0.0", int(given["host-port"]))
    target = (given["container-ip"], int(given["container-port"]))
    why = await _listen(sys, near, kind, where)
    with contextlib.suppress(SysError):  # typed by hand: nobody is to be told
        await sys.write(_PARENT, f"1\n{why}".encode() if why else b"0\n")
    await sys.succeeds("close", _PARENT)
    if why:
        return 1
    if kind == SOCK_DGRAM:
        return await _datagrams(sys, near, target)
    while True:
        far = await sys.value("accept", near)

        async def passed(own: Process, far: int = far) -> None:
            await _pass_on(own, far, target)

        await go(sys, passed)


async def _listen(sys: Process, near: int, kind: int, where: tuple[str, int]) -> str:
    """Empty, or why not, as Go says it."""
    name = f"{'listen udp' if kind == SOCK_DGRAM else 'listen tcp'}4"
    if not 0 <= where[1] <= 65535:
        return f"{name.removesuffix('4')}: address {where[1]}: invalid port"
    try:
        if kind == SOCK_STREAM:
            await sys.succeeds("setsockopt", near, 1, 2, 1)
        await sys.call("bind", near, where)
        if kind == SOCK_STREAM:
            await sys.call("listen", near, 128)
    except SysError as error:
        return f"{name} {where[0]}:{where[1]}: {error.call}: {error.message.lower()}"
    return ""


async def _datagrams(sys: Process, near: int, target: tuple[str, int]) -> int:
    ways: dict[tuple[str, int], int] = {}
    while True:
        data, client = await sys.data("recvmsg", near, _LARGEST, 0)
        if client not in ways:
            far = await sys.value("socket", AF_INET, SOCK_DGRAM, 0)
            await sys.call("connect", far, target)
            ways[client] = far

            async def back(own: Process, far: int = far, client: tuple[str, int] = client) -> None:
                await _answers(own, far, near, client)

            await go(sys, back)
        await sys.succeeds("sendto", ways[client], data, len(data), MSG_NOSIGNAL)


async def _answers(sys: Process, far: int, near: int, client: tuple[str, int]) -> None:
    while True:
        try:
            data, _ = await sys.data("recvmsg", far, _LARGEST, 0)
        except SysError:  # nobody listens in the container: the next datagram tries again
            continue
        await sys.succeeds("sendto", near, data, len(data), MSG_NOSIGNAL, client)


async def _pass_on(sys: Process, near: int, target: tuple[str, int]) -> None:
    far = await sys.value("socket", AF_INET, SOCK_STREAM, 0)
    try:
        await sys.call("connect", far, target)
    except SysError:
        await sys.close(far)
        await sys.close(near)
        return
    done: list[bool] = []

    async def back(own: Process) -> None:
        await _pump(own, far, near)
        await _close(own, near, far, done)

    await go(sys, back)
    await _pump(sys, near, far)
    await _close(sys, near, far, done)


async def _close(sys: Process, near: int, far: int, done: list[bool]) -> None:
    """Whoever is second closes both."""
    done.append(True)
    if len(done) == 2:
        await sys.succeeds("close", near)
        await sys.succeeds("close", far)


async def _pump(sys: Process, source: int, sink: int) -> None:
    try:
        while data := await sys.read(source):
            while data:
                data = data[await sys.value("sendto", sink, data, len(data), MSG_NOSIGNAL) :]
        await sys.succeeds("shutdown", sink, SHUT_WR)
    except SysError:
        await sys.succeeds("shutdown", sink, SHUT_WR)
