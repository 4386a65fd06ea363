"""FreeBSD's own ps, sysctl, mount, df, dmesg, ifconfig, jls, jexec, chroot and hostname.

Nothing here reads /proc, which FreeBSD does not mount: processes and prisons come from sysctl(3),
mounts from getfsstat(2). What is not here is the same program as elsewhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

from simulator.machine.abi.call import Value
from simulator.machine.abi.constants import IFF_LOOPBACK, IFF_RUNNING, IFF_UP
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.accounts import Names, groups, users
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.basic import become
from simulator.machine.userland.programs.network import Device, devices
from simulator.machine.userland.registry import BSD, enter

_ALIASES = {"args": "command", "cmd": "command"}
_HEADS = {
    "pid": "PID",
    "ppid": "PPID",
    "user": "USER",
    "uid": "UID",
    "jid": "JID",
    "stat": "STAT",
    "comm": "COMMAND",
    "command": "COMMAND",
    "tt": "TT",
    "time": "TIME",
    "%cpu": "%CPU",
    "%mem": "%MEM",
    "vsz": "VSZ",
    "rss": "RSS",
    "started": "STARTED",
}
_LEFT = ("user", "stat", "comm", "command", "tt", "started")
_SHORT = ["pid", "tt", "stat", "time", "command"]
_USER = ["user", "pid", "%cpu", "%mem", "vsz", "rss", "tt", "stat", "started", "time", "command"]


Rows: TypeAlias = list[dict[str, Any]]


async def _value(sys: Process, name: str) -> Any:
    return await sys.data("__sysctlbyname", name, None)


@enter("ps", collection=BSD)
async def ps(sys: Process, argv: Sequence[str]) -> int:
    """ps(1) with a, x, u, -o, -J and -p, from kern.proc."""
    argv, jail = _without(argv, "J")
    words = "ax" if jail is not None and len(argv) < 2 else ""
    words += "".join(word.lstrip("-") for word in argv[1:2])
    columns = _USER if "u" in words else list(_SHORT)
    wish = [word for word in argv[1:] if "," in word or word in _HEADS or word in _ALIASES]
    if any(word.startswith("-") and word.endswith("o") for word in argv[1:]) and wish:
        columns = [_ALIASES.get(name, name) for name in wish[0].split(",")]
        words = "ax" if any("a" in word for word in argv[1:] if word[:1] == "-") else ""
    unknown = [name for name in columns if name not in _HEADS]
    if unknown:
        raise UsageError(f"{unknown[0]}: keyword not found")
    names, me = Names(sys), await sys.value("geteuid")
    rows = cast("Rows", await _value(sys, "kern.proc.proc"))
    if ("a" not in words and "x" not in words and "e" not in words) or (
        "a" not in words and "e" not in words
    ):
        rows = [row for row in rows if row["uid"] == me]
    jailed = await _value(sys, "security.jail.jailed")
    for row in rows:
        row["jid"] = row["jid"] or jailed
    if jail is not None:
        wanted = await _jid(sys, jail)
        if wanted is None:
            return await sys.complain(f"Invalid jail id: {jail}")
        rows = [row for row in rows if row["jid"] == wanted]
    table = [[_HEADS[name] for name in columns]]
    for row in sorted(rows, key=lambda one: one["pid"]):
        table.append([await _cell(sys, row, name, names) for name in columns])
    await sys.out(_aligned(table, columns))
    return 0


def _without(argv: Sequence[str], letter: str) -> tuple[list[str], str | None]:
    """The words without ``-letter VALUE``, and the value; None where it is not given."""
    words, value = list(argv), None
    for at, word in enumerate(words):
        if word == f"-{letter}" and at + 1 < len(words):
            value = words[at + 1]
            return words[:at] + words[at + 2 :], value
        if word.startswith(f"-{letter}") and len(word) > 2:
            return words[:at] + words[at + 1 :], word[2:]
    return words, None


async def _jid(sys: Process, text: str) -> int | None:
    """jail_getid(3): a number as it is, or a jail's name."""
    if text.isdigit():
        return int(text)
    try:
        return await sys.value("jail_get", {"name": text}, 0)
    except SysError:
        return None


async def _cell(sys: Process, row: dict[str, Any], name: str, names: Names) -> str:
    match name:
        case "user":
            return await names.user(row["uid"])
        case "command":
            try:
                arguments = cast("list[str]", await _value(sys, f"kern.proc.args.{row['pid']}"))
            except SysError:
                arguments = list[str]()
            return " ".join(arguments) if arguments else f"[{row['comm']}]"
        case "vsz" | "rss":
            return str(2332 + row["size"] // 1024)
        case "stat":
            return row["stat"] + ("J" if row["jid"] else "")
        case "tt" | "started":
            return "-"
        case "time":
            return "0:00.00"
        case "%cpu" | "%mem":
            return "0.0"
        case _:
            return str(row.get(name, ""))


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


@enter("sysctl", collection=BSD)
async def sysctl(sys: Process, argv: Sequence[str]) -> int:
    """sysctl(8) with -n; NAME=VALUE sets."""
    options = parse(argv, "naiNoxbdetW")
    status = 0
    for word in options.rest:
        name, equals, value = word.partition("=")
        try:
            if equals and await _is_read_only(sys, name):
                status = 1
                continue
            old = await sys.data("__sysctlbyname", name, value if equals else None)
        except SysError as error:
            status = 1
            text = "unknown oid" if error.errno is Errno.ENOENT else error.message
            shown = f"{name}: {text}" if equals and text != "unknown oid" else f"{text} '{name}'"
            await sys.err(f"sysctl: {shown}\n")
            continue
        line = f"{old} -> {value}" if equals else str(old)
        await sys.out(f"{line}\n" if options.has("n") else f"{name}: {line}\n")
    return status


async def _is_read_only(sys: Process, name: str) -> bool:
    """parse(): sysctl(8) looks at the flags before it tries; says so if nothing can be set."""
    flags = await _value(sys, f"sysctl.oidfmt.{name}")
    if flags == "RW":
        return False
    if flags == "RDTUN":
        await sys.complain(f"oid '{name}' is a read only tunable")
        await sys.complain("Tunable values are set in /boot/loader.conf")
    else:
        await sys.complain(f"oid '{name}' is read only")
    return True


@enter("dmesg", collection=BSD)
async def dmesg(sys: Process, _argv: Sequence[str]) -> int:
    """dmesg(8), from kern.msgbuf."""
    try:
        content = await _value(sys, "kern.msgbuf")
    except SysError as error:
        return await sys.complain(f"sysctl kern.msgbuf: {error.message}")
    text = content.decode() if isinstance(content, bytes) else str(content)
    lines = [line.partition(">")[2] if line[:1] == "<" else line for line in text.splitlines()]
    await sys.out("".join(f"{line}\n" for line in lines))
    return 0


@enter("mount", collection=BSD)
async def mount(sys: Process, argv: Sequence[str]) -> int:
    """mount(8): list what getfsstat(2) shows, or mount with -t and -o ro."""
    options = parse(argv, "apt:o:rwuvf")
    if not options.rest:
        for row in cast("Rows", await sys.data("getfsstat", 0, 0)):
            await sys.out(f"{row['from']} on {row['on']} ({row['fstype']})\n")
        return 0
    source, target = options.rest[0], options.rest[-1]
    flags = 1 if options.has("r") or "ro" in options.value("o").split(",") else 0
    try:
        await sys.call("mount", source, target, options.value("t", "ufs"), flags, None)
    except SysError as error:
        return await sys.complain(f"{source}: {error.message}")
    return 0


@enter("df", collection=BSD)
async def df(sys: Process, _argv: Sequence[str]) -> int:
    """df(1), in kB."""
    await sys.out("Filesystem  1K-blocks     Used    Avail Capacity  Mounted on\n")
    for row in cast("Rows", await sys.data("getfsstat", 0, 0)):
        facts = await sys.data("statfs", row["on"])
        unit = facts.get("bsize", 4096)
        blocks, left = (facts.get(key, 0) * unit // 1024 for key in ("blocks", "bfree"))
        share = (blocks - left) * 100 // blocks if blocks else 0
        await sys.out(
            f"{row['from']:<11} {blocks:9} {blocks - left:8} {left:8} {share:5}%    {row['on']}\n"
        )
    return 0


@enter("umount", collection=BSD)
async def umount(sys: Process, argv: Sequence[str]) -> int:
    """umount(8) with -f."""
    options = parse(argv, "fvaAt:")
    status = 0
    for path in options.rest:
        try:
            await sys.call("unmount", path, 0x80000 if options.has("f") else 0)
        except SysError as error:
            status = await sys.complain(f"unmount of {path} failed: {error.message}")
    return status


@enter("jls", collection=BSD)
async def jls(sys: Process, argv: Sequence[str]) -> int:
    """jls(8): the prisons below one's own; -n by parameter, or chosen parameters."""
    options = parse(argv, "ndhNqsvj:")
    last = 0
    rows: Rows = []
    while True:
        try:
            reply = await sys.call("jail_get", {"lastjid": last}, 0)
        except SysError:
            break
        last = reply.value
        rows.append(cast("dict[str, Any]", reply.data))
    if options.rest:
        for row in rows:
            await sys.out(" ".join(str(row.get(name, "-")) for name in options.rest) + "\n")
        return 0
    await sys.out("   JID  IP Address      Hostname                      Path\n")
    for row in rows:
        address = (row.get("ip4.addr") or ("",))[0]
        await sys.out(
            f"{row['jid']:6}  {address:<15} {row['host.hostname']:<29} {row.get('path', '')}\n"
        )
    return 0


@enter("jexec", collection=BSD)
async def jexec(sys: Process, argv: Sequence[str]) -> int:
    """jexec(8): jail_attach(2), then a program."""
    options = parse(argv, "lnu:U:", stop_early=True)
    if not options.rest:
        raise UsageError("jexec [-l] [-u username] jail [command ...]")
    jid, command = options.rest[0], options.rest[1:] or ["/bin/sh"]
    wanted: dict[str, Value] = {"jid": int(jid)} if jid.isdigit() else {"name": jid}
    try:
        number = await sys.value("jail_get", wanted, 0)
    except SysError:
        return await sys.complain(f'jail "{jid}" not found')
    try:
        await sys.call("jail_attach", number)
    except SysError as error:
        return await sys.complain(f"jail_attach({jid}): {error.message}")
    await sys.call("chdir", "/")
    return await become(sys, command)


_CHROOT = "usage: chroot [-g group] [-G group,group,...] [-u user] newroot [command]\n"


@enter("chroot", collection=BSD)
async def chroot(sys: Process, argv: Sequence[str]) -> int:
    """chroot(8): users and groups are of the files outside, and looked up before the step."""
    try:
        options = parse(argv, "G:g:u:", stop_early=True)
    except UsageError as error:
        told = str(error).replace("invalid", "illegal").replace("'", "")
        await sys.err(f"{sys.name}: {told}\n{_CHROOT}")
        return 1
    if not options.rest or any("" in options.values.get(letter, []) for letter in "Ggu"):
        await sys.err(_CHROOT)
        return 1
    known = {name: gid for name, (gid, _members) in (await groups(sys)).items()}
    people = {user.name: user.uid for user in await users(sys)}
    try:
        several = [_number(one, known) for one in options.value("G").split(",") if one]
        gid = _number(options.value("g"), known) if options.has("g") else None
    except KeyError as missing:
        return await sys.complain(f"no such group `{missing.args[0]}'")
    try:
        uid = _number(options.value("u"), people) if options.has("u") else None
    except KeyError as missing:
        return await sys.complain(f"no such user `{missing.args[0]}'")
    root, *command = options.rest
    try:
        await sys.call("chdir", root)
        await sys.call("chroot", ".")
    except SysError as error:
        return await sys.complain(f"{root}: {error.message}")
    if several:
        await sys.call("setgroups", len(several), list[Value](several))
    for name, number in (("setgid", gid), ("setuid", uid)):
        if number is not None:
            await sys.call(name, number)
    return await _execvp(sys, command or [sys.env.get("SHELL", "/bin/sh"), "-i"])


def _number(text: str, known: Mapping[str, int]) -> int:
    """An id as it is, or by its name. Raises ``KeyError`` with the name."""
    return int(text) if text.isdigit() else known[text]


async def _execvp(sys: Process, command: list[str]) -> int:
    """execvp(3), and err(3) when it fails."""
    program, message = command[0], ""
    path = sys.env.get("PATH", "/bin:/usr/bin").split(":")
    for place in [program] if "/" in program else [f"{one}/{program}" for one in path]:
        try:
            await sys.execve(place, command, sys.env)
        except SysError as error:
            message = error.message
    return await sys.complain(f"{program}: {message}")


@enter("ifconfig", collection=BSD)
async def ifconfig(sys: Process, argv: Sequence[str]) -> int:
    """ifconfig(8): show interfaces."""
    options = parse(argv, "alduk")
    rows = await devices(sys)
    if options.rest:
        rows = [row for row in rows if row.name == options.rest[0]]
        if not rows:
            return await sys.complain(f"interface {options.rest[0]} does not exist")
    for row in rows:
        await sys.out(_interface(row))
    return 0


def _interface(row: Device) -> str:
    bits = ((IFF_UP, "UP"), (IFF_LOOPBACK, "LOOPBACK"), (IFF_RUNNING, "RUNNING"))
    words = [word for bit, word in bits if row.flags & bit]
    out = f"{row.name}: flags={row.flags:x}<{','.join(words)}> metric 0 mtu {row.mtu}\n"
    if not row.loopback:
        out += f"\tether {row.mac}\n"
    if row.address:
        mask = "".join(f"{int(part):02x}" for part in row.mask.split("."))
        tail = "" if row.loopback else f" broadcast {row.broadcast}"
        out += f"\tinet {row.address} netmask 0x{mask}{tail}\n"
    return out


@enter("kldstat", collection=BSD)
async def kldstat(sys: Process, _argv: Sequence[str]) -> int:
    """kldstat(8)."""
    await sys.out("Id Refs Address                Size Name\n")
    number = 0
    while True:
        try:
            number = await sys.value("kldnext", number)
            if not number:
                return 0
            row = await sys.data("kldstat", number)
        except SysError:
            return 0
        await sys.out(f"{number:2}    1 0xffffffff80200000 {row['size']:8x} {row['name']}\n")
