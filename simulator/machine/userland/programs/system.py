"""date, uptime, free, dmesg, sysctl, find, lsmod, capabilities: the machine and its settings."""

from collections.abc import Sequence

from simulator.machine.abi.constants import (
    CAPABILITY_NAMES,
    O_TRUNC,
    O_WRONLY,
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
    SYSLOG_ACTION_CLEAR,
    SYSLOG_ACTION_READ_ALL,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.userland import calendar
from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import enter

_TYPES = {
    "f": S_IFREG,
    "d": S_IFDIR,
    "l": S_IFLNK,
    "c": S_IFCHR,
    "b": S_IFBLK,
    "p": S_IFIFO,
    "s": S_IFSOCK,
}


@enter("date")
async def date(sys: Process, argv: Sequence[str]) -> int:
    """date(1): show the time in UTC, or set it with -s @SECONDS."""
    options = parse(argv, "us:d:r:RI")
    if options.has("s"):
        text = options.value("s").lstrip("@")
        if not text.isdigit():
            raise UsageError(f"invalid date '{options.value('s')}'")
        try:
            await sys.call("clock_settime", 0, (to_number(text), 0))
        except SysError as error:
            return await sys.complain(f"can't set date: {error.message}")
    seconds = (await sys.data("clock_gettime", 0))[0]
    if options.value("d").startswith("@"):
        seconds = to_number(options.value("d")[1:])
    form = options.rest[0][1:] if options.rest and options.rest[0][:1] == "+" else ""
    text = calendar.strftime(form, seconds) if form else calendar.moment(seconds).ctime()
    await sys.out(f"{text}\n")
    return 0


@enter("uptime")
async def uptime(sys: Process, _argv: Sequence[str]) -> int:
    """uptime(1)."""
    now = calendar.moment((await sys.data("clock_gettime", 0))[0])
    up = int(float((await sys.text("/proc/uptime")).split()[0])) // 60
    load = ", ".join((await sys.text("/proc/loadavg")).split()[:3])
    days, minutes = divmod(up, 24 * 60)
    shown = f"{days} day{'s' if days > 1 else ''}, " if days else ""
    hours, minutes = divmod(minutes, 60)
    shown += f"{hours:2}:{minutes:02}" if hours else f"{minutes} min"
    await sys.out(
        f" {now.hour:02}:{now.minute:02}:{now.second:02} up {shown},  0 users,  "
        f"load average: {load}\n"
    )
    return 0


@enter("free")
async def free(sys: Process, argv: Sequence[str]) -> int:
    """free(1), in kB, or -m in MB."""
    unit = 1024 if "-m" in argv else 1
    head = "              total        used        free      shared  buff/cache   available\n"
    try:
        text = await sys.text("/proc/meminfo")
    except SysError as error:
        await sys.fault("can't open '/proc/meminfo'", error)
        await sys.out(head)
        return 0
    rows = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    memory = {name: int(value.split()[0]) // unit for name, value in rows.items()}
    total, unused = memory["MemTotal"], memory["MemFree"]
    cached = memory["Cached"] + memory["Buffers"] + memory.get("SReclaimable", 0)
    shared, available = memory.get("Shmem", 0), memory.get("MemAvailable", unused)
    await sys.out(
        f"{head}Mem:    {total:11} {total - unused - cached:11} {unused:11} {shared:11} "
        f"{cached:11} {available:11}\n"
        f"Swap:   {memory['SwapTotal']:11} {0:11} {memory['SwapFree']:11}\n"
    )
    return 0


@enter("dmesg")
async def dmesg(sys: Process, argv: Sequence[str]) -> int:
    """dmesg(1); -c clears, -r keeps the levels."""
    options = parse(argv, "crn:s:")
    try:
        content = await sys.data("syslog", SYSLOG_ACTION_READ_ALL, 131072)
        if options.has("c"):
            await sys.call("syslog", SYSLOG_ACTION_CLEAR, 0)
    except SysError as error:
        return await sys.complain(f"klogctl: {error.message}")
    text = content.decode() if isinstance(content, bytes) else str(content or "")
    for line in text.splitlines():
        bare = line.partition(">")[2] if line.startswith("<") and not options.has("r") else line
        await sys.out(f"{bare}\n")
    return 0


@enter("sysctl")
async def sysctl(sys: Process, argv: Sequence[str]) -> int:
    """sysctl(8): show settings, or set them with NAME=VALUE."""
    options = parse(argv, "neaAwq")
    status = 0
    names = options.rest
    if options.has("a") or options.has("A"):
        names = await _every(sys, "/proc/sys")
    for word in names:
        name, equals, value = word.partition("=")
        path = "/proc/sys/" + name.replace(".", "\0").replace("/", ".").replace("\0", "/")
        try:
            if equals:
                fd = await sys.open(path, O_WRONLY | O_TRUNC)
                try:
                    await sys.write(fd, value.encode())
                except SysError as error:
                    return await sys.fault("write error", error)
                await sys.close(fd)
                lines = [value]
            else:
                lines = (await sys.text(path)).split("\n")[:-1]
        except SysError as error:
            if options.has("a"):
                continue
            status = 1
            if error.errno is Errno.ENOENT:
                if not options.has("e"):
                    await sys.err(f"sysctl: error: '{name}' is an unknown key\n")
            else:
                verb = "setting" if equals else "reading"
                await sys.err(f"sysctl: error {verb} key '{name}': {error.message}\n")
            continue
        for line in lines:
            await sys.out(f"{line}\n" if options.has("n") else f"{name} = {line}\n")
    return status


async def _every(sys: Process, path: str) -> list[str]:
    found: list[str] = []
    for name in sorted(await sys.names(path)):
        below = f"{path}/{name}"
        status = await sys.lstat(below)
        if status["mode"] & S_IFMT == S_IFDIR:
            found += await _every(sys, below)
        elif status["mode"] & 0o444:
            found.append(below.removeprefix("/proc/sys/").replace("/", "."))
    return found


@enter("lsmod")
async def lsmod(sys: Process, _argv: Sequence[str]) -> int:
    """lsmod(8)."""
    try:
        text = await sys.text("/proc/modules")
    except SysError as error:
        await sys.fault("/proc/modules", error)
        text = ""
    await sys.out("Module                  Size  Used by    Not tainted\n")
    for line in text.splitlines():
        name, size, count, users, *_ = line.split()
        await sys.out(f"{name:<19} {size:>8}  {count} {'' if users == '-' else users}\n")
    return 0


@enter("getpcaps", "capsh")
async def getpcaps(sys: Process, argv: Sequence[str]) -> int:
    """getpcaps(8) PID..., or capsh --print: capability sets by name."""
    pids = [word for word in argv[1:] if word.isdigit()] or ["self"]
    for pid in pids:
        text = await sys.text(f"/proc/{pid}/status")
        rows = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        if sys.name == "capsh":
            await sys.out(f"Current: {_named(rows['CapPrm'])}\n")
            await sys.out(f"Bounding set ={_named(rows['CapBnd']).removeprefix('=')}\n")
        else:
            await sys.out(f"{pid}: {_named(rows['CapPrm'])}\n")
    return 0


def _named(digits: str) -> str:
    bits = int(digits, 16)
    if bits == (1 << len(CAPABILITY_NAMES)) - 1:
        return "=ep"
    names = [name.lower() for number, name in enumerate(CAPABILITY_NAMES) if bits >> number & 1]
    return f"{','.join(names)}=ep" if names else "="
