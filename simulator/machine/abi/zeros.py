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


def blank(data: bytes) -> bool:
    """Whether ``data`` is nothing but zeros."""
    return not data.strip(b"\0")
