"""The gate before a program that nobody knows: from here on each of its calls may be judged.

A filter (seccomp(2), SECCOMP_RET_USER_NOTIF) is loaded by the process that is about to become the
program; the coordinator takes its other end and says when to go on. Without CAP_SYS_ADMIN a filter
takes no_new_privs, so what would gain rights by its file is not run then.
"""

import contextlib
import ctypes
import os
import struct
import time
from collections.abc import Generator
from typing import Any

from . import wire
from .calls import encode
from .channel import high_pipe, raw
from .frame import Frame
from .numbers import NUMBERS

_MODE_FILTER, _NEW_LISTENER, _WAIT_KILLABLE = 1, 1 << 3, 1 << 5
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_VERSION_3, _SYS_ADMIN, _EACCES, _EINVAL = 0x20080522, 21, 13, 22
_TRACEME, _KILL, _REFUSED_TRACE = 0, 9, 255
_SIG_BLOCK, _SIG_SETMASK, _SIGCHLD = 0, 2, 1 << 16

OF_THE_MACHINE = (16, 17, 20, 22, 25, 35)
"""Modules, I/O ports and memory, accounting, restart, clock, alarms that wake it.

What nobody knows can't gain these at all: capabilities(7), "Transformation of capabilities during
execve()". The coordinator notices who asks for one.
"""


def load(code: bytes) -> int:
    """Load the filter into this process, and give up rights over the machine; 0 or an errno."""
    frame = Frame()
    program = frame.buffer(struct.pack("<H6xQ", len(code) // 8, frame.buffer(code)))
    header, sets = _capabilities(frame)
    errno = _install(program)
    if errno == _EACCES and sets is not None and sets[1] >> _SYS_ADMIN & 1:
        _capset(frame, header, (sets[0] | 1 << _SYS_ADMIN, *sets[1:]))
        errno = _install(program)
        _capset(frame, header, sets)
    if errno == _EACCES:
        raw(NUMBERS["prctl"], _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        errno = _install(program)
    if not errno:
        for capability in OF_THE_MACHINE:
            raw(NUMBERS["prctl"], _PR_CAPBSET_DROP, capability)
    return errno


def _install(program: int) -> int:
    """The kernels before 5.19 lack the second flag, and may interrupt a call that is judged."""
    for flags in (_NEW_LISTENER | _WAIT_KILLABLE, _NEW_LISTENER):
        value, errno = raw(NUMBERS["seccomp"], _MODE_FILTER, flags, program)
        if value >= 0 or errno != _EINVAL:
            break
    return 0 if value >= 0 else errno


def _capabilities(frame: Frame) -> tuple[int, tuple[int, ...] | None]:
    header = frame.buffer(struct.pack("<Ii", _VERSION_3, 0))
    found: list[tuple[int, ...]] = []
    room = frame.room(24, lambda content, _value: found.append(struct.unpack("<6I", content)))
    if raw(NUMBERS["capget"], header, room)[0] < 0:
        return header, None
    frame.data(0)
    low = found[0]
    return header, tuple(low[at] | low[at + 3] << 32 for at in range(3))


def _capset(frame: Frame, header: int, sets: tuple[int, ...]) -> None:
    words = [one >> shift & 0xFFFFFFFF for shift in (0, 32) for one in sets]
    raw(NUMBERS["capset"], header, frame.buffer(struct.pack("<6I", *words)))


TELLING, GATE = 198, 199
"""Where a helper (``real.helper``) finds the pipes that a child at the gate has."""


class Line:
    """A child that will run a shell line, waiting at the gate.

    ``helper`` is a program that loads the filter for a child that may not.
    """

    def __init__(self, line: str, code: bytes, helper: str = "") -> None:
        self.reading, writing = os.pipe()
        told, telling = os.pipe()
        waiting, self._go = os.pipe()
        self.child, self.errno = raw(NUMBERS["fork"])
        if self.child == 0:
            _become_shell((writing, telling, waiting), line, code, helper)
        for end in (writing, telling, waiting):
            os.close(end)
        self.refused = 0
        if self.child > 0:
            # The end of the file is a filter that is loaded.
            self.refused = int(os.read(told, 16) or b"0")
        os.close(told)

    def go(self) -> tuple[int, bytes]:
        """Let it run; its exit status as a shell's, and what it printed."""
        os.write(self._go, b"x")
        return _collect(self.child, self.reading)

    def close(self) -> None:
        """Let go of the pipes; a child at the gate then leaves."""
        os.close(self.reading)
        os.close(self._go)
        if self.refused:
            _buried(self.child)


def _become_shell(ends: tuple[int, int, int], line: str, code: bytes, helper: str) -> None:
    writing, telling, waiting = ends
    environ = [f"{key}={os.environ[key]}" for key in os.environ]
    try:
        raw(NUMBERS["dup2"], writing, 1)
        raw(NUMBERS["dup2"], writing, 2)
        if helper:
            raw(NUMBERS["dup2"], telling, TELLING)
            raw(NUMBERS["dup2"], waiting, GATE)
            number, frame = encode("execve", [helper, ["sh", "-c", line], environ])
            errno = raw(number, *frame.args)[1]
            os.write(telling, str(errno).encode())
            return
        errno = load(code)
        if errno:
            os.write(telling, str(errno).encode())
            return
        os.close(telling)
        if not os.read(waiting, 1):
            return
        number, frame = encode("execve", ["/bin/sh", ["sh", "-c", line], environ])
        _value, errno = raw(number, *frame.args)
        os.write(2, f"/bin/sh: {os.strerror(errno)}\n".encode())
    finally:
        raw(NUMBERS["exit_group"], 127)


def rehearsed(number: int, frame: Frame) -> tuple[bool, int]:
    """What an execve(2) would say: whether anybody can tell, and its errno.

    A traced child makes it and is killed before the program's first instruction.
    """
    with _silent_children():
        return _rehearsed(number, frame)


@contextlib.contextmanager
def _silent_children() -> Generator[None]:
    """No SIGCHLD from what is born and dies in here: it would stop a process that is traced.

    A blocked signal waits, even one that is ignored: signal(7).
    """
    frame = Frame()
    only = frame.buffer(struct.pack("<Q", _SIGCHLD))
    held, waiting, nothing = frame.buffer(bytes(8)), frame.buffer(bytes(8)), frame.buffer(bytes(16))
    raw(NUMBERS["rt_sigprocmask"], _SIG_BLOCK, only, held, 8)
    raw(NUMBERS["rt_sigpending"], waiting, 8)
    (before,) = struct.unpack("<Q", ctypes.string_at(waiting, 8))
    try:
        yield
    finally:
        if not before & _SIGCHLD:
            raw(NUMBERS["rt_sigtimedwait"], only, 0, nothing, 8)
        raw(NUMBERS["rt_sigprocmask"], _SIG_SETMASK, held, 0, 8)


def _rehearsed(number: int, frame: Frame) -> tuple[bool, int]:
    told, telling = high_pipe()
    child, errno = raw(NUMBERS["fork"])
    if child == 0:
        try:
            value, errno = raw(NUMBERS["ptrace"], _TRACEME, 0, 0, 0)
            if value >= 0:
                _value, errno = raw(number, *frame.args)
            else:
                errno = _REFUSED_TRACE
            os.write(telling, str(errno).encode())
        finally:
            raw(NUMBERS["exit_group"], 0)
    os.close(telling)
    if child < 0:
        os.close(told)
        return False, errno
    said = os.read(told, 16)
    os.close(told)
    raw(NUMBERS["kill"], child, _KILL)
    _buried(child)
    return said != str(_REFUSED_TRACE).encode(), int(said or b"0")


def _buried(child: int) -> None:
    number, frame = encode("wait4", [child, 0])
    while True:
        value, _errno = raw(number, *frame.args)
        if value < 0 or frame.data(value) & 0xFF != 0x7F:
            return


def _collect(child: int, reading: int) -> tuple[int, bytes]:
    os.set_blocking(reading, False)
    output = b""
    while True:
        output += _drain(reading)
        number, frame = encode("wait4", [child, 1])
        value, _errno = raw(number, *frame.args)
        if value == 0:
            time.sleep(0.001)
            continue
        status = frame.data(value) if value > 0 else 0
        code = status >> 8 & 0xFF if status & 0x7F == 0 else 128 + (status & 0x7F)
        return code, output + _drain(reading)


def _drain(reading: int) -> bytes:
    output = b""
    try:
        while block := os.read(reading, 65536):
            output += block
    except BlockingIOError:
        pass
    return output


def packed(status: int, output: bytes) -> Any:
    """The answer to a shell line."""
    return {"value": status, "errno": 0, "data": wire.pack(output)}
