"""Socket addresses between the program's notation and ``struct sockaddr``."""

import ctypes
import struct
from typing import Any

from .channel import raw
from .frame import BadArgumentError, as_bytes, as_rows, as_text
from .numbers import NUMBERS

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET = 1, 2, 10, 16, 17


def _ipv4(text: str) -> bytes | None:
    parts = text.split(".") if text else ["0"] * 4
    if len(parts) != 4 or not all(part.isdigit() and int(part) < 256 for part in parts):
        return None
    return bytes(map(int, parts))


def _ipv6(text: str) -> bytes:
    head, gap, tail = text.partition("::")
    left = [int(group, 16) for group in head.split(":") if group]
    right = [int(group, 16) for group in tail.split(":") if group]
    if (not gap and len(left) != 8) or len(left) + len(right) > 8:
        raise BadArgumentError(f"not an IPv6 address: {text!r}")
    groups = [*left, *([0] * (8 - len(left) - len(right))), *right]
    return struct.pack(">8H", *groups)


def pack(value: Any) -> bytes:
    """``"/path"``, ``"\\0abstract"``, ``("127.0.0.1", 80)``, ``("::1", 80)``, ``("lo", proto)``
    for a packet socket, ``(pid, groups)`` for netlink."""
    if value is None:
        return b""
    if isinstance(value, (str, bytes)):
        path = as_bytes(value)
        end = b"" if path[:1] == b"\0" or not path else b"\0"
        return struct.pack("<H", AF_UNIX) + path + end
    rows = as_rows(value) or []
    if len(rows) == 3 and isinstance(rows[0], int):
        rows = rows[1:]
    if len(rows) != 2:
        raise BadArgumentError(f"not a socket address: {value!r}")
    first, second = rows
    if isinstance(first, int):
        return struct.pack("<HHII", AF_NETLINK, 0, first & 0xFFFFFFFF, second & 0xFFFFFFFF)
    host = as_text(as_bytes(first))
    if ":" in host:
        head = struct.pack("<H", AF_INET6) + struct.pack(">HI", second & 0xFFFF, 0)
        return head + _ipv6(host) + bytes(4)
    ipv4 = _ipv4(host)
    if ipv4 is not None:
        return struct.pack("<H", AF_INET) + struct.pack(">H", second & 0xFFFF) + ipv4 + bytes(8)
    return (
        struct.pack("<H", AF_PACKET)
        + struct.pack(">H", second & 0xFFFF)
        + struct.pack("<iHBB8s", _index(host), 0, 0, 0, b"")
    )


def _index(name: str) -> int:
    """The number of a network interface here, 0 if there is none: netdevice(7), SIOCGIFINDEX."""
    socket, _errno = raw(NUMBERS["socket"], AF_UNIX, 1, 0)
    if socket < 0:
        return 0
    request = ctypes.create_string_buffer(as_bytes(name)[:15], 40)
    failed, _errno = raw(NUMBERS["ioctl"], socket, 0x8933, ctypes.addressof(request))
    raw(NUMBERS["close"], socket)
    return 0 if failed else struct.unpack_from("<i", request, 16)[0]


def unpack(raw: bytes, length: int) -> Any:
    """The program's notation for ``length`` bytes of a ``sockaddr``."""
    if length < 2:
        return None
    family = struct.unpack_from("<H", raw)[0]
    if family == AF_UNIX:
        path = raw[2:length]
        return path.decode("utf-8", "surrogateescape") if path[:1] == b"\0" else as_text(path)
    if family == AF_INET:
        port = struct.unpack_from(">H", raw, 2)[0]
        return (".".join(map(str, raw[4:8])), port)
    if family == AF_INET6:
        port = struct.unpack_from(">H", raw, 2)[0]
        return (_ipv6_text(raw[8:24]), port)
    if family == AF_NETLINK:
        return struct.unpack_from("<II", raw, 4)
    return None


def _ipv6_text(raw: bytes) -> str:
    """As inet_ntop(3) writes it: the longest run of zero groups as ``::``, IPv4 in dots."""
    groups = struct.unpack(">8H", raw)
    if raw[:12] == bytes(10) + b"\xff\xff":
        return "::ffff:" + ".".join(map(str, raw[12:]))
    best = (0, 0)
    for start in range(8):
        length = 0
        while start + length < 8 and groups[start + length] == 0:
            length += 1
        best = max(best, (length, -start))
    length, start = best[0], -best[1]
    if length < 2:
        return ":".join(f"{group:x}" for group in groups)
    left, right = groups[:start], groups[start + length :]
    return ":".join(f"{g:x}" for g in left) + "::" + ":".join(f"{g:x}" for g in right)
