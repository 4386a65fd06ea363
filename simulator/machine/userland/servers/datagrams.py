"""``nc -u``: what is typed goes out as datagrams, what comes back is printed. nc(1)."""

from simulator.machine.abi.constants import (
    AF_INET,
    CLONE_FILES,
    MSG_NOSIGNAL,
    SHUT_RD,
    SOCK_DGRAM,
)
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.servers import serving

_LARGEST = 65_507
_BLOCK = 2048
"""Most bytes of a line or block that becomes one datagram."""


async def ask(sys: Process, host: str, port: int, seconds: int) -> int:
    """Standard input to ``host``; with ``seconds`` nobody waits longer than that for an answer."""
    try:
        address = await serving.lookup(sys, host)
    except LookupError:
        return await sys.complain(f"bad address '{host}'")
    fd = await sys.value("socket", AF_INET, SOCK_DGRAM, 0)
    await sys.call("connect", fd, (address, port))
    return await _talk(sys, fd, seconds)


async def serve(sys: Process, port: int, seconds: int) -> int:
    """Wait for the first datagram: from then on the talk is with whoever sent it."""
    fd = await sys.value("socket", AF_INET, SOCK_DGRAM, 0)
    try:
        await sys.call("bind", fd, ("0.0.0.0", port))
    except SysError as error:
        return await sys.complain(f"bind: {error.message}")
    data, peer = await sys.data("recvmsg", fd, _LARGEST, 0)
    await sys.call("connect", fd, peer)
    await sys.write(1, data)
    return await _talk(sys, fd, seconds)


async def _talk(sys: Process, fd: int, seconds: int) -> int:
    async def upwards(worker: Process) -> int:
        while data := await worker.read(0, _BLOCK):
            await worker.succeeds("sendto", fd, data, len(data), MSG_NOSIGNAL)
        return 0

    async def clock(worker: Process) -> int:
        await worker.call("nanosleep", (seconds, 0))
        await worker.succeeds("shutdown", fd, SHUT_RD)
        return 0

    await sys.spawn(upwards, CLONE_FILES)
    if seconds:
        await sys.spawn(clock, CLONE_FILES)
    while True:
        try:
            data = await sys.data("recvfrom", fd, _LARGEST, 0)
        except SysError as error:  # nobody listens there
            return await sys.complain(f"read: {error.message}")
        if not data:
            return 0
        await sys.write(1, data)
