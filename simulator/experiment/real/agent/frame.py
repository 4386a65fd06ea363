"""A system call being put together: C arguments, the memory they point to, what comes back."""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any, cast

Decoder = Callable[[int], Any]
"""From the call's return value to what the call wrote to our memory."""

LARGEST_BUFFER = 64 << 20
"""Bytes: a longer count is passed on as it is, over a buffer of this size."""


class BadArgumentError(ValueError):
    """An argument that this call's convention does not know."""


class Args:
    """The program's arguments, taken one by one; a missing one has a default."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = list(values)
        self._next = 0

    def take(self, default: Any = 0) -> Any:
        """The next argument, or ``default`` behind the last one."""
        if self._next >= len(self._values):
            return default
        self._next += 1
        return self._values[self._next - 1]

    def rest(self) -> list[Any]:
        """Everything not taken yet."""
        left = self._values[self._next :]
        self._next = len(self._values)
        return left


class Frame:
    """C arguments in order, buffers kept alive, and decoders of what was written."""

    def __init__(self) -> None:
        self.args: list[int] = []
        self._keep: list[Any] = []
        self._decoders: list[Decoder] = []

    def push(self, *values: int) -> None:
        """Append plain integers."""
        self.args.extend(values)

    def buffer(self, content: bytes, size: int | None = None) -> int:
        """Memory that holds ``content`` (then zeros up to ``size``); its address."""
        length = max(len(content), size or 0, 1)
        memory = ctypes.create_string_buffer(content, length)
        self._keep.append(memory)
        return ctypes.addressof(memory)

    def room(self, size: int, decode: Callable[[bytes, int], Any] | None = None) -> int:
        """Zeroed memory for the kernel to write to; its address.

        ``decode`` is given the memory's content after the call and the call's return value.
        """
        length = min(max(size, 1), LARGEST_BUFFER)
        memory = ctypes.create_string_buffer(length)
        self._keep.append(memory)
        if decode is not None:
            wanted = decode
            self._decoders.append(lambda value: wanted(memory.raw, value))
        return ctypes.addressof(memory)

    def data(self, value: int) -> Any:
        """What a call that returned ``value`` wrote."""
        results = [decode(value) for decode in self._decoders]
        return results[0] if len(results) == 1 else (tuple(results) or None)


def as_int(value: Any) -> int:
    """An integer argument; ``None`` is the null pointer."""
    if value is None:
        return 0
    if isinstance(value, int):
        return int(value)
    raise BadArgumentError(f"expected a number, got {value!r}")


def as_bytes(value: Any) -> bytes:
    """Text or bytes as the kernel sees them."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, bytes):
        return value
    raise BadArgumentError(f"expected text or bytes, got {value!r}")


def as_text(value: bytes) -> str:
    """A name from the kernel, up to its NUL."""
    return value.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def as_rows(value: Any) -> list[Any] | None:
    """A tuple or list as a list, anything else as ``None``."""
    return list(cast("list[Any]", value)) if isinstance(value, (tuple, list)) else None


def as_fields(value: Any) -> dict[Any, Any] | None:
    """A dict, or ``None``."""
    return cast("dict[Any, Any]", value) if isinstance(value, dict) else None


def write(where: int, content: bytes) -> None:
    """Put ``content`` at an address of ours."""
    ctypes.memmove(where, content, len(content))


def pointer(frame: Frame, value: Any) -> int:
    """Whatever a pointer argument may be: text or bytes, null, or a bare address."""
    if isinstance(value, (str, bytes)):
        return frame.buffer(as_bytes(value) + b"\0")
    return as_int(value)
