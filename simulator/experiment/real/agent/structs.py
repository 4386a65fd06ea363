"""What the kernel writes, read back: one small decoder for each structure (x86-64 layouts)."""

import struct
from typing import Any

from .frame import as_text


def stat(raw: bytes, _value: int) -> dict[str, int]:
    """``struct stat`` (asm/stat.h); times are dropped."""
    dev, ino, nlink, mode, uid, gid, _, rdev, size = struct.unpack_from("<QQQIIIIQq", raw)
    return {
        "mode": mode,
        "nlink": nlink,
        "uid": uid,
        "gid": gid,
        "size": size,
        "dev": dev,
        "ino": ino,
        "rdev": rdev,
    }


def statfs(raw: bytes, _value: int) -> dict[str, int]:
    """``struct statfs``: the file system's magic number and mount flags."""
    numbers = struct.unpack_from("<7q", raw)
    flags = struct.unpack_from("<q", raw, 80)[0]
    return {"type": numbers[0], "flags": flags}


def dents(raw: bytes, value: int) -> list[str]:
    """Names in the order of the directory (``struct linux_dirent64``)."""
    names: list[str] = []
    position = 0
    while position < value:
        length = struct.unpack_from("<H", raw, position + 16)[0]
        names.append(as_text(raw[position + 19 : position + length]))
        position += length
    return names


def uname(raw: bytes, _value: int) -> dict[str, str]:
    """``struct new_utsname``."""
    keys = ("sysname", "nodename", "release", "version", "machine", "domainname")
    return {key: as_text(raw[at * 65 : at * 65 + 65]) for at, key in enumerate(keys)}


def flock(raw: bytes, _value: int) -> tuple[int, ...]:
    """``struct flock``: (type, whence, start, length, pid)."""
    kind, whence, start, length, pid = struct.unpack_from("<hh4xqqi", raw)
    return (kind, whence, start, length, pid)


def capabilities(raw: bytes, _value: int) -> tuple[list[int], ...]:
    """Two ``cap_user_data_t``: numbers of the effective, permitted and inheritable sets."""
    words = struct.unpack("<6I", raw)
    return tuple(
        [bit for bit in range(64) if (words[which] | words[which + 3] << 32) >> bit & 1]
        for which in range(3)
    )


def signals(raw: bytes, _value: int) -> list[int]:
    """A signal set as a list of numbers."""
    mask = struct.unpack("<Q", raw)[0]
    return [bit + 1 for bit in range(64) if mask >> bit & 1]


def handle(raw: bytes, _value: int) -> tuple[int, bytes]:
    """``struct file_handle``: (type, bytes)."""
    size, kind = struct.unpack_from("<Ii", raw)
    return (kind, raw[8 : 8 + size])


def _perm(raw: bytes) -> dict[str, int]:
    key, uid, gid, cuid, cgid, mode = struct.unpack_from("<i5I", raw)
    return {"key": key, "uid": uid, "gid": gid, "cuid": cuid, "cgid": cgid, "mode": mode & 0o7777}


def shm(raw: bytes, _value: int) -> dict[str, int]:
    """``struct shmid64_ds``."""
    size = struct.unpack_from("<Q", raw, 48)[0]
    cpid, lpid, attached = struct.unpack_from("<iiQ", raw, 80)
    return _perm(raw) | {"size": size, "cpid": cpid, "lpid": lpid, "nattch": attached}


def sem(raw: bytes, _value: int) -> dict[str, int]:
    """``struct semid64_ds``."""
    return _perm(raw) | {"nsems": struct.unpack_from("<Q", raw, 80)[0]}


def msg(raw: bytes, _value: int) -> dict[str, int]:
    """``struct msqid64_ds``."""
    used, count, limit = struct.unpack_from("<QQQ", raw, 72)
    return _perm(raw) | {"cbytes": used, "qnum": count, "qbytes": limit}


def unsigned(raw: bytes, _value: int) -> int:
    """One 32-bit number."""
    return struct.unpack_from("<I", raw)[0]


def signed(raw: bytes, _value: int) -> int:
    """One signed 32-bit number."""
    return struct.unpack_from("<i", raw)[0]


def wait_status(raw: bytes, value: int) -> int | None:
    """The status word of wait4(2), when a child was found."""
    return struct.unpack_from("<i", raw)[0] if value > 0 else None


def action(raw: bytes, _value: int) -> int:
    """``struct kernel_sigaction``: SIG_DFL, SIG_IGN, or 2 for a function of the process."""
    return min(struct.unpack_from("<Q", raw)[0], 2)


def quad(raw: bytes, _value: int) -> int:
    """One 64-bit number."""
    return struct.unpack_from("<Q", raw)[0]


def pair(raw: bytes, _value: int) -> tuple[int, ...]:
    """Two descriptors."""
    return struct.unpack_from("<ii", raw)


def limits(raw: bytes, _value: int) -> tuple[int, ...]:
    """``struct rlimit64``: (soft, hard)."""
    return struct.unpack_from("<QQ", raw)


def text(raw: bytes, value: int) -> str:
    """``value`` bytes of a name."""
    return as_text(raw[:value])


def content(raw: bytes, value: int) -> bytes:
    """``value`` bytes."""
    return raw[: max(value, 0)]


def nothing(_raw: bytes, _value: int) -> Any:
    """Written, but of no interest to a comparison."""
