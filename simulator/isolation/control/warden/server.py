"""warden-server: the daemon behind /tmp/warden.sock. Source: warden/lib/warden/server.rb

Every connection has a process of its own, and what they know is in the depot's files. The socket is
the one of systemd's activation when there is one (sd_listen_fds(3)), else the configuration's.
"""

from collections.abc import Sequence
from typing import Any, cast

from simulator.isolation.control.launch import Refused
from simulator.isolation.control.warden import (
    adopting,
    copying,
    jobs,
    lifecycle,
    limits,
    network,
    state,
)
from simulator.isolation.control.warden.config import PATH, Config, load
from simulator.isolation.control.warden.state import Container
from simulator.isolation.control.warden.wire import Lines, WardenError, listen
from simulator.machine.abi.constants import (
    PR_SET_CHILD_SUBREAPER,
    SIG_DFL,
    SIG_IGN,
    SIGCHLD,
)
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_INHERITED = 3


@enter("warden-server", collection=TOOLS)
async def warden_server(sys: Process, argv: Sequence[str]) -> int:
    """Serve until killed; the argument is the configuration file."""
    path = argv[1] if len(argv) > 1 else PATH
    try:
        config = await load(sys, path)
        await lifecycle.hierarchies(sys)
        for place in (config.depot.rpartition("/")[0], config.depot):
            await sys.succeeds("mkdir", place, 0o755)
        await adopting.adopt(sys, config)
        activated = int(sys.env.get("LISTEN_FDS", "0")) > 0
        door = _INHERITED if activated else await listen(sys, config.socket, config.mode)
    except SysError as error:
        return await sys.complain(f"{path}: {error.message}")
    await sys.succeeds("prctl", PR_SET_CHILD_SUBREAPER, 1)
    await sys.call("rt_sigaction", SIGCHLD, SIG_IGN)
    while True:
        fd = await sys.value("accept", door)

        async def serve(own: Process, fd: int = fd) -> int:
            await own.call("rt_sigaction", SIGCHLD, SIG_DFL)
            await own.close(door)
            return await _serve(own, config, Lines(own, fd))

        await sys.spawn(serve)
        await sys.close(fd)


async def _serve(sys: Process, config: Config, client: Lines) -> int:
    """One client's requests, one after another."""
    while True:
        try:
            request = await client.receive()
            if request is None:
                return 0
            if not isinstance(request, list) or not request:
                raise WardenError("invalid request")
            words = cast("list[Any]", request)
            if words[0] == "stream":
                await _stream(sys, config, client, words)
            else:
                await client.answer(await _process(sys, config, words))
        except (WardenError, Refused) as error:
            await client.refuse(str(error))
        except SysError as error:
            await client.refuse(error.message)
        except (ValueError, TypeError, AttributeError):
            # A word of the wrong type: whoever speaks the protocol may send anything.
            await client.refuse("invalid argument")


def _need(request: list[Any], *counts: int) -> None:
    if len(request) not in counts:
        raise WardenError("invalid number of arguments")


async def _process(sys: Process, config: Config, request: list[Any]) -> Any:
    """A request that has one answer."""
    match request[0]:
        case "ping":
            return "pong"
        case "list":
            return [one.snapshot.handle for one in await state.every(sys, config)]
        case "echo":
            _need(request, 2)
            return request[1]
        case "create":
            _need(request, 1, 2)
            return await lifecycle.create(sys, config, request[1] if len(request) > 1 else {})
        case str(name) if name in _OF_A_CONTAINER:
            _need(request, *_OF_A_CONTAINER[name])
            return await _of(await state.find(sys, config, request[1]), request)
        case other:
            raise WardenError(f'unknown command "{other}"')


_OF_A_CONTAINER = {
    "stop": (2, 3),
    "destroy": (2,),
    "info": (2,),
    "spawn": (3, 4),
    "run": (3, 4),
    "link": (3,),
    "limit": (3, 4, 5),
    "net": (3, 4, 5),
    "copy": (5, 6),
}
"""Requests about one container, and how many words they have."""


async def _of(container: Container, request: list[Any]) -> Any:
    match request:
        case ["stop", _, *rest]:
            await lifecycle.stop(container, kill=bool(rest and rest[0].get("kill")))
            return "ok"
        case ["destroy", _]:
            await lifecycle.destroy(container)
            return "ok"
        case ["info", _]:
            return await lifecycle.info(container)
        case ["spawn", _, script, *options]:
            return await jobs.spawn(container, script, options[0] if options else {})
        case ["run", _, script, *options]:
            job = await jobs.spawn(container, script, options[0] if options else {})
            return list(await jobs.link(container, job))
        case ["link", _, job]:
            return list(await jobs.link(container, job))
        case ["limit", _, kind, *values]:
            return await limits.limit(container, kind, values)
        case ["net", _, "in", *ports]:
            return await network.net_in(container, *[*ports, None, None][:2])
        case ["net", _, "out", target]:
            return await network.net_out(container, target)
        case ["copy", _, "in", source, target]:
            return await copying.copy_in(container, source, target)
        case ["copy", _, "out", source, target, *owner]:
            return await copying.copy_out(container, source, target, *owner)
        case ["copy", *_]:
            raise WardenError("Invalid direction, must be 'in' or 'out'.")
        case _:
            raise WardenError("invalid argument")


async def _stream(sys: Process, config: Config, client: Lines, request: list[Any]) -> None:
    _need(request, 3)
    container = await state.find(sys, config, request[1])
    async for part in jobs.stream(container, request[2]):
        await client.answer(part)
