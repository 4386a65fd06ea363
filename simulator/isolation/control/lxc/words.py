"""The command line that LXC's tools share: ``-n NAME`` or a bare NAME, ``-P PATH``, ``-q`` ..."""

from collections.abc import Sequence

import msgspec

from simulator.isolation.control.lxc import settings
from simulator.isolation.control.lxc.container import Container
from simulator.machine.userland.options import Options, UsageError, parse
from simulator.machine.userland.process import Process

_COMMON = "n:P:o:l:qh0"
_HELP = """\
Usage: {usage}
Common options :
  -o, --logfile=FILE               Output log to FILE instead of stderr
  -l, --logpriority=LEVEL          Set log priority to LEVEL
  -q, --quiet                      Don't produce any output
  -P, --lxcpath=PATH               Use specified container path
  -?, --help                       Give this help list
      --usage                      Give a short usage message
      --version                    Print the version number

Mandatory or optional arguments to long options are also mandatory or optional
for any corresponding short options.

See the {name} man page for further information.

"""
_LONG = {
    "name": "n",
    "lxcpath": "P",
    "logfile": "o",
    "logpriority": "l",
    "quiet": "q",
    "help": "h",
    "version": "0",
}
VERSION = "7.0.0"
"""meson.build, of the source whose lines the tools name in their messages."""


class Line(msgspec.Struct, frozen=True):
    """A tool's command line: the container it names, its options, the words that are left."""

    one: Container
    options: Options
    rest: list[str]


async def read(
    sys: Process,
    argv: Sequence[str],
    letters: str = "",
    long: dict[str, str] | None = None,
    *,
    usage: str,
    nameless: bool = False,
) -> Line | int:
    """The line; an exit status after the usage or the version was printed.

    Without ``-n`` the first word is the name (lxc ``arguments.c``), but for what is ``nameless``.
    """
    try:
        options = parse(argv, f"{_COMMON}{letters}", {**_LONG, **(long or {})}, stop_early=False)
    except UsageError as error:
        await sys.err(f"{sys.name}: {error}\n{_HELP.format(usage=usage, name=sys.name)}")
        return 1
    if options.has("0"):
        await sys.out(f"{VERSION}\n")
        return 0
    if options.has("h"):
        await sys.err(_HELP.format(usage=usage, name=sys.name))
        return 0
    rest = list(options.rest)
    name = options.value("n") or (rest.pop(0) if rest and not nameless else "")
    if not name and not nameless:
        await sys.err(f"{sys.name}: No container name specified\n")
        return 1
    path = options.value("P") or await settings.value(sys, "lxc.lxcpath")
    return Line(Container(name, path), options, rest)


async def numbers(sys: Process, options: Options, letters: str) -> bool:
    """Whether the values of ``letters`` are numbers; else the complaint about it was printed."""
    if all(options.value(letter, "0").lstrip("-").isdecimal() for letter in letters):
        return True
    await sys.err(f"{sys.name}: could not parse command line\n")
    return False
