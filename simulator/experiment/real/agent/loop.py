"""An actor's life: receive a call, make it, answer."""

import ctypes
import gc
import os
import struct
import sys
import time
from typing import Any

from . import wire
from .calls import encode, known
from .channel import BASE, Channel, close_others, high_pipes, raw
from .frame import BadArgumentError
from .numbers import NUMBERS

_CLONE_VM, _CLONE_FILES, _CLONE_SETTLS, _SIGCHLD = 0x100, 0x400, 0x80000, 17

_UNCODABLE = (
    BadArgumentError,
    TypeError,
    ValueError,
    KeyError,
    AttributeError,
    OverflowError,
    struct.error,
)


class Actor:
    """This process, its channel, and the descriptors made for a child to come."""

    def __init__(self, channel: Channel, owned: list[int]) -> None:
        self.channel = channel
        self.owned = owned
        self.prepared: list[int] = []

    def prepare(self, _request: Any) -> Any:
        """Make a channel for a child; the coordinator opens its ends before the fork."""
        try:
            self.prepared = high_pipes()
        except OSError as error:
            return {"value": -1, "errno": error.errno}
        return {"ends": self.prepared}

    def call(self, request: Any) -> Any:
        """One raw system call."""
        name, args = request["call"], [wire.unpack(arg) for arg in request["args"]]
        if not known(name):
            return {"refused": f"{name} is not on the list of calls that an actor makes"}
        try:
            number, frame = encode(name, args)
        except _UNCODABLE as error:
            return {"refused": f"{name}: {error}"}
        value, errno = raw(number, *frame.args)
        if value == -1 and errno:
            return {"value": -1, "errno": errno}
        return {"value": value, "errno": 0, "data": wire.pack(frame.data(value))}

    def fork(self, request: Any) -> Any:
        """fork(2) or clone(2): the child goes on as an actor of its own."""
        ends, self.prepared = self.prepared, []
        flags = _clone_flags(request)
        if isinstance(flags, str):
            close_others((), ends)
            return {"refused": flags}
        spot = ctypes.create_string_buffer(16)
        where = ctypes.addressof(spot)
        if request["call"] == "clone":
            value, errno = raw(NUMBERS["clone"], flags, 0, where, where + 8, 0)
        else:
            value, errno = raw(NUMBERS["fork"])
        if value == 0:
            self._become_child(ends, flags)
            return None
        if not flags & _CLONE_FILES or value < 0:
            close_others((), ends)
        return {"value": value, "errno": errno}

    def _become_child(self, ends: list[int], flags: int) -> None:
        keep = (ends[0], ends[3])
        if not flags & _CLONE_FILES:
            close_others(keep, [*self.owned, *ends])
        self.owned = list(keep)
        self.channel = Channel(*keep)
        self.channel.send({"born": os.getpid()})

    def poke(self, request: Any) -> Any:
        """Write into mapped memory (to plant a secret in a shared segment)."""
        content = wire.unpack(request["content"])
        ctypes.memmove(request["address"], content, len(content))
        return {"value": 0, "errno": 0}

    def tidy(self, _request: Any) -> Any:
        """Close every descriptor that a program may have opened, and bury dead children."""
        os.closerange(3, BASE)
        number, frame = encode("wait4", [-1, 1])
        while raw(number, *frame.args)[0] > 0:
            pass
        return {"value": 0, "errno": 0}

    def shell(self, request: Any) -> Any:
        """A child runs /bin/sh -c; its exit status and what it printed."""
        reading, writing = os.pipe()
        value, errno = raw(NUMBERS["fork"])
        if value == 0:
            _run_shell(writing, request["line"])
        os.close(writing)
        if value < 0:
            os.close(reading)
            return {"value": -1, "errno": errno}
        status, output = _collect(value, reading)
        os.close(reading)
        return {"value": status, "errno": 0, "data": wire.pack(output)}


_PR_CAPBSET_DROP = 24
_OF_THE_MACHINE = (16, 17, 20, 22, 25, 34, 35)
"""Modules, I/O ports and memory, accounting, restart, clock, kernel log, alarms that wake it.

Nobody looks at the calls of a program that a shell starts, so it can't gain these at all:
capabilities(7), "Transformation of capabilities during execve()".
"""


def _clone_flags(request: Any) -> int | str:
    if request["call"] != "clone":
        return 0
    args = request["args"]
    flags = args[0] if args and isinstance(args[0], int) else 0
    if flags & (_CLONE_VM | _CLONE_SETTLS):
        return "clone: an actor that shares its memory can't be told apart from its parent"
    return flags if flags & 0xFF else flags | _SIGCHLD


def _run_shell(writing: int, line: str) -> None:
    try:
        for capability in _OF_THE_MACHINE:
            raw(NUMBERS["prctl"], _PR_CAPBSET_DROP, capability)
        raw(NUMBERS["dup2"], writing, 1)
        raw(NUMBERS["dup2"], writing, 2)
        number, frame = encode(
            "execve",
            ["/bin/sh", ["sh", "-c", line], [f"{key}={os.environ[key]}" for key in os.environ]],
        )
        _value, errno = raw(number, *frame.args)
        os.write(2, f"/bin/sh: {os.strerror(errno)}\n".encode())
    finally:
        raw(NUMBERS["exit_group"], 127)


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


def _default_signals() -> None:
    """A fresh process's dispositions: Python itself ignores SIGPIPE and catches SIGINT."""
    for number in (2, 13, 25):
        call, frame = encode("rt_sigaction", [number, 0])
        raw(call, *frame.args)


def _open_channel() -> tuple[Channel, list[int]]:
    """The first actor's channel, on fixed descriptors that the coordinator knows."""
    ends = high_pipes()
    assert ends == [BASE, BASE + 1, BASE + 2, BASE + 3], ends
    return Channel(ends[0], ends[3]), ends


def main() -> None:
    """Serve until the coordinator goes away."""
    _default_signals()
    _drain_imports()
    channel, owned = _open_channel()
    actor = Actor(channel, owned)
    request = channel.receive()
    close_others((channel.requests, channel.answers), owned)
    while request is not None:
        answer = _answer(actor, request)
        if answer is not None:
            actor.channel.send(answer)
        request = actor.channel.receive()
    raw(NUMBERS["exit_group"], 0)


def _drain_imports() -> None:
    """Load now what a later chroot would hide, and keep the collector from stirring memory."""
    for name in ("encodings.latin_1", "fcntl"):
        __import__(name)
    if "--modules" in sys.argv:
        for module in list(sys.modules.values()):
            print(getattr(module, "__file__", None) or "")
        sys.exit(0)
    gc.collect()
    gc.disable()
    gc.freeze()


def _answer(actor: Actor, request: Any) -> Any:
    try:
        return getattr(actor, _OPERATIONS[request["do"]])(request)
    except Exception as error:
        return {"broken": f"{type(error).__name__}: {error}"}


_OPERATIONS = {
    "call": "call",
    "prepare": "prepare",
    "fork": "fork",
    "shell": "shell",
    "poke": "poke",
    "tidy": "tidy",
}
