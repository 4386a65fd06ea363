"""``vitrina engine``: a Docker Engine API served by the simulated kernel."""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

if TYPE_CHECKING:
    from simulator.classroom.tui.watching.feed import Feed
    from simulator.experiment.engine_api.server import Server


class UsageError(VitrinaError):
    """Options that do not go together."""


@click.command("engine")
@click.option("--socket", "path", metavar="PATH", help="the UNIX socket to listen on")
@click.option("--tcp", metavar="ADDRESS:PORT", help="listen on TCP too, or instead")
@click.option(
    "--state", type=click.Path(path_type=Path), help="keep the engine's disk in this file"
)
@click.option(
    "--publish",
    multiple=True,
    metavar="PORT",
    help="let this TCP port of the simulated host be reached on this machine (127.0.0.1)",
)
@click.option(
    "--host", "name", default="vitrina", show_default=True, metavar="NAME",
    help="the distribution of the simulated host: debian, ubuntu, ubuntu-20.04, fedora, raspberry,"
    " minimal",
)  # fmt: skip
@click.option("--watch", is_flag=True, help="show on this terminal what clients do to it")
def command(
    path: str | None,
    tcp: str | None,
    state: Path | None,
    publish: tuple[str, ...],
    name: str,
    watch: bool,
) -> None:
    """Serve the Docker Engine API: docker -H unix://PATH and the SDKs work unchanged."""
    if path is None and tcp is None:
        raise UsageError(_("say where to listen: --socket PATH or --tcp ADDRESS:PORT"))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(path, tcp, state, publish, name, watch))


async def _serve(
    path: str | None,
    tcp: str | None,
    state: Path | None,
    publish: tuple[str, ...],
    name: str,
    watch: bool,
) -> None:
    from simulator.experiment.engine.pool import calm
    from simulator.experiment.engine_api.hosts import HOSTS
    from simulator.experiment.engine_api.server import Server

    if name not in HOSTS:
        known = ", ".join(HOSTS)
        raise UsageError(
            _("no host is called {name}: use one of {known}").format(name=name, known=known)
        )
    calm()  # a machine with many containers is a large heap, and hardly any of it is in cycles
    server = Server(state, HOSTS[name])
    places: list[str] = []
    if path is not None:
        await server.listen_unix(path)
        places.append(f"unix://{path}")
    if tcp is not None:
        host, port = _address(tcp)
        await server.listen_tcp(host, port)
        places.append(f"tcp://{host}:{port}")
    for text in publish:
        _host, port = _address(f"127.0.0.1:{text}")
        await server.listen_tcp("127.0.0.1", port, ("127.0.0.1", port))
    from simulator.classroom.tui.watching.feed import Feed

    feed = Feed(server.machine, tuple(places), name)
    server.glass = feed
    if watch:
        await _watched(server, feed)
    else:
        await _run(server, places)
    if path is not None:
        Path(path).unlink(missing_ok=True)


async def _watched(server: "Server", feed: "Feed") -> None:
    """Until the person leaves the screen."""
    from simulator.classroom.tui.watch import WatchApp
    from simulator.classroom.tui.watching.sources import Here

    app = WatchApp(Here(feed))
    server.machine.on_gap = lambda why: app.notify(why, severity="warning")
    serving = asyncio.ensure_future(server.run())
    await app.run_async()
    server.stop()
    await serving


async def _run(server: "Server", places: list[str]) -> None:
    """Until a signal says that it is enough."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):
        loop.add_signal_handler(signal.SIGTERM, server.stop)
        loop.add_signal_handler(signal.SIGINT, server.stop)
    await server.run(lambda: _say(places))


def _say(places: list[str]) -> None:
    print(_("listening on {places}").format(places=", ".join(places)), file=sys.stderr)
    print(f"export DOCKER_HOST={places[0]}", file=sys.stderr, flush=True)


def _address(text: str) -> tuple[str, int]:
    host, _colon, port = text.rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(_("{text}: ADDRESS:PORT was expected").format(text=text))
    return host or "127.0.0.1", int(port)
