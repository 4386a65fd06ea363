"""Bytes that are all zero, held once: what /dev/zero and the holes of files hand out."""

from functools import lru_cache

HELD = 1 << 20
"""Up to so many bytes every caller gets the same object: a timeline full of them stays small."""


@lru_cache(maxsize=64)
def _held(count: int) -> bytes:
    return bytes(count)


def zeros(count: int) -> bytes:
    """``count`` zero bytes."""
    return _held(count) if count <= HELD else bytes(count)


_BLOCK = bytes(1 << 16)


def blank(data: bytes) -> bool:
    """Whether ``data`` is nothing but zeros: compared by the block, as fast as memory is read."""
    whole, rest = divmod(len(data), len(_BLOCK))
    starts = range(0, whole * len(_BLOCK), len(_BLOCK))
    return data.endswith(_BLOCK[:rest]) and all(data.startswith(_BLOCK, at) for at in starts)
