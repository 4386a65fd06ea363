"""Solaris's own ps, mount, umount, df, ifconfig, zonename, modinfo, dmesg, uadmin and reboot.

Processes come from /proc/PID/psinfo, mounts from /etc/mnttab. What is not here is the same program
as elsewhere.
"""

from collections.abc import Sequence

from simulator.machine.abi.constants import (
    A_SHUTDOWN,
    AD_BOOT,
    AD_HALT,
    AD_POWEROFF,
    IFF_BROADCAST,
    IFF_LOOPBACK,
    IFF_RUNNING,
    IFF_UP,
    ZONE_ATTR_NAME,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.accounts import Names
from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.network import Device, devices
from simulator.machine.userland.registry import SUN, enter

Info = dict[str, str]

_HEADS = {
    "user": "USER",
    "uid": "UID",
    "pid": "PID",
    "ppid": "PPID",
    "pgid": "PGID",
    "sid": "SID",
    "nice": "NI",
    "s": "S",
    "zone": "ZONE",
    "zoneid": "ZONEID",
    "vsz": "VSZ",
    "rss": "RSS",
    "tty": "TT",
    "time": "TIME",
    "comm": "COMMAND",
    "args": "COMMAND",
}
_LEFT = ("user", "s", "zone", "tty", "comm", "args")


@enter("zonename", collection=SUN)
async def zonename(sys: Process, argv: Sequence[str]) -> int:
    """zonename(1): the name of the current zone, whatever else is said."""
    del argv
    number = await sys.value("zone_lookup", None)
    await sys.out(f"{await sys.data('zone_getattr', number, ZONE_ATTR_NAME)}\n")
    return 0


@enter("ps", collection=SUN)
async def ps(sys: Process, argv: Sequence[str]) -> int:
    """ps(1) with -e, -f, -Z, -z, -o, -p and, as /usr/ucb/ps, a, u, x."""
    if len(argv) > 1 and not argv[1].startswith("-"):
        wide, everybody = "u" in argv[1], set(argv[1]) & set("ax")
        return await _ucb(sys, wide, bool(everybody))
    options = parse(argv, "eAafljLcdyPZz:o:p:u:U:g:t:n:")
    rows = await processes(sys)
    if options.values.get("o"):
        columns = ",".join(options.values["o"]).replace(" ", ",").split(",")
        unknown = [name for name in columns if name not in _HEADS]
        if unknown:
            raise UsageError(f"unknown output format: -o {unknown[0]}")
    else:
        columns = ["user", "pid", "ppid", "tty", "time", "args"]
        if not options.has("f"):
            columns = ["pid", "tty", "time", "comm"]
        if options.has("Z"):
            columns.insert(0, "zone")
    if options.has("p"):
        wanted = options.value("p").replace(",", " ").split()
        rows = [row for row in rows if row["pid"] in wanted]
    elif options.has("z"):
        rows = [row for row in rows if options.value("z") in (row["zone"], row["zoneid"])]
    elif not {"e", "A", "a"} & set(options.given):
        me = str(await sys.value("geteuid"))
        rows = [row for row in rows if row["euid"] == me]
    names = Names(sys)
    table = [[_HEADS[name] for name in columns]]
    table += [[await _cell(row, name, names) for name in columns] for row in rows]
    await sys.out(_aligned(table, columns))
    return 0


async def processes(sys: Process) -> list[Info]:
    """Every process that /proc shows, by pid: the fields of psinfo_t."""
    found: list[Info] = []
    for name in sorted(int(one) for one in await sys.names("/proc") if one.isdigit()):
        text = await sys.text_or_empty(f"/proc/{name}/psinfo")
        if text:
            found.append(dict(line.split("=", 1) for line in text.splitlines()))
    return found


async def _ucb(sys: Process, wide: bool, everybody: bool) -> int:
    rows, names = await processes(sys), Names(sys)
    if not everybody:
        me = str(await sys.value("geteuid"))
        rows = [row for row in rows if row["euid"] == me]
    columns = ["pid", "tty", "s", "time", "args"]
    if wide:
        columns = ["user", "pid", "vsz", "rss", "tty", "s", "time", "args"]
    table = [[_HEADS[name] for name in columns]]
    table += [[await _cell(row, name, names) for name in columns] for row in rows]
    await sys.out(_aligned(table, columns))
    return 0


async def _cell(row: Info, name: str, names: Names) -> str:
    match name:
        case "user":
            return await names.user(int(row["euid"]))
        case "args":
            return row["psargs"]
        case "comm":
            return row["fname"]
        case "s":
            return "O" if row["state"] == "R" else row["state"]
        case "vsz" | "rss":
            return str(1688 + int(row["size"]))
        case "tty":
            return "?"
        case "time":
            return "0:00"
        case _:
            return row.get(name, "")


def _aligned(table: list[list[str]], columns: list[str]) -> str:
    widths = [max(len(row[place]) for row in table) for place in range(len(columns))]
    out = ""
    for row in table:
        cells = [
            cell.ljust(width) if name in _LEFT else cell.rjust(width)
            for cell, width, name in zip(row, widths, columns, strict=True)
        ]
        out += " ".join(cells).rstrip() + "\n"
    return out


async def mnttab(sys: Process) -> list[list[str]]:
    """/etc/mnttab: special, mount point, type, options, time."""
    text = await sys.text_or_empty("/etc/mnttab")
    return [line.split("\t") for line in text.splitlines()]


@enter("mount", collection=SUN)
async def mount(sys: Process, argv: Sequence[str]) -> int:
    """mount(1M): list /etc/mnttab (-p, -v), or mount with -F type and -o."""
    options = parse(argv, "F:o:pvgOmr")
    if not options.rest:
        for special, place, fstype, words, _time in await mnttab(sys):
            if options.has("p"):
                await sys.out(f"{special} - {place} {fstype} - no {words}\n")
            elif options.has("v"):
                await sys.out(f"{special} on {place} type {fstype} {words.replace(',', '/')}\n")
            else:
                shown = words.replace("rw,", "read/write,").replace("ro,", "read only,")
                await sys.out(f"{place} on {special} {shown.replace(',', '/')}\n")
        return 0
    if len(options.rest) != 2:
        raise UsageError("Usage:\nmount [-v | -p]\nmount [-F FSType] [-o opts] special mount_point")
    special, place = options.rest
    words = ",".join(filter(None, (options.value("o"), "ro" if options.has("r") else "")))
    fstype = options.value("F", "ufs")
    flags = 1 if "ro" in words.split(",") else 0
    try:
        await sys.call("mount", special, place, flags, fstype, None, 0, words or None, len(words))
    except SysError as error:
        return await sys.complain(f"{special} or {place}, {error.message}")
    return 0


@enter("umount", collection=SUN)
async def umount(sys: Process, argv: Sequence[str]) -> int:
    """umount(1M) with -f."""
    options = parse(argv, "fVao:")
    status = 0
    for place in options.rest:
        try:
            await sys.call("umount2", place, 0x400 if options.has("f") else 0)
        except SysError as error:
            shown = "permission denied" if error.errno is Errno.EPERM else error.message
            text = f"{place} busy" if error.errno is Errno.EBUSY else f"{place}: {shown}"
            status = await sys.complain(text)
    return status


@enter("df", collection=SUN)
async def df(sys: Process, argv: Sequence[str]) -> int:
    """df(1M) -k: in kB; -h too is shown so."""
    parse(argv, "khbealnoPtVvZF:")
    await sys.out("Filesystem            kbytes    used   avail capacity  Mounted on\n")
    for special, place, *_rest in await mnttab(sys):
        facts = await sys.data("statfs", place)
        unit = facts.get("bsize", 4096)
        blocks, left = (facts.get(key, 0) * unit // 1024 for key in ("blocks", "bfree"))
        share = (blocks - left) * 100 // blocks if blocks else 0
        line = f"{special:<20} {blocks:7} {blocks - left:7} {left:7} {share:5}%    {place}\n"
        await sys.out(line)
    return 0


@enter("ifconfig", collection=SUN)
async def ifconfig(sys: Process, argv: Sequence[str]) -> int:
    """ifconfig(1M) -a, or one interface."""
    rows = await devices(sys)
    wanted = [word for word in argv[1:] if not word.startswith("-")]
    if wanted:
        rows = [row for row in rows if row.name == wanted[0]]
        if not rows:
            return await sys.complain(f"status: SIOCGLIFFLAGS: {wanted[0]}: no such interface")
    elif "-a" not in argv[1:]:
        raise UsageError("ifconfig -a | interface")
    for row in rows:
        await sys.out(_interface(row))
    return 0


def _interface(row: Device) -> str:
    bits = (
        (IFF_UP, "UP"),
        (IFF_BROADCAST, "BROADCAST"),
        (IFF_LOOPBACK, "LOOPBACK"),
        (IFF_RUNNING, "RUNNING"),
        (0x1000, "MULTICAST"),
    )
    words = [word for bit, word in bits if row.flags & bit] + ["IPv4"]
    head = f"{row.name}: flags=1{row.flags:06x}<{','.join(words)}> mtu {row.mtu}"
    out = f"{head} index {row.number}\n"
    if row.address:
        mask = "".join(f"{int(part):02x}" for part in row.mask.split("."))
        tail = "" if row.loopback else f" broadcast {row.broadcast}"
        out += f"\tinet {row.address} netmask {mask}{tail}\n"
    return out


@enter("modinfo", collection=SUN)
async def modinfo(sys: Process, _argv: Sequence[str]) -> int:
    """modinfo(1M), from /system/object."""
    await sys.out(" Id Loadaddr   Size Info Rev Module Name\n")
    for number, name in enumerate(sorted(await sys.names("/system/object"))):
        await sys.out(f"{number:3} {0xFFFFFFFFFB800000:x}  1000   -   1  {name}\n")
    return 0


@enter("dmesg", collection=SUN)
async def dmesg(sys: Process, _argv: Sequence[str]) -> int:
    """dmesg(1M): what syslogd(1M) of this zone has written down."""
    await sys.out(await sys.text_or_empty("/var/adm/messages"))
    return 0


@enter("uadmin", collection=SUN)
async def uadmin(sys: Process, argv: Sequence[str]) -> int:
    """uadmin(1M): command and function, as numbers."""
    words = [word for word in argv[1:] if word.isdigit()]
    if len(words) != 2:
        raise UsageError("Usage: uadmin cmd fcn [mdep]")
    return await _uadmin(sys, to_number(words[0]), to_number(words[1]))


@enter("reboot", "halt", "poweroff", collection=SUN)
async def reboot(sys: Process, argv: Sequence[str]) -> int:
    """reboot(1M), halt(1M), poweroff(1M)."""
    name = argv[0].rpartition("/")[2]
    function = {"halt": AD_HALT, "poweroff": AD_POWEROFF}.get(name, AD_BOOT)
    return await _uadmin(sys, A_SHUTDOWN, function)


async def _uadmin(sys: Process, command: int, function: int) -> int:
    try:
        await sys.call("uadmin", command, function, None)
    except SysError as error:
        return await sys.complain(
            "permission denied" if error.errno is Errno.EPERM else error.message
        )
    return 0
