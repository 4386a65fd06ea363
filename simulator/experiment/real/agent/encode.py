"""Encoders, one letter each: how one convention of the probe language becomes C arguments.

``calls.SIGNATURES`` spells a call with these letters. An encoder takes what it needs from the
program's arguments and pushes what the kernel needs.
"""

import ctypes
import struct
from collections.abc import Callable
from typing import Any

from . import structs
from .address import pack, unpack
from .frame import (
    LARGEST_BUFFER,
    Args,
    BadArgumentError,
    Frame,
    as_bytes,
    as_fields,
    as_int,
    as_rows,
    pointer,
    write,
)

Encoder = Callable[[Frame, Args], None]


def integer(frame: Frame, args: Args) -> None:
    """A number; a missing one is 0."""
    frame.push(as_int(args.take()))


def text(frame: Frame, args: Args) -> None:
    """A path or another string, ``None`` for the null pointer."""
    frame.push(pointer(frame, args.take(None)))


def any_pointer_or_number(frame: Frame, args: Args) -> None:
    """Whatever the program gives: numbers by value, text and bytes by address."""
    for value in args.rest()[: 6 - len(frame.args)]:
        frame.push(pointer(frame, value))


def counted(frame: Frame, args: Args) -> None:
    """Data and its count: a larger count pads with zeros, a smaller one cuts."""
    value = args.take(None)
    if value is None or isinstance(value, int):
        frame.push(as_int(value), as_int(args.take()))
        return
    data = as_bytes(value)
    count = as_int(args.take(len(data)))
    room = min(max(count, 0), LARGEST_BUFFER)
    frame.push(frame.buffer(data[: max(count, 0)], room), count)


def read_bytes(frame: Frame, args: Args) -> None:
    """A buffer left out, its size kept; gives the bytes."""
    size = as_int(args.take())
    frame.push(frame.room(size, structs.content if size > 0 else structs.nothing), size)


def read_text(frame: Frame, args: Args) -> None:
    """A buffer left out, its size kept; gives a name."""
    size = as_int(args.take())
    frame.push(frame.room(size, structs.text), size)


def read_names(frame: Frame, args: Args) -> None:
    """A buffer for directory entries."""
    size = as_int(args.take())
    frame.push(frame.room(size, structs.dents), size)


def written(size: int, decode: Callable[[bytes, int], Any]) -> Encoder:
    """A structure that the kernel fills, without an argument in the program."""

    def encode(frame: Frame, _args: Args) -> None:
        frame.push(frame.room(size, decode))

    return encode


def packed(form: str) -> Encoder:
    """A tuple of numbers as a structure, ``None`` for the null pointer."""
    width = len(struct.unpack(form, bytes(struct.calcsize(form))))

    def encode(frame: Frame, args: Args) -> None:
        value = args.take(None)
        if value is None or isinstance(value, int):
            frame.push(as_int(value))
            return
        fields = [as_int(field) for field in value]
        fields += [0] * (width - len(fields))
        frame.push(frame.buffer(pack_wrapped(form, fields)))

    return encode


def pack_wrapped(form: str, fields: list[int]) -> bytes:
    """``struct.pack`` with every number taken modulo its width, as C does."""
    letters = [letter for letter in form if letter.isalpha()]
    bits = {"b": 8, "B": 8, "h": 16, "H": 16, "i": 32, "I": 32, "q": 64, "Q": 64, "l": 64, "L": 64}
    out: list[int] = []
    for letter, field in zip(letters, fields, strict=True):
        width = bits[letter.lower()] if letter != "x" else 0
        value = field & ((1 << width) - 1)
        if letter.islower() and value >> (width - 1):
            value -= 1 << width
        out.append(value)
    return struct.pack(form, *out)


def sized(form: str) -> Encoder:
    """A tuple as a structure followed by its size."""
    encode_struct = packed(form)

    def encode(frame: Frame, args: Args) -> None:
        encode_struct(frame, args)
        frame.push(as_int(args.take(struct.calcsize(form))))

    return encode


def address(frame: Frame, args: Args) -> None:
    """A socket address; its length argument is made here."""
    raw = pack(args.take(None))
    frame.push(frame.buffer(raw) if raw else 0, len(raw))


def read_address(frame: Frame, _args: Args) -> None:
    """Room for a socket address and its length."""
    length = frame.buffer(struct.pack("<i", 128))

    def decode(raw: bytes, _value: int) -> Any:
        return unpack(raw, struct.unpack("<i", ctypes.string_at(length, 4))[0])

    frame.push(frame.room(128, decode), length)


def no_address(frame: Frame, _args: Args) -> None:
    """accept(2) without asking who called."""
    frame.push(0, 0)


def id_triple(frame: Frame, _args: Args) -> None:
    """Three ids, real, effective, saved."""
    first = frame.room(12, lambda raw, _value: struct.unpack("<3I", raw))
    frame.push(first, first + 4, first + 8)


def group_list(frame: Frame, args: Args) -> None:
    """A list of group ids, ``None`` for the null pointer."""
    value = args.take(None)
    if value is None or isinstance(value, int):
        frame.push(as_int(value))
        return
    frame.push(frame.buffer(b"".join(struct.pack("<I", gid & 0xFFFFFFFF) for gid in value)))


def read_groups(frame: Frame, args: Args) -> None:
    """Room for ``size`` group ids."""
    size = as_int(args.take())
    frame.push(size, frame.room(max(size, 1) * 4, _groups if size else structs.nothing))


def _groups(raw: bytes, value: int) -> list[int]:
    return list(struct.unpack_from(f"<{max(value, 0)}I", raw))


def strings(frame: Frame, args: Args) -> None:
    """An argument or environment vector, ``None`` for the null pointer."""
    value = args.take(None)
    if value is None or isinstance(value, int):
        frame.push(as_int(value))
        return
    addresses = [frame.buffer(as_bytes(item) + b"\0") for item in value]
    frame.push(frame.buffer(struct.pack(f"<{len(addresses) + 1}Q", *addresses, 0)))


def signal_set(frame: Frame, args: Args) -> None:
    """A list of signals as the kernel's 64-bit mask."""
    value = args.take(None)
    if value is None:
        frame.push(0)
        return
    mask = 0
    for number in value:
        if not 1 <= number <= 64:
            raise BadArgumentError(f"not a signal: {number!r}")
        mask |= 1 << (number - 1)
    frame.push(frame.buffer(struct.pack("<Q", mask)))


def handler(frame: Frame, args: Args) -> None:
    """A bare handler as ``struct kernel_sigaction``; gives the old one."""
    value = args.take(None)
    if value not in (None, 0, 1):
        raise BadArgumentError("a handler is SIG_DFL or SIG_IGN")
    action = 0 if value is None else frame.buffer(struct.pack("<QQQQ", value, 0, 0, 0))
    frame.push(action, frame.room(32, structs.action), 8)


def file_handle(frame: Frame, args: Args) -> None:
    """``struct file_handle``: bytes, or (type, bytes)."""
    value = args.take(None)
    if value is None or isinstance(value, int):
        frame.push(as_int(value))
        return
    kind, content = as_rows(value) or (1, value)
    raw = as_bytes(content)
    frame.push(frame.buffer(struct.pack("<Ii", len(raw), as_int(kind)) + raw))


def read_handle(frame: Frame, _args: Args) -> None:
    """Room for a file handle and a mount id."""
    room = frame.room(8 + 128, structs.handle)
    write(room, struct.pack("<I", 128))
    frame.push(room, frame.buffer(bytes(8)))


def timex(frame: Frame, args: Args) -> None:
    """``struct timex`` from its fields by name."""
    value = args.take(None)
    if value is None or isinstance(value, int):
        frame.push(as_int(value))
        return
    offsets = {"modes": (0, "<I"), "offset": (8, "<q"), "freq": (16, "<q"), "maxerror": (24, "<q")}
    offsets |= {"esterror": (32, "<q"), "status": (40, "<i"), "constant": (48, "<q")}
    offsets |= {"time": (72, "<q"), "tick": (88, "<q"), "tai": (160, "<i")}
    raw = bytearray(208)
    for name, number in value.items():
        if name not in offsets:
            raise BadArgumentError(f"timex has no field {name!r}")
        at, form = offsets[name]
        struct.pack_into(form, raw, at, number)
    frame.push(frame.buffer(bytes(raw)))


def scheduling(frame: Frame, args: Args) -> None:
    """``struct sched_param``: a priority."""
    value = args.take(None)
    rows, fields = as_rows(value), as_fields(value)
    if rows is not None:
        value = rows[0]
    if fields is not None:
        value = next(iter(fields.values()))
    frame.push(0 if value is None else frame.buffer(struct.pack("<i", as_int(value))))


def zeroed(size: int) -> Encoder:
    """An attribute block of zeros; a dict may set 32-bit words by offset, bytes fill it."""

    def encode(frame: Frame, args: Args) -> None:
        value = args.take(None)
        content = bytearray(size)
        if isinstance(value, bytes):
            content[: len(value)] = value
        for at, word in (as_fields(value) or {}).items():
            struct.pack_into("<I", content, 0 if at == "type" else as_int(at), as_int(word))
        frame.push(frame.buffer(bytes(content)))

    return encode


LETTERS: dict[str, Encoder] = {
    "i": integer,
    "p": text,
    "z": any_pointer_or_number,
    "D": counted,
    "R": read_bytes,
    "T": read_text,
    "G": read_names,
    "S": written(144, structs.stat),
    "F": written(120, structs.statfs),
    "U": written(390, structs.uname),
    "2": written(8, structs.pair),
    "w": written(4, structs.wait_status),
    "L": written(16, structs.limits),
    "V": written(4, structs.signed),
    "l": packed("<QQ"),
    "a": address,
    "A": read_address,
    "n": no_address,
    "3": id_triple,
    "g": group_list,
    "Y": read_groups,
    "v": strings,
    "M": signal_set,
    "h": handler,
    "t": packed("<qq"),
    "x": timex,
    "s": scheduling,
    "f": file_handle,
    "E": read_handle,
    "o": sized("<QQQ"),
    "m": sized("<QQQQ"),
    "0": zeroed(256),
    "8": lambda frame, _args: frame.push(8),
    "N": lambda frame, _args: frame.push(0),
    "_": lambda frame, _args: frame.push(frame.room(512, structs.nothing)),
    "O": lambda frame, _args: frame.push(frame.room(8, structs.signals)),
}
"""One letter for each convention."""
