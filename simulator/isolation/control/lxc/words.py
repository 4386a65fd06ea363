"""The command line that LXC's tools share: ``-n NAME`` or a bare NAME, ``-P PATH``, ``-q`` ..."""

from collections.abc import Sequence

import msgspec

from simulator.isolation.control.lxc.container import PATH, Container
from simulator.machine.userland.options import Options, UsageError, parse
from simulator.machine.userland.process import Process

_COMMON = "n:P:o:l:q"
_LONG = {
    "--name": "n",
    "--lxcpath": "P",
    "--logfile": "o",
    "--logpriority": "l",
    "--quiet": "q",
}


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
) -> Line | None:
    """The line; None after the usage was printed, when an option is not known.

    Without ``-n`` the first word is the name, and without any the tool's own is taken, as the real
    tools do (lxc ``arguments.c``).
    """
    try:
        options = parse(argv, f"{_COMMON}{letters}", {**_LONG, **(long or {})}, stop_early=False)
    except UsageError as error:
        await sys.err(f"{sys.name}: {error}\nUsage: {usage}\n")
        return None
    rest = list(options.rest)
    name = options.value("n") or (rest.pop(0) if rest else sys.name)
    return Line(Container(name, options.value("P", PATH)), options, rest)
