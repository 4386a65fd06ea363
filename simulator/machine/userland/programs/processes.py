"""ps, pgrep, pkill, pidof, kill, killall, nice, renice, top: programs about processes.

On a kernel with procfs everything is read there; nothing asks the kernel by another way.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from simulator.machine.userland import signals
from simulator.machine.userland.accounts import Names
from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.basic import become
from simulator.machine.userland.programs.text import regex
from simulator.machine.userland.registry import enter

_HEADS = {
    "pid": ("PID", 5),
    "ppid": ("PPID", 5),
    "user": ("USER", 8),
    "comm": ("COMMAND", 16),
    "args": ("COMMAND", 256),
    "stat": ("STAT", 4),
    "vsz": ("VSZ", 6),
    "rss": ("RSS", 4),
    "nice": ("NI", 5),
    "group": ("GROUP", 8),
    "pgid": ("PGID", 5),
    "sid": ("SID", 5),
    "time": ("TIME", 6),
    "tty": ("TT", 6),
    "etime": ("ELAPSED", 7),
}
_ALIASES = {"cmd": "args", "command": "args", "ni": "nice", "ucmd": "comm", "state": "stat"}


class Seen(NamedTuple):
    """A process as /proc shows it."""

    pid: int
    comm: str
    argv: list[str]
    state: str
    ppid: int
    pgid: int
    sid: int
    nice: int
    vsz: int
    rss: int
    uid: int
    gid: int

    def command(self) -> str:
        """The arguments, with the name in front when they begin otherwise (busybox ps)."""
        if not self.argv:
            return f"[{self.comm}]"
        line = " ".join(self.argv)
        first = self.argv[0].removeprefix("-").rpartition("/")[2]
        return line if first.startswith(self.comm) else f"{{{self.comm}}} {line}"


async def scan(sys: Process) -> list[Seen]:
    """Every process that /proc shows, by pid."""
    try:
        names = await sys.names("/proc")
    except SysError:
        return []
    found: list[Seen] = []
    for name in sorted(int(name) for name in names if name.isdigit()):
        seen = await _look(sys, name)
        if seen is not None:
            found.append(seen)
    return found


async def _look(sys: Process, pid: int) -> Seen | None:
    try:
        status = await sys.stat(f"/proc/{pid}")
        stat = await sys.text(f"/proc/{pid}/stat")
        cmdline = await sys.text(f"/proc/{pid}/cmdline")
    except SysError:
        return None
    match = re.match(r"\d+ \((.*)\) (.*)", stat, re.DOTALL)
    if match is None:
        return None
    fields = match.group(2).split()
    return Seen(
        pid=pid,
        comm=match.group(1),
        argv=[word for word in cmdline.split("\0") if word],
        state=fields[0],
        ppid=int(fields[1]),
        pgid=int(fields[2]),
        sid=int(fields[3]),
        nice=int(fields[16]),
        vsz=int(fields[20]) // 1024,
        rss=int(fields[21]) * 4,
        uid=status["uid"],
        gid=status["gid"],
    )


@enter("ps")
async def ps(sys: Process, argv: Sequence[str]) -> int:
    """ps(1) of busybox: -o chooses columns; other options are taken and change nothing."""
    columns = ["pid", "user", "args"]
    words = list(argv[1:])
    if "-o" in words[:-1]:
        columns = [_ALIASES.get(w, w) for w in words[words.index("-o") + 1].split(",")]
    elif words and words[0].startswith("-o"):
        columns = [_ALIASES.get(w, w) for w in words[0][2:].split(",")]
    for column in columns:
        if column not in _HEADS:
            raise UsageError(f"bad -o argument '{column}', supported arguments: user,group,comm")
    names = Names(sys)
    last = len(columns) - 1
    heads = [_HEADS[c][0] + (" " if c == "pid" else "") for c in columns]
    head = [_padded(text, _HEADS[c][1]) for text, c in zip(heads, columns, strict=True)]
    await sys.out(" ".join([*head[:last], heads[last].strip()]) + "\n")
    for seen in await scan(sys):
        cells = [await _cell(seen, column, names) for column in columns]
        row = [_padded(t, _HEADS[c][1], c) for t, c in zip(cells, columns, strict=True)]
        tail = cells[last] if columns[last] in ("args", "comm") else row[last]
        await sys.out(" ".join([*row[:last], tail]) + "\n")
    return 0


def _padded(text: str, width: int, column: str = "") -> str:
    if column in ("pid", "ppid", "pgid", "sid", "vsz", "rss", "nice"):
        return f"{text:>{width}}"
    return f"{text:<{width}}"


async def _cell(seen: Seen, column: str, names: Names) -> str:
    match column:
        case "user":
            return (await names.user(seen.uid))[:8]
        case "group":
            return (await names.group(seen.gid))[:8]
        case "args":
            return seen.command()
        case "stat":
            return seen.state + ("N" if seen.nice > 0 else "<" if seen.nice < 0 else "")
        case "time" | "etime":
            return "0:00"
        case "tty":
            return "?"
        case _:
            return str(getattr(seen, column))


@enter("pgrep", "pkill")
async def pgrep(sys: Process, argv: Sequence[str]) -> int:
    """pgrep(1) and pkill(1) with -f, -x, -l, -v, -u, -signal."""
    words = list(argv)
    signal = 15
    if sys.name == "pkill" and len(words) > 1 and words[1].startswith("-"):
        given = signals.number(words[1][1:])
        if given is not None:
            signal = given
            words.pop(1)
    options = parse(words, "flvxonas:u:U:P:")
    if not options.rest:
        raise UsageError("no pattern")
    pattern = regex(options.rest[0])
    mine = await sys.value("getpid")
    hits: list[Seen] = []
    for seen in await scan(sys):
        text = " ".join(seen.argv) if options.has("f") else seen.comm
        found = pattern.fullmatch(text) if options.has("x") else pattern.search(text)
        if bool(found) != options.has("v") and seen.pid != mine:
            hits.append(seen)
    for seen in hits:
        if sys.name == "pkill":
            await sys.succeeds("kill", seen.pid, signal)
        else:
            await sys.out(f"{seen.pid} {seen.command()}\n" if options.has("l") else f"{seen.pid}\n")
    return int(not hits)


@enter("pidof")
async def pidof(sys: Process, argv: Sequence[str]) -> int:
    """pidof(1)."""
    wanted = {word.rpartition("/")[2] for word in argv[1:]}
    hits = [s for s in await scan(sys) if s.comm in wanted or _called(s) in wanted]
    if hits:
        await sys.out(" ".join(str(seen.pid) for seen in reversed(hits)) + "\n")
    return int(not hits)


def _called(seen: Seen) -> str:
    return seen.argv[0].rpartition("/")[2] if seen.argv else ""


@enter("kill")
async def kill(sys: Process, argv: Sequence[str]) -> int:
    """kill(1)."""
    words = list(argv[1:])
    signal: int | None = 15
    if words[:1] == ["-l"]:
        named = [signals.translated(word) for word in words[1:]]
        await sys.out("".join(f"{one}\n" for one in named) or signals.listing())
        return 0
    if words and words[0] == "-s" and len(words) > 1:
        signal, words = signals.number(words[1]), words[2:]
    elif words and words[0].startswith("-") and words[0] != "--":
        signal, words = signals.number(words[0][1:]), words[1:]
        if signal is None:
            return await sys.complain(f"bad signal name '{argv[1][1:]}'")
    words = words[1:] if words[:1] == ["--"] else words
    if signal is None:
        return await sys.complain(f"bad signal name '{argv[2]}'")
    if not words:
        raise UsageError("you need to specify whom to kill")
    status = 0
    for word in words:
        if not word.lstrip("-").isdigit():
            status = await sys.complain(f"invalid number '{word}'")
            continue
        try:
            await sys.call("kill", to_number(word), signal)
        except SysError as error:
            status = await sys.complain(f"can't kill pid {word}: {error.message}")
    return status


@enter("killall")
async def killall(sys: Process, argv: Sequence[str]) -> int:
    """killall(1)."""
    words, signal = list(argv[1:]), 15
    if words and words[0].startswith("-"):
        signal = signals.number(words.pop(0)[1:]) or 15
    status = 0
    for word in words:
        hits = [seen.pid for seen in await scan(sys) if seen.comm == word]
        if not hits:
            status = await sys.complain(f"{word}: no process killed")
        for pid in hits:
            try:
                await sys.call("kill", pid, signal)
            except SysError as error:
                status = await sys.complain(f"can't kill pid {pid}: {error.message}")
    return status


@enter("nice")
async def nice(sys: Process, argv: Sequence[str]) -> int:
    """nice(1)."""
    options = parse(argv, "n:", stop_early=True)
    now = 20 - await sys.value("getpriority", 0, 0)
    if not options.rest:
        await sys.out(f"{now}\n")
        return 0
    await sys.call("setpriority", 0, 0, now + to_number(options.value("n", "10")))
    return await become(sys, options.rest)


@enter("renice")
async def renice(sys: Process, argv: Sequence[str]) -> int:
    """renice(1)."""
    words = [word for word in argv[1:] if word not in ("-p", "-g", "-u")]
    relative = words[:1] == ["-n"]
    words = words[1:] if relative else words
    if len(words) < 2:
        raise UsageError("renice [-n] PRIORITY [-p] PID...")
    status = 0
    for word in words[1:]:
        try:
            value = to_number(words[0])
            if relative:
                value += 20 - await sys.value("getpriority", 0, to_number(word))
            await sys.call("setpriority", 0, to_number(word), value)
        except SysError as error:
            status = await sys.complain(f"{word}: setpriority: {error.message}")
    return status


@enter("top")
async def top(sys: Process, _argv: Sequence[str]) -> int:
    """top(1) -b -n1: memory, load, and the processes once."""
    memory = dict(
        line.split(":", 1) for line in (await sys.text("/proc/meminfo")).splitlines() if ":" in line
    )
    total, free = (int(memory[key].split()[0]) for key in ("MemTotal", "MemFree"))
    load = " ".join((await sys.text("/proc/loadavg")).split()[:3])
    await sys.out(f"Mem: {total - free}K used, {free}K free, 0K shrd, 0K buff, 0K cached\n")
    await sys.out("CPU:   0% usr   0% sys   0% nic 100% idle   0% io   0% irq   0% sirq\n")
    await sys.out(f"Load average: {load}\n")
    await sys.out("  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND\n")
    names = Names(sys)
    for seen in await scan(sys):
        user = (await names.user(seen.uid))[:8]
        share = seen.vsz * 100 // total
        await sys.out(
            f"{seen.pid:5} {seen.ppid:5} {user:<8} {seen.state:<4} {seen.vsz:5} {share:3}%   0   "
            f"0% {seen.command()}\n"
        )
    return 0
