"""A sparse file reads like a plain array of bytes, whatever was written, cut or punched."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from simulator.machine.abi.constants import S_IFREG
from simulator.machine.abi.ids import SuperblockId
from simulator.machine.kernel.vfs import content
from simulator.machine.kernel.vfs.inode import Inode

SPACE = 400_000
places = st.one_of(st.integers(0, 200), st.integers(0, SPACE), st.just(content.DENSE_GAP))
lengths = st.one_of(st.integers(1, 50), st.integers(1, 150_000))
writes = st.tuples(st.just("write"), places, lengths, st.binary(min_size=1, max_size=40))
cuts = st.tuples(st.just("truncate"), places, st.just(0), st.just(b""))
punches = st.tuples(st.just("punch"), places, lengths, st.just(b""))
fills = st.tuples(st.just("allocate"), places, lengths, st.just(b""))


def applied(inode: Inode, plain: bytearray, step: tuple[str, int, int, bytes]) -> Inode:
    """One change to both."""
    what, at, length, data = step
    if what == "write":
        length = max(length, len(data))
        changes = content.written(inode, at, data, length)
        if len(plain) < at + length:
            plain.extend(bytes(at + length - len(plain)))
        plain[at : at + length] = data.ljust(length, b"\0")
    elif what == "truncate":
        changes = content.truncated(inode, at)
        del plain[at:]
        plain.extend(bytes(at - len(plain)))
    elif what == "punch":
        changes = content.punched(inode, at, length)
        end = min(at + length, len(plain))
        if at < end:
            plain[at:end] = bytes(end - at)
    else:
        changes = content.allocated(inode, at, length)
    return msgspec.structs.replace(inode, **changes)


@given(st.lists(st.one_of(writes, cuts, punches, fills), max_size=12))
def test_reads_give_what_a_plain_array_would(steps: list[tuple[str, int, int, bytes]]) -> None:
    inode = Inode(id=1, sb=SuperblockId(1), mode=S_IFREG, size=0)
    plain = bytearray()
    for step in steps:
        inode = applied(inode, plain, step)
        assert inode.size == len(plain)
        assert content.read(inode, 0, SPACE * 2) == plain
        starts = [extent.start for extent in inode.extents]
        assert starts == sorted(starts)
        for left, right in zip(inode.extents, inode.extents[1:], strict=False):
            assert left.start + left.length <= right.start
        assert not inode.extents or inode.extents[0].start >= len(inode.content)


@given(st.lists(writes, max_size=8), st.integers(0, SPACE))
def test_data_and_holes_cover_the_file(
    steps: list[tuple[str, int, int, bytes]], offset: int
) -> None:
    inode = Inode(id=1, sb=SuperblockId(1), mode=S_IFREG, size=0)
    plain = bytearray()
    for step in steps:
        inode = applied(inode, plain, step)
    data = content.next_data(inode, offset)
    if data is None:
        assert not any(plain[offset:])
    else:
        assert not any(plain[offset:data])
        assert content.next_hole(inode, data) > data or data >= inode.size
    hole = content.next_hole(inode, min(offset, inode.size))
    assert hole <= inode.size or inode.size == 0
