"""cgset(1) and cgget(1). Source: libcgroup src/tools/cgset.c, cgget.c"""

from collections.abc import Sequence

from simulator.isolation.control.cgroups import places
from simulator.isolation.control.cgroups.making import USAGE_STATUS, put, wrong
from simulator.isolation.control.cgroups.places import CgroupError, Mounted
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_SET = """Usage: cgset [-r <name=value>] <cgroup_path> ...
   or: cgset --copy-from <source_cgroup_path> <cgroup_path> ...
Set the parameters of given cgroup(s)
  -r, --variable <name>			Define parameter to set
  --copy-from <source_cgroup_path>	Control group whose parameters will be copied
"""
_GET = """Usage: cgget [-nv] [-r <name>] [-g <controllers>] [-a] <path> ...
   or: cgget [-nv] [-r <name>] -g <controllers>:<path> ...
Print parameter(s) of given group(s).
  -a, --all			Print info about all relevant controllers
  -g <controllers>		Controller which info should be displayed
  -g <controllers>:<path>	Control group which info should be displayed
  -h, --help			Display this help
  -n				Do not print headers
  -r, --variable  <name>	Define parameter to display
  -v, --values-only		Print only values, not parameter names
"""
_COMMON = frozenset(
    ("cgroup.procs", "cgroup.clone_children", "cgroup.sane_behavior", "cgroup.event_control")
)


@enter("cgset", collection=TOOLS)
async def cgset(sys: Process, argv: Sequence[str]) -> int:
    """Write one file for each ``-r name=value`` in each group."""
    try:
        given = parse(argv, "c:hr:", {"help": "h", "variable": "r", "copy-from": "c"})
    except UsageError:
        return await wrong(sys, "--help")
    if given.has("h"):
        await sys.out(_SET)
        return 0
    pairs = [text.partition("=") for text in given.values.get("r", [])]
    if not given.rest or not (pairs or given.has("c")) or any(not found for _, found, _ in pairs):
        await sys.err("Usage is cgset -r <name=value> <relative path to cgroup>\n")
        return USAGE_STATUS
    try:
        settings = [(name, value) for name, _found, value in pairs]
        if given.has("c"):
            settings += await _copied(sys, given.value("c"))
        for group in given.rest:
            for name, value in settings:
                await _set(sys, group, name, value)
    except CgroupError as error:
        await sys.err(f"cgset: cgroup modify error: {error} \n")
        return error.status
    return 0


async def _set(sys: Process, group: str, name: str, value: str) -> None:
    one = await places.place(sys, name.partition(".")[0])
    try:
        await put(sys, f"{places.below(one, group)}/{name}", value)
    except SysError as error:
        if error.errno in (Errno.ENOENT, Errno.EACCES):
            raise CgroupError(places.VALUE_NOT_EXIST) from None
        raise places.failed(error) from None


async def _copied(sys: Process, group: str) -> list[tuple[str, str]]:
    """Every value of a group that another one can take."""
    found: list[tuple[str, str]] = []
    for one in await places.mounts(sys):
        path = places.below(one, group)
        for name in await _files(sys, one, path, one.controllers):
            mode = (await sys.stat(f"{path}/{name}"))["mode"]
            value = await sys.text_or_empty(f"{path}/{name}")
            if mode & 0o600 == 0o600 and value.strip():
                found.append((name, value.strip()))
    return found


@enter("cgget", collection=TOOLS)
async def cgget(sys: Process, argv: Sequence[str]) -> int:
    """Print files of groups: those of ``-r``, or all of a controller's."""
    long = {"all": "a", "help": "h", "variable": "r", "values-only": "v"}
    try:
        given = parse(argv, "ag:hnr:v", long)
    except UsageError:
        return await wrong(sys)
    if given.has("h"):
        await sys.out(_GET)
        return 0
    asked: list[tuple[str, list[str]]] = []
    plain = [text for text in given.values.get("g", []) if ":" not in text]
    for text in given.values.get("g", []):
        spec = places.parse(text)
        if spec is not None:
            asked.append((spec.path, list(spec.controllers)))
    asked += [(group, [one for text in plain for one in text.split(",")]) for group in given.rest]
    names = given.values.get("r", [])
    if not asked or not (names or given.has("g") or given.has("a")):
        return await wrong(sys)
    try:
        for group, controllers in asked:
            if given.has("a"):
                mounted = await places.mounts(sys)
                controllers = [name for one in mounted for name in one.controllers]
            await _show(
                sys, group, controllers, names, head=not given.has("n"), bare=given.has("v")
            )
    except CgroupError as error:
        if str(error):
            await sys.err(f"{error}\n")
        return error.status
    return 0


async def _show(
    sys: Process,
    group: str,
    controllers: list[str],
    names: list[str],
    *,
    head: bool,
    bare: bool,
) -> None:
    lines: list[tuple[str, str]] = []
    for controller in controllers:
        one = await places.place(sys, controller)
        path = places.below(one, group)
        for name in await _files(sys, one, path, (controller,)):
            lines.append((name, await sys.text_or_empty(f"{path}/{name}")))
    for name in names:
        one = await places.place(sys, name.partition(".")[0])
        try:
            lines.append((name, await sys.text(f"{places.below(one, group)}/{name}")))
        except SysError as error:
            text = f"variable file read failed {error.message}"
            raise CgroupError(places.OTHER, text) from None
    if head:
        await sys.out(f"{group}:\n")
    for name, value in lines:
        shown = value.rstrip("\n").replace("\n", "\n\t")
        await sys.out(f"{shown}\n" if bare else f"{name}: {shown}\n")
    if head:
        await sys.out("\n")


async def _files(sys: Process, one: Mounted, path: str, controllers: tuple[str, ...]) -> list[str]:
    """The files of some of a hierarchy's controllers in a group."""
    try:
        names = await sys.names(path)
    except SysError as error:
        raise CgroupError(places.OTHER, f"cannot find group {path}: {error.message}") from None
    del one
    return [
        name
        for name in names
        if name.partition(".")[0] in controllers and name not in _COMMON and "." in name
    ]
