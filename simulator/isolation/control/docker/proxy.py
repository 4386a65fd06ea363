"""docker-proxy: listens on the host for a published port and passes on what comes.

A UDP port has a socket towards the container for each client, so that answers find their way back
(moby ``cmd/docker-proxy/udp_proxy_linux.go``).

``docker-proxy -proto tcp -host-ip A -host-port P -container-ip C -container-port Q``.
"""

from collections.abc import Sequence

from simulator.isolation.control.docker.engine.sync import go
from simulator.machine.abi.constants import (
    AF_INET,
    MSG_NOSIGNAL,
    SHUT_WR,
    SIG_IGN,
    SIGCHLD,
    SOCK_DGRAM,
    SOCK_STREAM,
)
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_LARGEST = 65_507


@enter("docker-proxy", collection=TOOLS)
async def main(sys: Process, argv: Sequence[str]) -> int:
    """Pass on until it is killed."""
    given = dict(zip(argv[1::2], argv[2::2], strict=False))
    await sys.call("rt_sigaction", SIGCHLD, SIG_IGN)
    if given.get("-proto") == "udp":
        return await _datagrams(sys, given)
    listening = await sys.value("socket", AF_INET, SOCK_STREAM, 0)
    await sys.succeeds("setsockopt", listening, 1, 2, 1)
    where = (given["-host-ip"], int(given["-host-port"]))
    try:
        await sys.call("bind", listening, where)
        await sys.call("listen", listening, 128)
    except SysError as error:
        return await sys.complain(f"listen tcp {where[0]}:{where[1]}: {error.message}")
    target = (given["-container-ip"], int(given["-container-port"]))
    while True:
        near = await sys.value("accept", listening)

        async def passed(own: Process, near: int = near) -> None:
            await _pass_on(own, near, target)

        await go(sys, passed)


async def _datagrams(sys: Process, given: dict[str, str]) -> int:
    near = await sys.value("socket", AF_INET, SOCK_DGRAM, 0)
    where = (given["-host-ip"], int(given["-host-port"]))
    target = (given["-container-ip"], int(given["-container-port"]))
    try:
        await sys.call("bind", near, where)
    except SysError as error:
        return await sys.complain(f"listen udp {where[0]}:{where[1]}: {error.message}")
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
