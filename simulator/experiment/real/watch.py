"""Watching a program that nobody knows: the filter it gets, and who answers what it asks.

A shell line, and what an execve(2) starts, may be any program, one that brings its own binary too.
Behind the filter (seccomp_unotify(2)) each call that could reach this machine waits for ``judge``,
which looks at the real process and at the real object. What the kernel then carries out is judged
by arguments that cannot change any more: numbers, descriptors of a process that shares its table
with nobody, memory that nobody else can write. A refused call gives EPERM, and the line is told as
*model only*, never as a difference. When this process ends, waiting calls give ENOSYS.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import select
import struct
import threading
import time

from simulator.experiment.real import judge
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.link import children, inner_pids
from simulator.experiment.real.standing import Standing, shares
from simulator.machine.abi.x86_64 import NUMBERS

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ASK = 0x7FFF0000, 0x7FC00000
_X86_64 = 0xC000003E
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets in ``struct seccomp_data`` (linux/seccomp.h)."""

_RECEIVE, _SEND, _STILL_THERE = 0xC0502100, 0xC0182101, 0x40082102
_CONTINUE = 1
_PIDFD_GETFD = 438
_DYING = 0.2
"""Seconds."""

_NOTIFICATION = struct.Struct("<QIIiIQ6Q")
_RESPONSE = struct.Struct("<QqiI")


def code() -> bytes:
    """The filter: classic BPF, ``struct sock_filter`` after ``struct sock_filter``.

    Of another architecture (int 0x80, x32), or newer than everything that was thought about, is
    asked for too.
    """
    rows = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _X86_64),
        (_RETURN, 0, 0, _ASK),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, judge.FIRST_UNKNOWN),
        (_RETURN, 0, 0, _ASK),
    ]
    for name, condition in judge.ASKED.items():
        if condition is None:
            rows += [(_EQUAL, 0, 1, NUMBERS[name]), (_RETURN, 0, 0, _ASK)]
            continue
        place, bits = condition
        rows += [
            (_EQUAL, 0, 4, NUMBERS[name]),
            (_LOAD, 0, 0, _ARGUMENTS + 8 * place),
            (_ANY_BIT, 0, 1, bits),
            (_RETURN, 0, 0, _ASK),
            (_RETURN, 0, 0, _ALLOW),
        ]
    rows.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("<HBBI", *row) for row in rows)


class Watch:
    """The other end of one program's filter, served by a thread until its last process is gone."""

    def __init__(self, actor: Standing, process: int, listener: int) -> None:
        self._listener = listener
        self._judge = judge.Judge(actor, process)
        self._refused: list[str] = []
        self._thread = threading.Thread(target=self._serve, daemon=True, name="vitrina-watch")
        self._thread.start()

    def news(self) -> str | None:
        """Why calls were refused that nobody was told of yet: the first reason, or ``None``."""
        told, self._refused = self._refused, []
        return told[0] if told else None

    def busy(self) -> bool:
        """Whether a process of the program is still there; whoever is dying has a moment."""
        self._thread.join(_DYING)
        return self._thread.is_alive()

    def _serve(self) -> None:
        poller = select.poll()
        poller.register(self._listener, select.POLLIN)
        try:
            while True:
                for _descriptor, event in poller.poll():
                    if event & select.POLLIN:
                        self._answer_one()
                    elif event:
                        return
        finally:
            os.close(self._listener)

    def _answer_one(self) -> None:
        notification = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(self._listener, _RECEIVE, notification)
        except OSError:
            # Whoever asked was killed meanwhile.
            return
        ident, pid, _flags, number, architecture, _pointer, *args = _NOTIFICATION.unpack(
            notification
        )
        try:
            verdict = (
                self._judge.foreign()
                if architecture != _X86_64
                else self._judge.verdict(pid, number, tuple(args))
            )
        except Exception:  # whatever it was, the call was not looked at
            verdict = judge.unseen()
        with contextlib.suppress(OSError):
            # Otherwise it was somebody else with the same pid at whom we looked.
            fcntl.ioctl(self._listener, _STILL_THERE, struct.pack("<Q", ident))
            if verdict is None:
                response = _RESPONSE.pack(ident, 0, 0, _CONTINUE)
            else:
                if verdict.reason:
                    self._refused.append(verdict.reason)
                response = _RESPONSE.pack(ident, 0, -verdict.errno, 0)
            fcntl.ioctl(self._listener, _SEND, response)


def over_child(standing: Standing, actor: int, child: int) -> Watch:
    """The watch over a child of ``actor``, ``child`` as the actor numbers it. Raises ``RealError``.

    It is at the gate, with its filter. ``standing`` is what the actor could do before.
    """
    level = len(inner_pids(actor)) - 1
    for pids in (children, _everybody):
        for pid in pids(actor):
            if inner_pids(pid)[level : level + 1] == [child]:
                found = _over(standing, pid)
                if found is not None:
                    return found
    raise RealError.broken("seccomp", os.strerror(errno.ESRCH))


def over(standing: Standing, actor: int, seconds: float) -> Watch | None:
    """The watch over ``actor`` itself, ``None`` if it has loaded no filter within this time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = _over(standing, actor)
        if found is not None:
            return found
        time.sleep(0.0005)
    return None


def _over(standing: Standing, pid: int) -> Watch | None:
    """The watch over a process that has a filter; ``None`` too when it has just died."""
    listener = _listener(pid)
    if listener is None:
        return None
    try:
        return Watch(standing, pid, listener)
    except OSError:
        os.close(listener)
        return None


def _everybody(actor: int) -> list[int]:
    """Where the kernel lists no children."""
    found = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in found if pid != actor and shares(pid, actor, "user")]


def _listener(pid: int) -> int | None:
    """A copy of the descriptor that this process's filter gave it."""
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            if os.readlink(f"/proc/{pid}/fd/{name}") == "anon_inode:seccomp notify":
                return _copied(pid, int(name))
    return None


def _copied(pid: int, number: int) -> int | None:
    holder = os.pidfd_open(pid)
    try:
        call = ctypes.CDLL(None).syscall
        call.restype = ctypes.c_long
        copy = int(call(ctypes.c_long(_PIDFD_GETFD), holder, number, 0))
    finally:
        os.close(holder)
    return copy if copy >= 0 else None
