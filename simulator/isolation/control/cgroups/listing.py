"""lscgroup(1) and lssubsys(1). Source: libcgroup src/tools/lscgroup.c, lssubsys.c"""

from collections.abc import Sequence

from simulator.isolation.control.cgroups import places
from simulator.isolation.control.cgroups.making import wrong
from simulator.isolation.control.cgroups.places import CgroupError, Mounted
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_GROUPS = """Usage: lscgroup [-h] [[-g] <controllers>:<path>] [...]
List all cgroups
  -g <controllers>:<path>	Control group to be displayed (-g is optional)
  -h, --help			Display this help
"""
_SUBSYS = """Usage: lssubsys [-i] [-m] [-M] [controller] [...]
   or: lssubsys [-a] [-i] [-m] [-M]
List information about given controller(s) If no controller is set list information about all \
mounted controllers.
  -a, --all			Display information about all controllers (including not mounted ones)
  -h, --help			Display this help
  -i, --hierarchies		Display information about hierarchies
  -m, --mount-points		Display mount points
  -M, --all-mount-points	Display all mount points
"""


@enter("lscgroup", collection=TOOLS)
async def lscgroup(sys: Process, argv: Sequence[str]) -> int:
    """Every group of every hierarchy, or those below the ones named."""
    try:
        given = parse(argv, "g:h", {"help": "h"})
    except UsageError:
        return await wrong(sys)
    if given.has("h"):
        await sys.out(_GROUPS)
        return 0
    specs = [places.parse(text) for text in (*given.values.get("g", []), *given.rest)]
    if None in specs:
        return await wrong(sys)
    if not specs:
        for one in await places.mounts(sys):
            await _walk(sys, one, one.path, "/")
        return 0
    try:
        for spec in (each for each in specs if each is not None):
            for controller in await places.expand(sys, spec):
                one = await places.place(sys, controller)
                top = f"/{spec.path.strip('/')}/".replace("//", "/")
                await _walk(sys, one, places.below(one, spec.path), top)
    except CgroupError as error:
        return error.status
    return 0


async def _walk(sys: Process, one: Mounted, path: str, shown: str) -> None:
    try:
        names = await sys.names(path)
    except SysError:
        return
    await sys.out(f"{','.join(one.controllers)}:{shown}\n")
    for name in sorted(names):
        if (await sys.stat(f"{path}/{name}"))["mode"] & 0o170000 == 0o040000:
            await _walk(sys, one, f"{path}/{name}", f"{shown.rstrip('/')}/{name}")


@enter("lssubsys", collection=TOOLS)
async def lssubsys(sys: Process, argv: Sequence[str]) -> int:
    """The controllers that are mounted, a hierarchy a line; with ``-a`` the others too."""
    long = {
        "all": "a", "help": "h", "hierarchies": "i", "mount-points": "m", "all-mount-points": "M",
    }  # fmt: skip
    try:
        given = parse(argv, "ahimM", long)
    except UsageError:
        return await wrong(sys)
    if given.has("h"):
        await sys.out(_SUBSYS)
        return 0
    mounted = await places.mounts(sys)
    where = given.has("m") or given.has("M")
    for one in mounted:
        if given.rest and not set(given.rest) & set(one.controllers):
            continue
        line = ",".join(one.controllers)
        if given.has("i"):
            line += f" {await _number(sys, one.controllers[0])}"
        await sys.out(f"{line} {one.path}\n" if where else f"{line}\n")
    if given.has("a"):
        bound = {name for one in mounted for name in one.controllers}
        for name in await places.controllers(sys):
            if name not in bound:
                await sys.out(f"{name}\n")
    return 0


async def _number(sys: Process, controller: str) -> str:
    for line in (await sys.text_or_empty("/proc/cgroups")).splitlines():
        fields = line.split()
        if fields[0] == controller:
            return fields[1]
    return "0"
