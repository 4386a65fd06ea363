"""Calls whose arguments depend on a command among them: fcntl, ioctl, prctl, SysV IPC, ..."""

import struct
from typing import Any

from . import structs
from .encode import Encoder
from .frame import (
    Args,
    Frame,
    as_bytes,
    as_fields,
    as_int,
    as_rows,
    as_text,
    pointer,
    write,
)


def fcntl(frame: Frame, args: Args) -> None:
    """fcntl(2): record locks are (type, whence, start, length)."""
    fd, command, value = as_int(args.take()), as_int(args.take()), args.take()
    frame.push(fd, command)
    rows = as_rows(value)
    if command not in (5, 6, 7, 36, 37, 38) or rows is None:
        frame.push(pointer(frame, value))
        return
    kind, whence, start, length = [*rows, 0, 0, 0][:4]
    room = frame.room(32, structs.flock if command in (5, 36) else structs.nothing)
    write(room, struct.pack("<hh4xqqi4x", kind, whence, start, length, 0))
    frame.push(room)


_READ_INT = {
    0x541B: structs.signed,
    0x80081272: structs.quad,
    0x80086601: structs.unsigned,
    0xB704: structs.unsigned,
    0x5413: structs.nothing,
    0x5401: structs.nothing,
}
_WRITE_INT = {0x40086602}
_INTERFACE = {*range(0x8910, 0x8950), 0x400454CA}


def ioctl(frame: Frame, args: Args) -> None:
    """ioctl(2): numbers that it fills, flags by address, interface requests as (name, value)."""
    fd, request = as_int(args.take()), as_int(args.take())
    value = args.take(None)
    frame.push(fd, request)
    if request in _READ_INT and value is None:
        frame.push(frame.room(64, _READ_INT[request]))
    elif request in _WRITE_INT and isinstance(value, int):
        frame.push(frame.buffer(struct.pack("<Q", value & (1 << 64) - 1)))
    elif request == 0x8912:
        frame.push(_interface_list(frame))
    elif request in _INTERFACE and value is not None and not isinstance(value, int):
        frame.push(_interface(frame, request, value))
    elif request in (0x890B, 0x890C):
        frame.push(frame.buffer(bytes(120)))
    else:
        frame.push(pointer(frame, value))


def _interface(frame: Frame, request: int, value: Any) -> int:
    name, content = as_rows(value) or (value, 0)
    body = bytes(24)
    if isinstance(content, str) and content.count(".") == 3:
        body = struct.pack("<HH4B", 2, 0, *map(int, content.split(".")))
    elif isinstance(content, (str, bytes)):
        body = struct.pack("<H", 1) + as_bytes(content)
    else:
        body = struct.pack("<I", as_int(content) & 0xFFFFFFFF)
    room = frame.room(40, lambda raw, _value: _interface_answer(request, raw))
    write(room, as_bytes(name)[:15].ljust(16, b"\0") + body.ljust(24, b"\0")[:24])
    return room


def _interface_answer(request: int, raw: bytes) -> Any:
    name = as_text(raw[:16])
    if request == 0x8913:
        return (name, struct.unpack_from("<H", raw, 16)[0])
    if request in (0x8915, 0x8919, 0x891B):
        return (name, ".".join(map(str, raw[20:24])))
    if request == 0x8927:
        return (name, raw[18:24])
    if request in (0x8921, 0x8933):
        return (name, struct.unpack_from("<i", raw, 16)[0])
    return None


def _interface_list(frame: Frame) -> int:
    room = frame.room(40 * 64)
    return frame.buffer(struct.pack("<i4xQ", 40 * 64, room))


def prctl(frame: Frame, args: Args) -> None:
    """prctl(2): names by address, answers through a pointer where the command has one."""
    option = as_int(args.take())
    frame.push(option)
    if option == 16:
        frame.push(frame.room(16, lambda raw, _value: as_text(raw)))
    elif option in (2, 37):
        frame.push(frame.room(4, structs.signed))
    for value in args.rest()[: 5 - len(frame.args)]:
        frame.push(pointer(frame, value))
    while len(frame.args) < 5:
        frame.push(0)


def seccomp(frame: Frame, args: Args) -> None:
    """seccomp(2): a filter is a list of (code, jt, jf, k), an action a number."""
    operation, flags, value = as_int(args.take()), as_int(args.take()), args.take(None)
    frame.push(operation, flags)
    if operation == 2 and isinstance(value, int):
        frame.push(frame.buffer(struct.pack("<I", value & 0xFFFFFFFF)))
    elif (rows := as_rows(value)) is not None:
        code = b"".join(struct.pack("<HBBI", *row) for row in rows)
        frame.push(frame.buffer(struct.pack("<H6xQ", len(rows), frame.buffer(code))))
    else:
        frame.push(pointer(frame, value))


def semop(frame: Frame, args: Args) -> None:
    """semop(2) with [(num, op, flags)]."""
    frame.push(as_int(args.take()))
    operations = args.take(None)
    if operations is None or isinstance(operations, int):
        frame.push(as_int(operations), as_int(args.take()))
        return
    raw = b"".join(struct.pack("<HhH", *row) for row in operations)
    frame.push(frame.buffer(raw), as_int(args.take(len(operations))))


def _set_ids(frame: Frame, value: Any, size: int) -> int:
    fields = as_fields(value)
    if fields is not None:
        value = (fields.get("uid", 0), fields.get("gid", 0), fields.get("mode", 0))
    uid, gid, mode = (as_int(item) & 0xFFFFFFFF for item in value)
    return frame.buffer(struct.pack("<iIIIII", 0, uid, gid, 0, 0, mode), size)


def semctl(frame: Frame, args: Args) -> None:
    """semctl(2): the fourth argument is a number, a list, or left out."""
    frame.push(as_int(args.take()), as_int(args.take()))
    command = as_int(args.take())
    value = args.take(None)
    frame.push(command)
    if command in (2, 18):
        frame.push(frame.room(104, structs.sem))
    elif command in (3, 19, 13):
        frame.push(frame.room(4096, structs.nothing))
    elif command == 17 and (rows := as_rows(value)) is not None:
        frame.push(frame.buffer(b"".join(struct.pack("<H", item & 0xFFFF) for item in rows)))
    elif command == 1 and value is not None:
        frame.push(_set_ids(frame, value, 104))
    else:
        frame.push(as_int(value))


def shmctl(frame: Frame, args: Args) -> None:
    """shmctl(2)."""
    _ipc_control(frame, args, 112, structs.shm, (2, 13, 15))


def msgctl(frame: Frame, args: Args) -> None:
    """msgctl(2)."""
    _ipc_control(frame, args, 120, structs.msg, (2, 11, 13))


def _ipc_control(frame: Frame, args: Args, size: int, decode: Any, reads: tuple[int, ...]) -> None:
    frame.push(as_int(args.take()))
    command, value = as_int(args.take()), args.take(None)
    frame.push(command)
    if command in reads:
        frame.push(frame.room(size, decode))
    elif command in (3, 14, 12):
        frame.push(frame.room(256, structs.nothing))
    elif command == 1 and value is not None:
        frame.push(_set_ids(frame, value, size))
    else:
        frame.push(as_int(value))


def msgsnd(frame: Frame, args: Args) -> None:
    """msgsnd(2) with (type, text)."""
    queue, message = as_int(args.take()), args.take(None)
    kind, text = as_rows(message) or (1, message or b"")
    content = as_bytes(text)
    size = as_int(args.take(len(content)))
    body = content[: max(size, 0)].ljust(min(max(size, 0), 1 << 20), b"\0")
    frame.push(queue, frame.buffer(struct.pack("<q", kind) + body), size, as_int(args.take()))


def msgrcv(frame: Frame, args: Args) -> None:
    """msgrcv(2): gives (type, text)."""
    queue, size = as_int(args.take()), as_int(args.take())

    def decode(raw: bytes, value: int) -> tuple[int, bytes]:
        return (struct.unpack_from("<q", raw)[0], raw[8 : 8 + max(value, 0)])

    frame.push(queue, frame.room(8 + max(size, 0), decode), size)
    frame.push(as_int(args.take()), as_int(args.take()))


def setsockopt(frame: Frame, args: Args) -> None:
    """setsockopt(2): a number is an ``int``, text is itself; the length is made here."""
    frame.push(as_int(args.take()), as_int(args.take()), as_int(args.take()))
    value = args.take(0)
    if isinstance(value, int):
        raw = struct.pack("<I", value & 0xFFFFFFFF)
    elif (rows := as_rows(value)) is not None:
        raw = b"".join(struct.pack("<i", item) for item in rows)
    else:
        raw = as_bytes(value)
    frame.push(frame.buffer(raw), len(raw))


def getsockopt(frame: Frame, args: Args) -> None:
    """getsockopt(2): a number, or (pid, uid, gid) for SO_PEERCRED."""
    fd, level, option = as_int(args.take()), as_int(args.take()), as_int(args.take())
    credentials = (level, option) == (1, 17)

    def decode(raw: bytes, _value: int) -> Any:
        return struct.unpack_from("<iii", raw) if credentials else structs.signed(raw, 0)

    size = frame.buffer(struct.pack("<i", 12 if credentials else 4))
    frame.push(fd, level, option, frame.room(16, decode), size)


def keyctl(frame: Frame, args: Args) -> None:
    """keyctl(2): READ and DESCRIBE fill a buffer whose size the program gives."""
    command = as_int(args.take())
    frame.push(command)
    if command in (6, 11):
        frame.push(as_int(args.take()))
        size = as_int(args.take(0))
        frame.push(frame.room(size, structs.content), size)
    for value in args.rest()[: 5 - len(frame.args)]:
        frame.push(pointer(frame, value))
    while len(frame.args) < 5:
        frame.push(0)


def quotactl(frame: Frame, args: Args) -> None:
    """quotactl(2) with its output buffer left out."""
    frame.push(as_int(args.take()), pointer(frame, args.take(None)), as_int(args.take()))
    value = args.take(None)
    frame.push(frame.room(512, structs.nothing) if value is None else pointer(frame, value))


def ptrace(frame: Frame, args: Args) -> None:
    """ptrace(2): peeked words are written to memory, as the raw call does."""
    request = as_int(args.take())
    frame.push(request, as_int(args.take()), as_int(args.take()))
    data = args.take(None)
    if request in (1, 2, 3):
        frame.push(frame.room(8, structs.quad))
    else:
        frame.push(as_int(data))


def process_vm(frame: Frame, args: Args) -> None:
    """process_vm_readv(2): vectors of (address, length), or sizes alone for memory of our own."""
    frame.push(as_int(args.take()))
    local, second = args.take(64), args.take(None)
    if isinstance(local, int):
        frame.push(*_vector(frame, [(None, local)], 1, structs.content))
        frame.push(*_vector(frame, [(second, local)], 1, None))
    else:
        frame.push(*_vector(frame, local, second, structs.content))
        frame.push(*_vector(frame, args.take(None), args.take(None), None))
    frame.push(as_int(args.take()))


def _vector(frame: Frame, rows: Any, count: Any, decode: Any) -> tuple[int, int]:
    if rows is None or isinstance(rows, int):
        return (as_int(rows), as_int(count))
    raw = b""
    for row in rows:
        where, size = as_rows(row) or (None, row)
        ours = where is None and decode is not None
        spot = frame.room(as_int(size), decode) if ours else as_int(where)
        raw += struct.pack("<QQ", spot & (1 << 64) - 1, as_int(size))
    return (frame.buffer(raw), len(rows) if count is None else as_int(count))


SPECIAL: dict[str, Encoder] = {
    "fcntl": fcntl,
    "ioctl": ioctl,
    "prctl": prctl,
    "seccomp": seccomp,
    "semop": semop,
    "semctl": semctl,
    "shmctl": shmctl,
    "msgctl": msgctl,
    "msgsnd": msgsnd,
    "msgrcv": msgrcv,
    "setsockopt": setsockopt,
    "getsockopt": getsockopt,
    "keyctl": keyctl,
    "quotactl": quotactl,
    "ptrace": ptrace,
    "process_vm_readv": process_vm,
    "process_vm_writev": process_vm,
}
