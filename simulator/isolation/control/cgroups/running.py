"""cgexec(1) and cgclassify(1). Source: libcgroup src/tools/cgexec.c, cgclassify.c"""

from collections.abc import Sequence

from simulator.isolation.control.cgroups import places
from simulator.isolation.control.cgroups.making import USAGE_STATUS, put, wrong
from simulator.isolation.control.cgroups.places import CgroupError, Spec
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_EXEC = """Usage: cgexec [-h] [-g <controllers>:<path>] [--sticky] command [arguments] ...
Run the task in given control group(s)
  -g <controllers>:<path>	Control group which should be added
  -h, --help			Display this help
  --sticky			cgred daemon does not change pidlist and children tasks
"""
_CLASSIFY = """Usage: cgclassify [[-g] <controllers>:<path>] [--sticky | --cancel-sticky] \
<list of pids>
Move running task(s) to given cgroups
  -h, --help			Display this help
  -g <controllers>:<path>	Control group to be used as target
  --cancel-sticky		cgred daemon change pidlist and children tasks
  --sticky			cgred daemon does not change pidlist and children tasks
"""
_LONG = {"help": "h", "sticky": "s", "cancel-sticky": "u"}


async def _attach(sys: Process, specs: list[Spec], pid: str) -> None:
    """cgroup_attach_task_pid(): the pid into ``tasks`` of version 1, ``cgroup.procs`` of 2."""
    for spec in specs:
        for controller in await places.expand(sys, spec):
            one = await places.place(sys, controller)
            entry = "cgroup.procs" if one.version == 2 else "tasks"
            try:
                await put(sys, f"{places.below(one, spec.path)}/{entry}", pid)
            except SysError as error:
                if error.errno is Errno.ENOENT:
                    raise CgroupError(places.NOT_EXIST) from None
                raise places.failed(error) from None


@enter("cgexec", collection=TOOLS)
async def cgexec(sys: Process, argv: Sequence[str]) -> int:
    """Join the groups, then become the command."""
    try:
        given = parse(argv, "g:hs", _LONG, stop_early=True)
    except UsageError:
        return await wrong(sys, "--help")
    if given.has("h"):
        await sys.out(_EXEC)
        return 0
    specs = [places.parse(text) for text in given.values.get("g", [])]
    if not given.rest or None in specs:
        await wrong(sys, "--help")
        return 1
    try:
        await _attach(sys, [one for one in specs if one is not None], str(await _me(sys)))
    except CgroupError as error:
        await sys.err("cgroup change of group failed\n")
        return error.status
    last = Errno.ENOENT
    for directory in _search(sys, given.rest[0]):
        try:
            await sys.execve(f"{directory}{given.rest[0]}", given.rest, sys.env)
        except SysError as error:
            last = error.errno
    await sys.err(f"{last.message}\n")
    return USAGE_STATUS


async def _me(sys: Process) -> int:
    return await sys.value("getpid")


def _search(sys: Process, command: str) -> list[str]:
    if "/" in command:
        return [""]
    return [f"{one}/" for one in sys.env.get("PATH", "/bin:/usr/bin").split(":")]


@enter("cgclassify", collection=TOOLS)
async def cgclassify(sys: Process, argv: Sequence[str]) -> int:
    """Move processes that run already."""
    try:
        given = parse(argv, "g:hsu", _LONG)
    except UsageError:
        return await wrong(sys)
    if given.has("h"):
        await sys.out(_CLASSIFY)
        return 0
    specs = [places.parse(text) for text in given.values.get("g", [])]
    if not given.rest or not specs or None in specs:
        await wrong(sys)
        return 2
    status = 0
    for pid in given.rest:
        try:
            await _attach(sys, [one for one in specs if one is not None], pid)
        except CgroupError as error:
            await sys.err(f"Error changing group of pid {pid}: {error}\n")
            status = 1
    return status
