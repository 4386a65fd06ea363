"""What getopt(3) of BSD and of Solaris says about a command line that can't be read."""

from simulator.machine.userland.options import UsageError
from simulator.machine.userland.process import Process


async def misread(sys: Process, error: UsageError, usage: str, status: int) -> int:
    """``name: illegal option -- z``, then the usage; returns ``status``."""
    text = str(error)
    if text.startswith("unrecognized option '--"):
        text = "illegal option -- -'"
    kind, dashes, letter = text.partition(" -- ")
    kind = "illegal option" if kind == "invalid option" else kind
    await sys.err(f"{sys.name}: {kind}{dashes}{letter.strip(chr(39))}\n{usage}")
    return status
