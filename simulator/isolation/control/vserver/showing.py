"""What an operator looks with: vps and vserver-stat, from context 1.

The host's own context sees no guest's process. Source: src/{vps,vserver-stat}.c.
"""

from collections.abc import Sequence

from simulator.isolation.control.vserver import config, kernel
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import TOOLS, enter

_CONTEXT_WIDTH, _NUMBER_WIDTH = 20, 5
_TICKS = 100


async def _names(sys: Process) -> dict[int, str]:
    """What the contexts are called."""
    found = {0: "MAIN", 1: "ALL_PROC"}
    for guest in await config.configured(sys):
        found[guest.context] = guest.name
    return found


async def _unwatched(sys: Process, status: int) -> int:
    """switchToWatchXid() has failed: without CAP_CONTEXT there is no feature to migrate."""
    text = "can not change context: migrate kernel feature missing and 'compat' API disabled"
    await sys.err(f"{text}: Function not implemented\n")
    return status


@enter("vps", collection=TOOLS)
async def vps(sys: Process, argv: Sequence[str]) -> int:
    """ps(1) of all contexts, with a column that says which."""
    if argv[1:] == ["--help"]:
        await sys.out("Usage:  vps <ps-opts>*\n")
        return 0
    names = await _names(sys)
    if not await kernel.watch(sys):
        return await _unwatched(sys, 255)
    read, write = await sys.data("pipe")

    async def child(own: Process) -> int:
        await own.call("dup2", write, 1)
        await own.call("close", read)
        await own.call("close", write)
        await own.execve("/bin/ps", ["ps", *argv[1:]], own.env)
        return 127

    number = await sys.spawn(child)
    await sys.close(write)
    lines = (await sys.drain(read)).decode().splitlines()
    if not lines or "PID" not in lines[0]:
        await sys.err("Failed to parse ps-output\n")
        return 255
    rest = lines[0][lines[0].index("PID") + 3 :]
    end = len(lines[0]) - len(rest.lstrip())
    await sys.out(f"{lines[0][:end]}{'CONTEXT':<{_CONTEXT_WIDTH}}{lines[0][end:]}\n")
    for line in lines[1:]:
        word = next(iter(line.split()), "0")
        xid = await kernel.context_of(sys, int(word)) if word.isdigit() else -1
        told = f"{xid:>{_NUMBER_WIDTH}} {names.get(xid, '')}" if xid >= 0 else "  ERR "
        await sys.out(f"{line[:end]:<{end}}{told:<{_CONTEXT_WIDTH}}{line[end:]}\n")
    # Only now: until it is waited for, the ps that was listed has a context to ask for.
    await sys.call("wait4", number, 0)
    return 0


@enter("vpstree", collection=TOOLS)
async def vpstree(sys: Process, argv: Sequence[str]) -> int:
    """A tree of the processes of all contexts: here the plain list, for want of pstree(1)."""
    return await vps(sys, argv)


@enter("vtop", collection=TOOLS)
async def vtop(sys: Process, argv: Sequence[str]) -> int:
    """top(1) in context 1, which sees all others (scripts/vtop)."""
    if not await kernel.watch(sys):
        return await _unwatched(sys, 255)
    await sys.execve("/bin/top", ["top", *argv[1:]], sys.env)
    return 127


@enter("vserver-stat", collection=TOOLS)
async def vserver_stat(sys: Process, argv: Sequence[str]) -> int:
    """One line for each context: processes, memory, times."""
    if argv[1:] == ["--help"]:
        await sys.out("Usage:  vserver-stat\nShow information about all active contexts.\n")
        return 0
    if len(argv) > 1:
        await sys.err("Unknown parameter, use '--help' for more information\n")
        return 1
    names = {**await _names(sys), 0: "root server"}
    if not await kernel.watch(sys):
        return await _unwatched(sys, 1)
    table: dict[int, list[tuple[int, int, int, int]]] = {}
    for word in await sys.names("/proc"):
        if word.isdigit():
            number = await kernel.context_of(sys, int(word))
            fields = (await sys.text_or_empty(f"/proc/{word}/stat")).rpartition(")")[2].split()
            if number >= 0 and len(fields) > 21:
                size, resident = int(fields[20]), int(fields[21]) * 4096
                user, started = int(fields[11]), int(fields[19])
                table.setdefault(number, []).append((size, resident, user, started))
    uptime = float((await sys.text("/proc/uptime")).split()[0])
    await sys.out("CTX   PROC    VSZ    RSS  userTIME   sysTIME    UPTIME NAME\n")
    for number in sorted(table):
        rows = table[number]
        size, resident, user = (sum(row[column] for row in rows) for column in range(3))
        since = uptime - min(row[3] for row in rows) / _TICKS
        line = f"{number:<4}{len(rows):>6}{_memory(size):>7}{_memory(resident):>7}"
        line += f"{_time(user / _TICKS):>10}{_time(0):>10}{_time(since):>10}"
        await sys.out(f"{line} {names.get(number, '')}\n")
    return 0


def _memory(count: int) -> str:
    """shortenMem()."""
    for unit in ("", "K", "M", "G"):
        if count < 10_000:
            return f"{count}{unit}"
        count //= 1024
    return f"{count}T"


def _time(seconds: float) -> str:
    """shortenTime()."""
    whole, rest = divmod(int(seconds * 100), 100)
    minutes, whole = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m{whole:02}"
    return f"{minutes}m{whole:02}s{rest:02}"
