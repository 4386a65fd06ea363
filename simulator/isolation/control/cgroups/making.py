"""cgcreate(1) and cgdelete(1). Source: libcgroup src/tools/cgcreate.c, cgdelete.c"""

from collections.abc import Sequence

from simulator.isolation.control.cgroups import places
from simulator.isolation.control.cgroups.places import CgroupError, Spec
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.accounts import find_user, groups
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_CREATE = """Usage: cgcreate [-h] [-f mode] [-d mode] [-s mode] [-t <tuid>:<tgid>] \
[-a <agid>:<auid>] -g <controllers>:<path> [-g ...]
Create control group(s)
  -a <tuid>:<tgid>		Owner of the group and all its files
  -d, --dperm=mode		Group directory permissions
  -f, --fperm=mode		Group file permissions
  -g <controllers>:<path>	Control group which should be added
  -h, --help			Display this help
  -s, --tperm=mode		Tasks file permissions
  -t <tuid>:<tgid>		Owner of the tasks file
"""
_DELETE = """Usage: cgdelete [-h] [-r] [[-g] <controllers>:<path>] ...
Remove control group(s)
  -g <controllers>:<path>	Control group to be removed (-g is optional)
  -h, --help			Display this help
  -r, --recursive		Recursively remove all subgroups
"""
USAGE_STATUS = 255


async def wrong(sys: Process, option: str = "-h") -> int:
    """What every tool says of a command line that it can't read."""
    await sys.err(f"Wrong input parameters, try {sys.name} {option}' for more information.\n")
    return USAGE_STATUS


class OwnerError(Exception):
    """A user or group that nobody has heard of."""


@enter("cgcreate", collection=TOOLS)
async def cgcreate(sys: Process, argv: Sequence[str]) -> int:
    """Make a directory for each group, with everything above it."""
    long = {"help": "h", "dperm": "d", "fperm": "f", "tperm": "s"}
    try:
        given = parse(argv, "a:d:f:g:hs:t:", long)
    except UsageError:
        return await wrong(sys)
    if given.has("h"):
        await sys.out(_CREATE)
        return 0
    specs = [places.parse(text) for text in given.values.get("g", [])]
    if None in specs:
        return await wrong(sys)
    for mode in (text for letter in "dfs" for text in given.values.get(letter, [])):
        if len(mode) not in (3, 4) or not mode.isdigit() or set(mode) & set("89"):
            await sys.out(f"cgcreate wrong mode format {mode}\n")
            return USAGE_STATUS
    if not specs or given.rest:
        return await wrong(sys)
    for spec in (one for one in specs if one is not None):
        try:
            for controller in await places.expand(sys, spec):
                await _make(sys, controller, spec, given.values)
        except CgroupError as error:
            await sys.err(f"cgcreate: can't create cgroup {spec.path}: {error}\n")
            return error.status
        except OwnerError as error:
            await sys.err(f"cgcreate: {error}\n")
            return USAGE_STATUS
    return 0


async def _make(sys: Process, controller: str, spec: Spec, asked: dict[str, list[str]]) -> None:
    one = await places.place(sys, controller)
    path = one.path
    names = [name for name in spec.path.split("/") if name]
    try:
        for name in names:
            if one.version == 2 and not controller.startswith("name="):
                await _enable(sys, path, controller)
            path = f"{path}/{name}"
            await _directory(sys, path)
        await _owners(sys, path, one.version, asked)
    except SysError as error:
        raise places.failed(error) from None


async def _enable(sys: Process, path: str, controller: str) -> None:
    """Version 2 hands a controller down step by step."""
    file = f"{path}/cgroup.subtree_control"
    if controller not in (await sys.text(file)).split():
        await put(sys, file, f"+{controller}")


async def put(sys: Process, path: str, text: str) -> None:
    """Write one setting. Raises ``SysError``."""
    fd = await sys.open(path, 1)
    try:
        await sys.write(fd, text.encode())
    finally:
        await sys.close(fd)


async def _directory(sys: Process, path: str) -> None:
    try:
        await sys.call("mkdir", path, 0o775)
    except SysError as error:
        if error.errno is not Errno.EEXIST:
            raise


async def _owners(sys: Process, path: str, version: int, asked: dict[str, list[str]]) -> None:
    """-a, -t, -d, -f and -s: to whom the group is delegated."""
    entry = "cgroup.procs" if version == 2 else "tasks"
    files = [f"{path}/{name}" for name in await sys.names(path)]
    plain = [file for file in files if (await sys.stat(file))["mode"] & 0o170000 != 0o040000]
    for owner in asked.get("a", []):
        uid, gid = await _ids(sys, owner)
        for file in (path, *plain):
            await sys.call("chown", file, uid, gid)
    for owner in asked.get("t", []):
        await sys.call("chown", f"{path}/{entry}", *await _ids(sys, owner))
    for mode in asked.get("f", []):
        for file in plain:
            await sys.call("chmod", file, int(mode, 8))
    for mode in asked.get("d", []):
        await sys.call("chmod", path, int(mode, 8))
    for mode in asked.get("s", []):
        await sys.call("chmod", f"{path}/{entry}", int(mode, 8))


async def _ids(sys: Process, text: str) -> tuple[int, int]:
    user, _colon, group = text.partition(":")
    found = await find_user(sys, user)
    if found is None:
        raise OwnerError(f"can't find uid of user {user}.")
    known = {name: number for name, (number, _members) in (await groups(sys)).items()}
    gid = int(group) if group.isdigit() else known.get(group)
    if group and gid is None:
        raise OwnerError(f"can't find gid of group {group}.")
    return found.uid, found.gid if gid is None else gid


@enter("cgdelete", collection=TOOLS)
async def cgdelete(sys: Process, argv: Sequence[str]) -> int:
    """Remove groups; tasks in them move to the group above first, as libcgroup does."""
    try:
        given = parse(argv, "g:hr", {"help": "h", "recursive": "r"})
    except UsageError:
        return await wrong(sys)
    if given.has("h"):
        await sys.out(_DELETE)
        return 0
    specs = [places.parse(text) for text in (*given.values.get("g", []), *given.rest)]
    if None in specs:
        return await wrong(sys)
    status = 0
    for spec in (one for one in specs if one is not None):
        try:
            for controller in await places.expand(sys, spec):
                one = await places.place(sys, controller)
                await _remove(sys, places.below(one, spec.path), deep=given.has("r"))
        except CgroupError as error:
            await sys.err(f"cgdelete: cannot remove group '{spec.path}': {error}\n")
            status = error.status
    return status


async def _remove(sys: Process, path: str, *, deep: bool) -> None:
    try:
        if deep:
            for name in await sys.names(path):
                if (await sys.stat(f"{path}/{name}"))["mode"] & 0o170000 == 0o040000:
                    await _remove(sys, f"{path}/{name}", deep=True)
        above = path.rpartition("/")[0]
        for pid in (await sys.text(f"{path}/cgroup.procs")).split():
            await put(sys, f"{above}/cgroup.procs", pid)
        await sys.call("rmdir", path)
    except SysError as error:
        raise places.failed(error) from None
