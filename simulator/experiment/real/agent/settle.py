"""Memory of our own for the code that we run: a file of a sandbox may be written to while it is.

An agent inside a sandbox runs from the sandbox's files. A page that nobody wrote shows what the
file has now (mmap(2), MAP_PRIVATE), so each is written once, with what it holds.
"""

import ctypes
from typing import Any

_PAGE = 4096
_LOAD, _RELRO = 1, 0x6474E552
_EXEC, _WRITE, _READ = 1, 2, 4
"""``p_flags`` of a program header; mmap(2) has them the other way round."""


class _Header(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("offset", ctypes.c_uint64),
        ("address", ctypes.c_uint64),
        ("physical", ctypes.c_uint64),
        ("in_file", ctypes.c_uint64),
        ("in_memory", ctypes.c_uint64),
        ("align", ctypes.c_uint64),
    )


class _Object(ctypes.Structure):
    _fields_ = (
        ("base", ctypes.c_uint64),
        ("name", ctypes.c_char_p),
        ("headers", ctypes.POINTER(_Header)),
        ("count", ctypes.c_uint16),
    )


def settle() -> None:
    """Copy every loaded object's pages: dl_iterate_phdr(3)."""
    libc = ctypes.CDLL(None)
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Object), ctypes.c_size_t, ctypes.c_void_p)

    def each(found: Any, _size: int, _data: int) -> int:
        loaded: _Object = found.contents
        if not (loaded.name or b"").startswith(b"linux-vdso"):
            headers = [loaded.headers[at] for at in range(loaded.count)]
            for header in headers:
                if header.kind == _LOAD:
                    _copy(libc, loaded.base, header, headers)
        return 0

    libc.dl_iterate_phdr(kind(each), None)


def _copy(libc: ctypes.CDLL, base: int, header: _Header, headers: "list[_Header]") -> None:
    first = (base + header.address) // _PAGE * _PAGE
    end = base + header.address + header.in_file
    size = -(-(end - first) // _PAGE) * _PAGE
    plain = bool(header.flags & _WRITE)
    # The loader wrote to these, and nobody may any more.
    kept = [
        (base + one.address, base + one.address + one.in_memory)
        for one in headers
        if plain and one.kind == _RELRO
    ]
    protection = (header.flags & _READ) >> 2 | (header.flags & _EXEC) << 2
    where = ctypes.c_void_p(first)
    if not plain and libc.mprotect(where, ctypes.c_size_t(size), protection | 2):
        return
    for page in range(first, first + size, _PAGE):
        if not any(low <= page + _PAGE - 1 and page < high for low, high in kept):
            byte = ctypes.c_ubyte.from_address(page)
            byte.value = byte.value
    if not plain:
        libc.mprotect(where, ctypes.c_size_t(size), protection)
