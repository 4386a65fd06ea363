"""The seccomp filter that a process really has, read from the kernel instruction by instruction.

ptrace(2) PTRACE_SECCOMP_GET_FILTER: for CAP_SYS_ADMIN, on a kernel with CONFIG_CHECKPOINT_RESTORE,
and only for a reader that has no filter itself.
"""

import contextlib
import ctypes
import errno
import os
import struct
from collections.abc import Generator
from typing import TypeAlias

Program: TypeAlias = tuple[tuple[int, ...], ...]
"""Classic BPF: (code, jt, jf, k)."""

_SEIZE, _INTERRUPT, _DETACH, _GET_FILTER = 0x4206, 0x4207, 17, 0x420C
_INSTRUCTION = struct.Struct("<HBBI")
_WALL = 0x40000000


def of(pid: int) -> tuple[Program, ...] | None:
    """The filters of ``pid``, the last loaded first; ``None`` where this kernel does not tell."""
    with _stopped(pid) as stopped:
        if not stopped:
            return None
        found: list[Program] = []
        while True:
            size = _ptrace(_GET_FILTER, pid, len(found), None)
            if size < 0:
                return tuple(found) if ctypes.get_errno() == errno.ENOENT else None
            memory = ctypes.create_string_buffer(size * _INSTRUCTION.size)
            _ptrace(_GET_FILTER, pid, len(found), ctypes.cast(memory, ctypes.c_void_p))
            found.append(tuple(_INSTRUCTION.iter_unpack(memory.raw)))


@contextlib.contextmanager
def _stopped(pid: int) -> Generator[bool]:
    """Hold a process as its tracer; whether that was possible."""
    if _ptrace(_SEIZE, pid, 0, None) < 0:
        yield False
        return
    try:
        _ptrace(_INTERRUPT, pid, 0, None)
        os.waitpid(pid, _WALL)
        yield True
    finally:
        _ptrace(_DETACH, pid, 0, None)


def _ptrace(request: int, pid: int, address: int, data: ctypes.c_void_p | None) -> int:
    call = ctypes.CDLL(None, use_errno=True).ptrace
    call.restype = ctypes.c_long
    call.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_long, ctypes.c_void_p)
    return int(call(request, pid, address, data))
