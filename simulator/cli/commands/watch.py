"""``vitrina watch``: look on while clients use an engine that runs elsewhere."""

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

if TYPE_CHECKING:
    from simulator.classroom.tui.watching.sources import There

_ENDED = 1


class NoPlaceError(VitrinaError):
    """Nobody said which engine."""


@click.command("watch")
@click.argument("place", required=False, metavar="[PATH | unix://PATH | tcp://HOST:PORT]")
@click.option("--json", "as_json", is_flag=True, help="what happens, one JSON object a line")
def command(place: str | None, as_json: bool) -> int:
    """What clients do to a running 'vitrina engine': requests, kernel calls, layers, networks.

    Without an address: the engine that DOCKER_HOST names. When the output is no terminal, requests
    and events are printed as they come. The engine does not notice. Exit status 1: it ended.
    """
    from simulator.classroom.tui.watching.sources import There

    place = place or os.environ.get("DOCKER_HOST")
    if not place:
        raise NoPlaceError(_("say which engine: vitrina watch PATH, or set DOCKER_HOST"))
    source = There(place)
    asyncio.run(source.begin())
    if as_json or not sys.stdout.isatty():
        return asyncio.run(_print(source, as_json))
    from simulator.classroom.tui.watch import WatchApp

    why = WatchApp(source).run()
    if why:
        click.echo(f"vitrina: {why}", err=True)
    return _ENDED if why else 0


async def _print(source: "There", as_json: bool) -> int:
    from simulator.classroom.tui.watching.linear import Speaker
    from simulator.classroom.tui.watching.sources import EndedError

    speaker = Speaker()
    try:
        async for news in source.follow():
            for one in news:
                text = msgspec.json.encode(one).decode() if as_json else speaker.spoken(one)
                if text:
                    print(text, flush=True)
    except EndedError as ended:
        click.echo(f"vitrina: {ended}", err=True)
    return _ENDED
