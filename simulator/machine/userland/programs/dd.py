"""dd: bytes from here to there, block by block, and how long a disk takes over it."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.machine.abi.constants import (
    MAP_ANONYMOUS,
    MAP_PRIVATE,
    O_CREAT,
    O_RDONLY,
    O_TRUNC,
    O_WRONLY,
    PROT_READ,
    PROT_WRITE,
)
from simulator.machine.userland.options import UsageError
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.basic import NULL, ZERO, is_device
from simulator.machine.userland.registry import enter

_SHOWN = 16
"""How many blocks of zeros into nothing are really copied, call by call."""
_PER_CALL = 400
"""Nanoseconds of a read and a write together, besides the bytes."""
_BYTES_PER_NS = 10
_ZEROS = 64 << 10
"""Of a larger block of zeros only so much is read, and the rest taken to be like it."""
_MAPPED = 1 << 20
"""A block from this size on is charged to memory as the buffer that holds it."""
_MOST = (1 << 31) - 1
_UNITS = {
    "": 1, "c": 1, "w": 2, "b": 512, "kB": 1000, "k": 1 << 10, "K": 1 << 10, "MB": 1000_000,
    "M": 1 << 20, "GB": 1000_000_000, "G": 1 << 30, "T": 1 << 40,
}  # fmt: skip
_OPERANDS = frozenset(
    ("if", "of", "bs", "ibs", "obs", "count", "skip", "seek", "conv", "iflag", "oflag", "status")
)
_REQUEST = 512 << 10
"""Bytes in a request to the disk when pages are written back (max_sectors_kb)."""


@enter("dd")
async def dd(sys: Process, argv: Sequence[str]) -> int:
    """dd(1) with if=, of=, bs=, count=, skip=, seek=, conv=, iflag=direct, oflag=direct."""
    words = _operands(argv[1:])
    size = _amount(words.get("bs", words.get("ibs", "512")), 1)
    limit = _amount(words["count"], 0) if "count" in words else None
    skip, seek = (_amount(words.get(key, "0"), 0) for key in ("skip", "seek"))
    if not await _buffer(sys, size):
        return await sys.complain("out of memory")
    reading, writing = 0, 1
    for key, flags in (("if", O_RDONLY), ("of", O_WRONLY | O_CREAT)):
        if key not in words:
            continue
        if key == "of" and "notrunc" not in words.get("conv", ""):
            flags |= O_TRUNC
        try:
            fd = await sys.open(words[key], flags)
        except SysError as error:
            return await sys.fault(f"can't open '{words[key]}'", error)
        reading, writing = (fd, writing) if key == "if" else (reading, fd)
    for fd, blocks, key in ((reading, skip, "if"), (writing, seek, "of")):
        if blocks and not await sys.succeeds("lseek", fd, blocks * size, 0):
            return await sys.complain(f"{words.get(key, 'standard input')}: cannot seek")
    flags = words.get("oflag", "").split(",")
    copy = _Copy(
        reading,
        writing,
        size,
        limit,
        direct=bool({"direct", "sync", "dsync"} & set(flags)),
        read_direct="direct" in words.get("iflag", ""),
        sync="fsync" in words.get("conv", ""),
        zeros=await is_device(sys, reading, ZERO),
        swallowed=await is_device(sys, writing, NULL),
    )
    return await _blocks(sys, copy)


def _operands(argv: Sequence[str]) -> dict[str, str]:
    """``name=value`` words. Raises ``UsageError``."""
    found: dict[str, str] = {}
    for word in argv:
        name, equals, value = word.partition("=")
        if not equals or name not in _OPERANDS:
            raise UsageError(f"unrecognized operand '{word}'")
        found[name] = value
    return found


def _amount(text: str, least: int) -> int:
    """A number with its unit: ``4k``, ``1MB``, ``2x512``. Raises ``UsageError``."""
    total = 1
    for factor in text.split("x"):
        digits = factor.rstrip("".join({*"cwbkKMGTPB"}))
        unit = factor[len(digits) :]
        if not digits.isdecimal() or unit not in _UNITS:
            raise UsageError(f"invalid number '{text}'")
        total *= int(digits) * _UNITS[unit]
    if not least <= total <= _MOST:
        raise UsageError(f"number {text} is not in {least}..{_MOST} range")
    return total


async def _buffer(sys: Process, size: int) -> bool:
    """malloc(3) of one block; a large one is a mapping of its own, written to by the first read."""
    if size < _MAPPED:
        return True
    try:
        kind = MAP_PRIVATE | MAP_ANONYMOUS
        address = await sys.value("mmap", 0, size, PROT_READ | PROT_WRITE, kind, -1, 0)
        await sys.touch(address, size)
    except SysError:
        return False
    return True


@dataclass(frozen=True)
class _Copy:
    """What dd is to do: descriptors, block size and count, and how the bytes travel.

    ``direct`` waits for the disk block by block, ``sync`` once at the end.
    """

    reading: int
    writing: int
    size: int
    limit: int | None
    direct: bool = False
    read_direct: bool = False
    sync: bool = False
    zeros: bool = False
    swallowed: bool = False


async def _blocks(sys: Process, copy: _Copy) -> int:
    if copy.zeros and copy.swallowed and (copy.limit is None or copy.limit > _SHOWN):
        whole = await _busy(sys, copy)
        await sys.err(f"{whole}+0 records in\n{whole}+0 records out\n")
        return 0
    whole = part = status = total = 0
    while copy.limit is None or whole + part < copy.limit:
        try:
            most = min(copy.size, _ZEROS) if copy.zeros else copy.size
            block = await sys.read(copy.reading, most)
            got = copy.size if copy.zeros else len(block)
            if copy.read_direct and block:
                await sys.transfer(copy.reading, got, copy.size, write=False)
        except SysError as error:
            status = await sys.fault("error reading input", error)
            break
        if not block:
            break
        try:
            await _put(sys, copy, block, got)
        except SysError as error:
            status = await sys.fault("error writing output", error)
            break
        total += got
        whole, part = (whole + 1, part) if got == copy.size else (whole, part + 1)
    if copy.sync:
        await sys.call("fsync", copy.writing)
        await sys.transfer(copy.writing, total, _REQUEST, write=True)
    await sys.err(f"{whole}+{part} records in\n{whole}+{part} records out\n")
    return status


async def _put(sys: Process, copy: _Copy, block: bytes, size: int) -> None:
    """Write one block; of zeros only their number is handed over."""
    if copy.zeros:
        left = size
        while left > 0:
            left -= await sys.value("write", copy.writing, b"", left)
    else:
        await sys.write(copy.writing, block)
    if copy.direct:
        await sys.transfer(copy.writing, size, copy.size, write=True)


async def _busy(sys: Process, copy: _Copy) -> int:
    """Zeros into nothing: the first blocks are copied, the others only take their time."""
    for _ in range(_SHOWN):
        await sys.read(copy.reading, min(copy.size, _ZEROS))
        await sys.call("write", copy.writing, b"", min(copy.size, _ZEROS))
    left = None if copy.limit is None else copy.limit - _SHOWN
    each = _PER_CALL + copy.size // _BYTES_PER_NS
    await sys.burn(None if left is None else left * each, system=950)
    return copy.limit or 0
