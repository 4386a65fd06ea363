"""A regular file's bytes: dense at the start, extents behind holes, so that size costs nothing.

Pure functions from an inode to what changes in it. Offsets and lengths are bytes; space is counted
in pages of 4096 bytes, as tmpfs and ext4 do.
"""

from typing import Any

from simulator.machine.abi.zeros import zeros
from simulator.machine.kernel.vfs.inode import Extent, Inode

PAGE = 4096
DENSE_GAP = 64 * 1024
"""A write that begins at most this far behind the content fills the gap with stored zeros."""
DENSE = 64 * 1024
"""A write behind so many bytes of content makes an extent: the history keeps every version of the
content, so that appending to a long one must not copy it."""
MERGED = 64 * 1024
"""Extents one behind the other become one while it is no longer than this."""


def read(inode: Inode, offset: int, count: int) -> bytes:
    """Up to ``count`` bytes from ``offset``; nothing at or behind the end."""
    end = min(offset + count, inode.size)
    if offset >= end:
        return b""
    dense = inode.content[offset:end]
    if len(dense) == end - offset:
        return dense
    if not dense and not any(_holds(extent, offset, end) for extent in inode.extents):
        return zeros(end - offset)
    out = bytearray(end - offset)
    out[: len(dense)] = dense
    for extent in inode.extents:
        data_end = min(extent.start + len(extent.data), end)
        start = max(extent.start, offset)
        if start < data_end:
            out[start - offset : data_end - offset] = extent.data[
                start - extent.start : data_end - extent.start
            ]
    return bytes(out)


def written(inode: Inode, offset: int, data: bytes, length: int) -> dict[str, Any]:
    """The changes when ``data``, then zeros up to ``length`` bytes, are written at ``offset``."""
    end = offset + length
    size = max(inode.size, end)
    content = inode.content
    near = offset <= min(len(content) + DENSE_GAP, DENSE) or end <= len(content)
    if near and length - len(data) < DENSE_GAP:
        if inode.extents and offset > len(content):
            before = read(inode, 0, offset)
        else:
            before = content[:offset]
        dense = before.ljust(offset, b"\0") + data.ljust(length, b"\0") + content[end:]
        return {"content": dense, "extents": _cut(inode.extents, 0, len(dense)), "size": size}
    kept = _cut(inode.extents, offset, end)
    if offset < len(content):
        tail = content[end:]
        if tail:
            kept = (*kept, Extent(end, len(tail), tail))
        content = content[:offset]
    return {"content": content, "extents": _joined(kept, offset, length, data), "size": size}


def _joined(kept: tuple[Extent, ...], offset: int, length: int, data: bytes) -> tuple[Extent, ...]:
    """``kept`` and what was written, which becomes one with what it follows.

    Zeros join zeros. Data joins data that is no longer than itself, so that a byte is copied only
    as often as the number of bytes doubles.
    """
    if not kept or kept[-1].start + kept[-1].length <= offset:
        while kept and kept[-1].start + kept[-1].length == offset:
            last = kept[-1]
            both_blank = not last.data and not data
            full = len(last.data) == last.length <= length and length + last.length <= MERGED
            if not (both_blank or full):
                break
            offset, length, data = last.start, last.length + length, last.data + data
            kept = kept[:-1]
        return (*kept, Extent(offset, length, data))
    return tuple(sorted((*kept, Extent(offset, length, data)), key=lambda e: e.start))


def _holds(extent: Extent, start: int, end: int) -> bool:
    """Whether the extent has bytes other than zeros between ``start`` and ``end``."""
    return extent.start < end and start < extent.start + len(extent.data)


def truncated(inode: Inode, size: int) -> dict[str, Any]:
    """The changes of ftruncate(2) to ``size``; growing makes a hole."""
    if size >= inode.size:
        return {"size": size}
    return {
        "size": size,
        "content": inode.content[:size],
        "extents": _cut(inode.extents, size, inode.size),
    }


def allocated(inode: Inode, offset: int, length: int) -> dict[str, Any]:
    """The changes when every hole in a range is given room, reading as zeros still."""
    end = offset + length
    extents = inode.extents
    position = max(offset, len(inode.content))
    gaps: list[Extent] = []
    for extent in extents:
        if position >= end:
            break
        if position < extent.start:
            gaps.append(Extent(position, min(extent.start, end) - position))
        position = max(position, extent.start + extent.length)
    if position < end:
        gaps.append(Extent(position, end - position))
    return {"extents": tuple(sorted((*extents, *gaps), key=lambda e: e.start))}


def punched(inode: Inode, offset: int, length: int) -> dict[str, Any]:
    """The changes when a range becomes a hole (fallocate(2), FALLOC_FL_PUNCH_HOLE)."""
    end = min(offset + length, inode.size)
    if offset >= end:
        return {}
    content = inode.content
    extents = _cut(inode.extents, offset, end)
    if end < len(content):
        tail = Extent(end, len(content) - end, content[end:])
        extents = tuple(sorted((*extents, tail), key=lambda e: e.start))
    return {"content": content[:offset], "extents": extents}


def pages(inode: Inode) -> int:
    """How many pages are allocated."""
    dense = -(-len(inode.content) // PAGE)
    if not inode.extents:
        return dense
    total, last = dense, dense - 1
    for extent in inode.extents:
        first = max(extent.start // PAGE, last + 1)
        last = max((extent.start + extent.length - 1) // PAGE, last)
        total += max(last - first + 1, 0)
    return total


def next_data(inode: Inode, offset: int) -> int | None:
    """Where data begins at or after ``offset`` (SEEK_DATA), or None behind the last."""
    if offset < len(inode.content):
        return offset
    for extent in inode.extents:
        if offset < extent.start + extent.length:
            return max(offset, extent.start)
    return None


def next_hole(inode: Inode, offset: int) -> int:
    """Where a hole begins at or after ``offset`` (SEEK_HOLE); the end counts as one."""
    if offset < len(inode.content):
        offset = len(inode.content)
    for extent in inode.extents:
        if extent.start <= offset < extent.start + extent.length:
            offset = extent.start + extent.length
    return min(offset, inode.size)


def _cut(extents: tuple[Extent, ...], start: int, end: int) -> tuple[Extent, ...]:
    """``extents`` without the bytes ``start`` to ``end``."""
    if not extents:
        return extents
    out: list[Extent] = []
    for extent in extents:
        stop = extent.start + extent.length
        if stop <= start or end <= extent.start:
            out.append(extent)
            continue
        if extent.start < start:
            out.append(_slice(extent, extent.start, start))
        if end < stop:
            out.append(_slice(extent, end, stop))
    return tuple(out)


def _slice(extent: Extent, start: int, end: int) -> Extent:
    return Extent(start, end - start, extent.data[start - extent.start : end - extent.start])
