"""dockerd(8): answers the Engine API over the sockets that init hands it, or its own."""

import itertools
from collections.abc import Sequence
from typing import Any

from simulator.isolation.control.docker.api import (
    archives,
    build,
    containers,
    images,
    networks,
    streaming,
    system,
    transfers,
    volumes,
)
from simulator.isolation.control.docker.engine import files, running
from simulator.isolation.control.docker.engine.container import NEVER
from simulator.isolation.control.docker.engine.engine import Engine
from simulator.isolation.control.docker.engine.sync import go
from simulator.isolation.control.docker.wire.server import serve
from simulator.machine.abi.constants import (
    AF_INET,
    AF_UNIX,
    PR_SET_CHILD_SUBREAPER,
    RLIMIT_NOFILE,
    SIG_IGN,
    SIGCHLD,
    SIGPIPE,
    SOCK_CLOEXEC,
    SOCK_STREAM,
)
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_SUBJECTS = (archives, build, containers, images, networks, streaming, system, transfers, volumes)
"""Imported for the routes that they enter."""

SOCKET = "/var/run/docker.sock"
_FIRST = 3
_BACKLOG = 512
_FILES = 1_048_576


@enter("dockerd", collection=TOOLS)
async def main(sys: Process, argv: Sequence[str]) -> int:
    """``dockerd [-H unix://PATH | -H tcp://ADDRESS:PORT | -H fd://]...``."""
    hosts = [value for word, value in itertools.pairwise(argv) if word in ("-H", "--host")]
    await sys.call("prctl", PR_SET_CHILD_SUBREAPER, 1)
    await sys.call("rt_sigaction", SIGCHLD, SIG_IGN)
    await sys.call("rt_sigaction", SIGPIPE, SIG_IGN)
    await sys.succeeds("prlimit64", 0, RLIMIT_NOFILE, (_FILES, _FILES))
    listening = list(range(_FIRST, _FIRST + int(sys.env.get("LISTEN_FDS", "0"))))
    try:
        listening += [await _listen(sys, host) for host in hosts if not host.startswith("fd://")]
        if not listening:
            listening.append(await _listen(sys, f"unix://{SOCKET}"))
    except SysError as error:
        return await sys.complain(f"failed to load listeners: {error}")
    engine = Engine()
    await engine.load(sys)
    await _bring_back(sys, engine)
    for fd in listening[1:]:
        await go(sys, _acceptor(engine, fd))
    await _acceptor(engine, listening[0])(sys)
    return 0


async def _listen(sys: Process, host: str) -> int:
    kind, _, place = host.partition("://")
    address: Any = place
    family = AF_UNIX
    if kind == "tcp":
        name, _, port = place.rpartition(":")
        family, address = AF_INET, (name or "127.0.0.1", int(port))
    else:
        await files.make(sys, place.rpartition("/")[0])
        await files.remove(sys, place)
    fd = await sys.value("socket", family, SOCK_STREAM | SOCK_CLOEXEC, 0)
    await sys.call("bind", fd, address)
    await sys.call("listen", fd, _BACKLOG)
    if kind != "tcp":
        await sys.call("chmod", place, 0o660)
    return fd


def _acceptor(engine: Engine, listening: int) -> Any:
    async def accept(sys: Process) -> None:
        while True:
            fd = await sys.value("accept4", listening, SOCK_CLOEXEC)

            async def served(own: Process, fd: int = fd) -> None:
                await serve(own, engine, fd)

            await go(sys, served)

    return accept


async def _bring_back(sys: Process, engine: Engine) -> None:
    """After a restart nothing runs; what its policy wants is started again (``restore()``)."""
    for container in list(engine.containers.values()):
        state = container.state
        was_running = state.Running
        state.Running = state.Paused = state.Restarting = False
        state.Pid, state.Health = 0, None
        for settings in container.record.Networks.values():
            settings.EndpointID = settings.IPAddress = settings.MacAddress = settings.Gateway = ""
        container.record.Ports = {}
        if was_running:
            state.ExitCode = 255
            await sys.succeeds("umount2", f"{container.layer}/merged", 2)
            await engine.checkpoint(sys, container)
        before = state.StartedAt != NEVER
        if before and running.comes_again(container, state.ExitCode, 0):

            async def again(own: Process, one: Any = container) -> None:
                from simulator.isolation.control.docker.api.errors import ApiError

                try:
                    await running.start(own, engine, one)
                except ApiError:
                    return

            await go(sys, again)
        elif container.host.AutoRemove:
            from simulator.isolation.control.docker.engine import removing

            await removing.remove(sys, engine, container, volumes=True)
