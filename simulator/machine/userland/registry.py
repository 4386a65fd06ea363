"""The collections of programs that an image's executables stand for.

An executable's content says which collection it is; the name it is called by, argv[0], says which
program of it, as busybox does.
"""

from collections import ChainMap
from collections.abc import Callable, MutableMapping, Sequence

from simulator.machine.userland.options import BANNER, UsageError
from simulator.machine.userland.process import Main, Process, SysError
from simulator.machine.userland.usages import USAGES

BUSYBOX = b"\x7fELF vitrina busybox\n"
"""The content of /bin/busybox in a model's image; every applet is another name of the file."""
BSD = b"\x7fELF vitrina bsd\n"
"""The content of a FreeBSD program in a model's image."""

SUN = b"\x7fELF vitrina sun\n"
"""The content of a Solaris program in a model's image."""

TOOLS = b"\x7fELF vitrina tools\n"
"""The content of an operator's tool: the programs of ``isolation/control``."""

IMAGES = b"\x7fELF vitrina image program\n"
"""The content of a program that a container image brings: nginx, redis-server, psql ..."""

_SHARED: dict[str, Main] = {}
_COLLECTIONS: dict[bytes, MutableMapping[str, Main]] = {
    BUSYBOX: _SHARED,
    BSD: ChainMap(dict[str, Main](), _SHARED),
    SUN: ChainMap(dict[str, Main](), _SHARED),
    TOOLS: ChainMap(dict[str, Main](), _SHARED),
    IMAGES: ChainMap(dict[str, Main](), _SHARED),
}
"""FreeBSD's and Solaris's programs are their own where they have some, else what every tree has."""

_FETCHERS: dict[bytes, Callable[[str], None]] = {}


def enter(*names: str, collection: bytes = BUSYBOX) -> Callable[[Main], Main]:
    """Enter the decorated program under ``names``; a name taken twice is a bug."""

    def decorate(main: Main) -> Main:
        programs = _COLLECTIONS[collection]
        own = programs.maps[0] if isinstance(programs, ChainMap) else programs
        for name in names:
            if name in own:
                raise ValueError(f"{name} is entered twice")
            programs[name] = main
        return main

    return decorate


def collection(content: bytes) -> bytes | None:
    """Which collection an executable's content stands for, or None."""
    for marker in _COLLECTIONS:
        if content.startswith(marker.rstrip(b"\n")):
            return marker
    return None


def fetch_by(collection: bytes, fetch: Callable[[str], None]) -> None:
    """Have ``fetch`` import what enters a program of ``collection`` when it is first executed."""
    _FETCHERS[collection] = fetch


def program(name: str, collection: bytes = BUSYBOX) -> Main | None:
    """The program called ``name``, or None; a collection without its own takes busybox's."""
    programs = _COLLECTIONS[collection]
    own = programs.maps[0] if isinstance(programs, ChainMap) else programs
    if name not in own and collection in _FETCHERS:
        _FETCHERS[collection](name)
    return programs.get(name) or _COLLECTIONS[BUSYBOX].get(name)


def names(collection: bytes = BUSYBOX) -> tuple[str, ...]:
    """Every program of a collection, sorted: what an image links to one file."""
    return tuple(sorted({**_COLLECTIONS[BUSYBOX], **_COLLECTIONS[collection]}))


_LITERAL = frozenset(("[", "[[", "echo", "false", "test", "true"))
"""To whom --help is a word like any other (busybox libbb/appletlib.c run_applet_no_and_exit())."""


async def run(process: Process, main: Main, argv: Sequence[str]) -> int:
    """Run a program to its end: what it does not catch is a complaint and a failing status."""
    name = process.name
    own = _SHARED.get(name) is main and name in USAGES
    if own and list(argv[1:]) == ["--help"] and name not in _LITERAL:
        await process.err(_usage(name))
        return 0
    try:
        return await main(process, argv)
    except SysError as error:
        return await process.complain(error.message)
    except UsageError as error:
        text = f"{process.name}: {error}\n"
        if str(error) == "missing operand" and process.name in USAGES:
            text = _usage(process.name)
        elif str(error).startswith(("invalid option", "unrecognized", "option ")):
            text += _usage(process.name)
        await process.err(text)
        return 1


def _usage(name: str) -> str:
    """bb_show_usage()."""
    return f"{BANNER}\n\nUsage: {name} {USAGES.get(name, '')}".rstrip() + "\n"
