"""dd: bytes from here to there, block by block, and how long a disk takes over it."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.machine.abi.constants import O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY
from simulator.machine.userland.options import to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.basic import NULL, ZERO, is_device
from simulator.machine.userland.registry import enter

_SHOWN = 16
"""How many blocks of zeros into nothing are really copied, call by call."""
_PER_CALL = 400
"""Nanoseconds of a read and a write together, besides the bytes."""
_BYTES_PER_NS = 10
_REQUEST = 512 << 10
"""Bytes in a request to the disk when pages are written back (max_sectors_kb)."""


@enter("dd")
async def dd(sys: Process, argv: Sequence[str]) -> int:
    """dd(1) with if=, of=, bs=, count=, skip=, seek=, conv=, iflag=direct, oflag=direct."""
    words = {key: value for key, _, value in (word.partition("=") for word in argv[1:])}
    units = {"k": 1024, "K": 1024, "M": 1 << 20, "G": 1 << 30}
    text = words.get("bs", "512")
    size = to_number(text.rstrip("kKMG")) * units.get(text[-1], 1)
    limit = to_number(words["count"]) if "count" in words else None
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
    if "skip" in words:
        await sys.call("lseek", reading, to_number(words["skip"]) * size, 0)
    if "seek" in words:
        await sys.call("lseek", writing, to_number(words["seek"]) * size, 0)
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
            block = await sys.read(copy.reading, copy.size)
            if copy.read_direct and block:
                await sys.transfer(copy.reading, len(block), copy.size, write=False)
        except SysError as error:
            status = await sys.fault("error reading input", error)
            break
        if not block:
            break
        try:
            await _put(sys, copy, block)
        except SysError as error:
            status = await sys.fault("error writing output", error)
            break
        total += len(block)
        whole, part = (whole + 1, part) if len(block) == copy.size else (whole, part + 1)
    if copy.sync:
        await sys.call("fsync", copy.writing)
        await sys.transfer(copy.writing, total, _REQUEST, write=True)
    await sys.err(f"{whole}+{part} records in\n{whole}+{part} records out\n")
    return status


async def _put(sys: Process, copy: _Copy, block: bytes) -> None:
    """Write one block; of zeros only their number is handed over."""
    if copy.zeros:
        await sys.call("write", copy.writing, b"", len(block))
    else:
        await sys.write(copy.writing, block)
    if copy.direct:
        await sys.transfer(copy.writing, len(block), copy.size, write=True)


async def _busy(sys: Process, copy: _Copy) -> int:
    """Zeros into nothing: the first blocks are copied, the others only take their time."""
    for _ in range(_SHOWN):
        await sys.read(copy.reading, copy.size)
        await sys.call("write", copy.writing, b"", copy.size)
    left = None if copy.limit is None else copy.limit - _SHOWN
    each = _PER_CALL + copy.size // _BYTES_PER_NS
    await sys.burn(None if left is None else left * each, system=950)
    return copy.limit or 0
