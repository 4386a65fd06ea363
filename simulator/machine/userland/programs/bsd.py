"""FreeBSD's own programs where it has no /proc to read: ps, sysctl, dmesg, jls, kldstat, mount.

They ask the kernel by sysctl(3), jail_get(2), kldstat(2) and getfsstat(2). The other programs of a
FreeBSD tree are those that every tree has.
"""

from collections.abc import Sequence
from typing import Any, cast

from simulator.machine.userland.accounts import Names
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import BSD, enter

_MOUNT_FLAGS = {"ro": 0x1, "noexec": 0x4, "nosuid": 0x8}


async def _sysctl(sys: Process, name: str) -> Any:
    return await sys.data("__sysctlbyname", name)


@enter("ps", collection=BSD)
async def ps(sys: Process, argv: Sequence[str]) -> int:
    """ps(1): one line for each process that sysctl kern.proc gives; ``J`` marks a jailed one."""
    del argv
    names = Names(sys)
    await sys.out("USER       PID STAT JID NI COMMAND\n")
    for one in cast("list[dict[str, Any]]", await _sysctl(sys, "kern.proc.all")):
        try:
            words = cast("list[str]", await _sysctl(sys, f"kern.proc.args.{one['pid']}"))
        except SysError:
            words = []
        user = (await names.user(one["uid"]))[:8]
        stat = one["stat"] + ("J" if one["jid"] else "")
        command = " ".join(words) or f"[{one['comm']}]"
        await sys.out(
            f"{user:<8} {one['pid']:>5} {stat:<4} {one['jid']:>3} {one['nice']:>2} {command}\n"
        )
    return 0


@enter("sysctl", collection=BSD)
async def sysctl(sys: Process, argv: Sequence[str]) -> int:
    """sysctl(8): ``name`` reads, ``name=value`` writes; -n leaves the name out."""
    options = parse(argv, "nqi")
    if not options.rest:
        raise UsageError("option requires a name")
    status = 0
    for word in options.rest:
        name, writes, value = word.partition("=")
        try:
            old = await _sysctl(sys, name)
            if writes:
                await sys.call("__sysctlbyname", name, value)
        except SysError as error:
            status = await sys.fault(name, error)
            continue
        shown = f"{_plain(old)} -> {value}" if writes else _plain(old)
        await sys.out(f"{shown}\n" if options.has("n") else f"{name}: {shown}\n")
    return status


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape").rstrip("\n")
    if isinstance(value, tuple):
        seconds, fraction = cast("tuple[int, int]", value)
        return f"{{ sec = {seconds}, usec = {fraction // 1000} }}"
    return str(value)


@enter("dmesg", collection=BSD)
async def dmesg(sys: Process, argv: Sequence[str]) -> int:
    """dmesg(8): sysctl kern.msgbuf."""
    del argv
    try:
        text = cast("bytes", await _sysctl(sys, "kern.msgbuf"))
    except SysError as error:
        return await sys.fault("sysctl kern.msgbuf", error)
    await sys.write(1, text)
    return 0


@enter("jls", collection=BSD)
async def jls(sys: Process, argv: Sequence[str]) -> int:
    """jls(8): the prisons inside the caller's, by jail_get(2)."""
    del argv
    await sys.out("   JID  IP Address      Hostname                      Path\n")
    last = 0
    while True:
        try:
            reply = await sys.call("jail_get", {"lastjid": last}, 0)
        except SysError:
            return 0
        last = reply.value
        row = cast("dict[str, Any]", reply.data)
        first = next(iter(row.get("ip4.addr", ())), "")
        await sys.out(f"{last:>6}  {first:<15.15} {row['host.hostname']:<29.29} {row['path']}\n")


@enter("kldstat", collection=BSD)
async def kldstat(sys: Process, argv: Sequence[str]) -> int:
    """kldstat(8)."""
    del argv
    await sys.out("Id     Size Name\n")
    number = await sys.value("kldnext", 0)
    while number:
        row = cast("dict[str, Any]", await sys.data("kldstat", number))
        await sys.out(f"{row['id']:>2} {row['size']:>8x} {row['name']}\n")
        number = await sys.value("kldnext", number)
    return 0


@enter("mount", collection=BSD)
async def mount(sys: Process, argv: Sequence[str]) -> int:
    """mount(8): alone it lists; else ``-t type -o options special node``."""
    options = parse(argv, "t:o:p")
    if not options.rest:
        return await _list_mounts(sys)
    if len(options.rest) != 2:
        raise UsageError("special and node were expected")
    special, node = options.rest
    flags = 0
    data: dict[str, str] = {"from": special}
    for word in (options.value("o") or "").split(","):
        key, _, value = word.partition("=")
        if key in _MOUNT_FLAGS:
            flags |= _MOUNT_FLAGS[key]
        elif key and key != "rw":
            data[key] = value
    try:
        asked = {"fstype": options.value("t") or "ufs", "fspath": node, **data}
        await sys.call("nmount", cast("Any", asked), flags)
    except SysError as error:
        return await sys.fault(special, error)
    return 0


async def _list_mounts(sys: Process) -> int:
    for row in cast("list[dict[str, Any]]", await sys.data("getfsstat")):
        await sys.out(f"{row['from']} on {row['on']} ({row['fstype']})\n")
    return 0


@enter("umount", collection=BSD)
async def umount(sys: Process, argv: Sequence[str]) -> int:
    """umount(8)."""
    options = parse(argv, "f")
    status = 0
    for node in options.rest:
        try:
            await sys.call("unmount", node, 0x80000 if options.has("f") else 0)
        except SysError as error:
            status = await sys.fault(node, error)
    return status
