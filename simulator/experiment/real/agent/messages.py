"""Calls whose structures point to other structures: messages with descriptors, statx, waitid."""

import ctypes
import struct
from typing import Any

from .address import pack, unpack
from .frame import LARGEST_BUFFER, Args, BadArgumentError, Frame, as_bytes, as_int, as_rows, pointer

_SOL_SOCKET, _SCM_RIGHTS = 1, 1
_HEADER = 16
"""Bytes of ``struct cmsghdr``; what follows one begins at a multiple of 8."""
_CONTROL = 4096
"""Room for the descriptors of several messages."""


def _aligned(size: int) -> int:
    return -(-size // 8) * 8


def sendmsg(frame: Frame, args: Args) -> None:
    """sendmsg(2) with (bytes, [descriptors]) or (bytes, [descriptors], address)."""
    fd, message = as_int(args.take()), args.take(None)
    rows = as_rows(message)
    if not rows:
        raise BadArgumentError("a message is written as (bytes, [descriptors])")
    data = as_bytes(rows[0])
    handed = [as_int(one) for one in (as_rows(rows[1]) or ())] if len(rows) > 1 else []
    address = pack(rows[2]) if len(rows) > 2 else b""
    control = b""
    if handed:
        length = _HEADER + 4 * len(handed)
        control = struct.pack("<Qii", length, _SOL_SOCKET, _SCM_RIGHTS)
        control = (control + struct.pack(f"<{len(handed)}i", *handed)).ljust(
            _aligned(length), b"\0"
        )
    vector = frame.buffer(struct.pack("<QQ", frame.buffer(data), len(data)))
    header = struct.pack(
        "<QI4xQQQQi4x",
        frame.buffer(address) if address else 0,
        len(address),
        vector,
        1,
        frame.buffer(control) if control else 0,
        len(control),
        0,
    )
    frame.push(fd, frame.buffer(header), as_int(args.take()))


def recvmsg(frame: Frame, args: Args) -> None:
    """recvmsg(2): gives (bytes, address), then each descriptor that came along."""
    fd, size = as_int(args.take()), as_int(args.take())
    room, name, control = (
        frame.room(size),
        frame.room(128),
        frame.room(_CONTROL),
    )
    vector = frame.buffer(struct.pack("<QQ", room, min(max(size, 0), LARGEST_BUFFER)))
    header = struct.pack("<QI4xQQQQi4x", name, 128, vector, 1, control, _CONTROL, 0)

    def decode(raw: bytes, value: int) -> tuple[Any, ...]:
        filled = struct.unpack_from("<I", raw, 8)[0]
        length = struct.unpack_from("<Q", raw, 40)[0]
        address = unpack(ctypes.string_at(name, 128), filled)
        handed = _descriptors(ctypes.string_at(control, length))
        return (ctypes.string_at(room, max(value, 0)), address, *handed)

    where = frame.room(len(header), decode)
    ctypes.memmove(where, header, len(header))
    frame.push(fd, where, as_int(args.take()))


def _descriptors(control: bytes) -> list[int]:
    found: list[int] = []
    at = 0
    while at + _HEADER <= len(control):
        length, level, kind = struct.unpack_from("<Qii", control, at)
        if length < _HEADER:
            break
        if (level, kind) == (_SOL_SOCKET, _SCM_RIGHTS):
            count = (length - _HEADER) // 4
            found += struct.unpack_from(f"<{count}i", control, at + _HEADER)
        at += _aligned(length)
    return found


def statx(frame: Frame, args: Args) -> None:
    """statx(2) with its buffer left out; times are dropped as everywhere."""
    frame.push(as_int(args.take()), pointer(frame, args.take(None)), as_int(args.take()))
    frame.push(as_int(args.take(0x7FF)), frame.room(256, _statx))


def _statx(raw: bytes, _value: int) -> dict[str, int]:
    nlink, uid, gid, mode = struct.unpack_from("<IIIH", raw, 16)
    ino, size = struct.unpack_from("<QQ", raw, 32)
    major, minor = struct.unpack_from("<II", raw, 128)
    rdev = minor & 0xFF | major << 8 | (minor & ~0xFF) << 12
    found = {"mode": mode, "nlink": nlink, "uid": uid, "gid": gid, "size": size, "ino": ino}
    return found | {"rdev": rdev}


def waitid(frame: Frame, args: Args) -> None:
    """waitid(2) with its siginfo left out: (pid, uid, code, status) of the child found."""
    frame.push(as_int(args.take()), as_int(args.take()), frame.room(128, _siginfo))
    frame.push(as_int(args.take()), 0)


def _siginfo(raw: bytes, _value: int) -> dict[str, int] | None:
    signo, _errno, code, pid, uid, status = struct.unpack_from("<iii4xiIi", raw)
    return {"pid": pid, "uid": uid, "code": code, "status": status} if signo else None


def semtimedop(frame: Frame, args: Args) -> None:
    """semtimedop(2) with [(num, op, flags)], their count and (seconds, nanoseconds)."""
    frame.push(as_int(args.take()))
    rows = as_rows(args.take(None))
    raw = b"".join(struct.pack("<HhH", *row) for row in rows or ())
    frame.push(frame.buffer(raw) if rows is not None else 0)
    frame.push(as_int(args.take(len(rows or ()))))
    timeout = as_rows(args.take(None))
    frame.push(frame.buffer(struct.pack("<qq", *timeout)) if timeout else 0)


def sched_getaffinity(frame: Frame, args: Args) -> None:
    """sched_getaffinity(2) with its mask left out, its size kept; the data is the mask."""
    pid, size = as_int(args.take()), as_int(args.take())
    frame.push(pid, size, frame.room(size, lambda raw, _value: int.from_bytes(raw, "little")))


def sched_setaffinity(frame: Frame, args: Args) -> None:
    """sched_setaffinity(2) with the mask as a number."""
    frame.push(as_int(args.take()), as_int(args.take(8)))
    frame.push(frame.buffer(struct.pack("<Q", as_int(args.take()) & (1 << 64) - 1)))


MESSAGES = {
    "sched_getaffinity": sched_getaffinity,
    "sched_setaffinity": sched_setaffinity,
    "sendmsg": sendmsg,
    "recvmsg": recvmsg,
    "statx": statx,
    "waitid": waitid,
    "semtimedop": semtimedop,
}
