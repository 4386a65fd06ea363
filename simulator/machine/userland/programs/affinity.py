"""taskset, nproc: which processors a process may use."""

import contextlib
from collections.abc import Sequence

from simulator.machine.kernel.resource.processors import listed, parse_list
from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.basic import become
from simulator.machine.userland.registry import enter

_MASK_BYTES = 8


@enter("taskset")
async def taskset(sys: Process, argv: Sequence[str]) -> int:
    """taskset(1): ask and say where a process runs, or start a program there."""
    options = parse(argv, "apc", stop_early=True)
    as_list, words = options.has("c"), list(options.rest)
    if not words:
        raise UsageError("missing operand")
    pid = to_number(words[-1]) if options.has("p") else 0
    if options.has("p") and len(words) == 1:
        return await _tell(sys, pid, "current", as_list=as_list)
    wanted = _wanted(words[0], as_list=as_list)
    if options.has("p") and (status := await _tell(sys, pid, "current", as_list=as_list)):
        return status
    try:
        await sys.call("sched_setaffinity", pid, _MASK_BYTES, wanted)
    except SysError as error:
        return await sys.complain(f"can't set pid {pid}'s affinity: {error.message}")
    if options.has("p"):
        return await _tell(sys, pid, "new", as_list=as_list)
    return await become(sys, words[1:])


def _wanted(word: str, *, as_list: bool) -> int:
    try:
        if as_list:
            return sum(1 << number for number in parse_list(word))
        return int(word, 16)
    except ValueError:
        raise UsageError(f"bad affinity '{word}'") from None


async def _tell(sys: Process, pid: int, when: str, *, as_list: bool) -> int:
    try:
        mask = await sys.data("sched_getaffinity", pid, _MASK_BYTES)
    except SysError as error:
        return await sys.complain(f"can't get pid {pid}'s affinity: {error.message}")
    told = f"list: {listed(mask)}" if as_list else f"mask: {mask:x}"
    await sys.out(f"pid {pid}'s {when} affinity {told}\n")
    return 0


@enter("nproc")
async def nproc(sys: Process, argv: Sequence[str]) -> int:
    """nproc(1): the processors it may use itself; ``--all`` of the machine, by /proc."""
    options = parse(argv, "ai:", {"all": "a", "ignore": "i"})
    found = 0
    if not options.has("a"):
        with contextlib.suppress(SysError):
            found = int(await sys.data("sched_getaffinity", 0, _MASK_BYTES)).bit_count()
    found = found or (await sys.text_or_empty("/proc/cpuinfo")).count("processor")
    await sys.out(f"{max(found - to_number(options.value('i', '0')), 1)}\n")
    return 0
