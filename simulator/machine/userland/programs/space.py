"""df(1): statfs(2) of every mount in /proc/mounts (busybox ``coreutils/df.c``)."""

from collections.abc import Sequence
from typing import NamedTuple

from simulator.machine.userland.options import Options, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import enter

_WIDEST = 20


class _Mount(NamedTuple):
    source: str
    target: str
    kind: str


@enter("df")
async def df(sys: Process, argv: Sequence[str]) -> int:
    """``df [-PkmhTai] [FILESYSTEM ...]``."""
    options = parse(argv, "kmhTiPa")
    await sys.out(_head(options))
    lines = (await sys.text_or_empty("/proc/mounts")).splitlines()
    mounts = [_Mount(*line.split(" ")[:3]) for line in lines]
    status = 0
    for path in options.rest:
        found = await _mount_of(sys, path, mounts)
        status |= (
            await _usage(sys, found, options, named=True)
            if found
            else await sys.complain(f"{path}: can't find mount point")
        )
    if not options.rest and not mounts:
        return await sys.complain("/proc/mounts: No such file or directory")
    for one in () if options.rest else mounts:
        status |= await _usage(sys, one, options, named=False)
    return status


def _head(options: Options) -> str:
    unit = "1K-blocks"
    for letter, title in (("m", "1M-blocks"), ("h", "     Size"), ("P", "1024-blocks"),
                          ("i", "   Inodes")):  # fmt: skip
        unit = title if options.has(letter) else unit
    kind = f"{'Type':<11}" if options.has("T") else ""
    share = "Capacity" if options.has("P") else "Use%"
    return f"{'Filesystem':<21}{kind}{unit:<15}Used Available {share} Mounted on\n"


async def _mount_of(sys: Process, path: str, mounts: list[_Mount]) -> _Mount | None:
    """find_mount_point(): the last mount whose device is the path's own."""
    try:
        device = (await sys.stat(path))["dev"]
    except SysError:
        return None
    best: _Mount | None = None
    for one in mounts:
        try:
            if (await sys.stat(one.target))["dev"] == device:
                best = one
        except SysError:
            continue
    return best


async def _usage(sys: Process, one: _Mount, options: Options, *, named: bool) -> int:
    try:
        facts: dict[str, int] = await sys.data("statfs", one.target)
    except SysError as error:
        return await sys.fault(one.target, error)
    if not (facts.get("blocks") or named or options.has("a")):
        return 0
    unit = facts.get("bsize", 4096)
    total, free = facts.get("blocks", 0), facts.get("bfree", 0)
    left = facts.get("bavail", free)
    if options.has("i"):
        unit, total, free = 1, facts.get("files", 0), facts.get("ffree", 0)
        left = free
    used = total - free
    reach = used + left
    share = (used * 100 + reach // 2) // reach if reach else 0
    display = 1 if options.has("i") else 1 << 20 if options.has("m") else 1024
    shown = [
        readable(count * unit)
        if options.has("h")
        else str((count * unit + display // 2) // display)
        for count in (total, used, left)
    ]
    name = f"{one.source:<{_WIDEST}}"
    if len(one.source) > _WIDEST and not options.has("P"):
        name += f"\n{'':<{_WIDEST}}"
    kind = f" {one.kind:<10}" if options.has("T") else ""
    row = f" {shown[0]:>9} {shown[1]:>9} {shown[2]:>9} {share:3}% {one.target}\n"
    await sys.out(name + kind + row)
    return 0


def readable(count: int) -> str:
    """make_human_readable_str(): ``78.1G``."""
    if count < 1024:
        return str(count)
    rest, power = 0, 0
    while count >= 1024:
        count, part = divmod(count, 1024)
        rest = (part * 10 + 512) // 1024
        power += 1
    if rest >= 10:
        count, rest = count + 1, 0
    return f"{count}.{rest}{' KMGTPEZY'[power]}"
