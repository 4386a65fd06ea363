"""rcapstat(1): what zones use of memory beside their capped-memory physical.

The cap is no limit of the kernel's: rcapd(1M), a daemon of the global zone, looks from time to time
and pages a zone out that is above it. The model has no such daemon, so nothing is ever paged out
here; the columns that would count it stay 0.
"""

from collections.abc import Sequence

from simulator.isolation.control.solaris import store
from simulator.machine.abi.constants import ZONE_ATTR_PHYS_MCAP
from simulator.machine.userland.options import parse
from simulator.machine.userland.process import Process
from simulator.machine.userland.programs.sun import processes
from simulator.machine.userland.registry import TOOLS, enter

_KB = 1024


@enter("rcapstat", collection=TOOLS)
async def rcapstat(sys: Process, argv: Sequence[str]) -> int:
    """``rcapstat -z``: one line for each zone that has a cap."""
    options = parse(argv, "gpz")
    if not options.has("z"):
        return await sys.complain("caps of projects are not modelled; use -z")
    rows = await processes(sys)
    await sys.out("    id zone            nproc     vm    rss    cap     at  avgat     pg  avgpg\n")
    for one in await store.running(sys):
        cap = await sys.data("zone_getattr", one.number, ZONE_ATTR_PHYS_MCAP)
        if not cap:
            continue
        inside = [row for row in rows if row["zone"] == one.name]
        used = sum(int(row["size"]) for row in inside)
        columns = [f"{used}K", f"{used}K", f"{cap // _KB}K", "0K", "0K", "0K", "0K"]
        cells = " ".join(f"{cell:>6}" for cell in columns)
        await sys.out(f"{one.number:6} {one.name:<16} {len(inside):3} {cells}\n")
    return 0
