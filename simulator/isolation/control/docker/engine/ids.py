"""Random ids, from the kernel."""

from simulator.machine.userland.process import Process


async def new_id(sys: Process) -> str:
    """64 hexadecimal digits; never all digits in the first twelve (moby ``stringid``)."""
    while True:
        text = bytes(await sys.data("getrandom", 32, 0)).hex()
        if not text[:12].isdigit():
            return text


async def number(sys: Process, below: int) -> int:
    """A number from 0, less than ``below``."""
    return int.from_bytes(await sys.data("getrandom", 8, 0), "little") % below
