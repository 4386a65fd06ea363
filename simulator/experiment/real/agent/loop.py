"""An actor's life: receive a call, make it, answer."""

import ctypes
import gc
import os
import struct
import sys
from typing import Any

from . import gate, wire
from .calls import encode, known
from .channel import BASE, Channel, close_others, high_pipes, raw
from .frame import BadArgumentError
from .numbers import NUMBERS
from .settle import settle

_CLONE_VM, _CLONE_FILES, _CLONE_SETTLS, _SIGCHLD = 0x100, 0x400, 0x80000, 17
_SIG_SETMASK, _SIGKILL, _SIGSTOP = 2, 9, 19

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
        self.line: gate.Line | None = None

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
        """A child that will run /bin/sh -c, waiting for ``go``."""
        text, code, helper = request["line"], wire.unpack(request["filter"]), request["helper"]
        line = gate.Line(text, code, helper)
        if helper and line.child > 0 and line.refused:
            line.close()
            line = gate.Line(text, code)
        if line.child < 0 or line.refused:
            line.close()
            return {"value": -1, "errno": line.errno, "unwatched": line.refused}
        self.line = line
        return {"waits": line.child}

    def go(self, _request: Any) -> Any:
        """Run the line; its exit status and what it printed."""
        line, self.line = self.line, None
        assert line is not None
        answer = gate.packed(*line.go())
        line.close()
        return answer

    def execve(self, request: Any) -> Any:
        """execve(2) or execveat(2), behind the gate, as soon as the next request says ``go``."""
        try:
            number, frame = encode(request["call"], [wire.unpack(arg) for arg in request["args"]])
        except _UNCODABLE as error:
            return {"refused": f"{request['call']}: {error}"}
        told, errno = gate.rehearsed(number, frame)
        if not told:
            return {"refused": f"{request['call']}: nobody could try it first"}
        if errno:
            return {"value": -1, "errno": errno}
        self.channel.send({"waits": True})
        errno = gate.load(wire.unpack(request["filter"]))
        if errno:
            return {"value": -1, "errno": 0, "unwatched": errno}
        if self.channel.receive() is not None:
            raw(number, *frame.args)
        raw(NUMBERS["exit_group"], 127)
        return None


def _clone_flags(request: Any) -> int | str:
    if request["call"] != "clone":
        return 0
    args = request["args"]
    flags = args[0] if args and isinstance(args[0], int) else 0
    if flags & (_CLONE_VM | _CLONE_SETTLS):
        return "clone: an actor that shares its memory can't be told apart from its parent"
    return flags if flags & 0xFF else flags | _SIGCHLD


def _default_signals() -> None:
    """A fresh process's dispositions and mask, whatever ours were.

    Python itself ignores SIGPIPE and catches SIGINT; nohup(1) ignores SIGHUP.
    """
    for number in set(range(1, 65)) - {_SIGKILL, _SIGSTOP}:
        call, frame = encode("rt_sigaction", [number, 0])
        raw(call, *frame.args)
    call, frame = encode("rt_sigprocmask", [_SIG_SETMASK, []])
    raw(call, *frame.args)


def _open_channel() -> tuple[Channel, list[int]]:
    """The first actor's channel, on fixed descriptors that the coordinator knows."""
    ends = high_pipes()
    assert ends == [BASE, BASE + 1, BASE + 2, BASE + 3], ends
    return Channel(ends[0], ends[3]), ends


def _quiet_streams() -> None:
    """A console, a log or a pipe of the product's is no stream of a program that nobody sits at.

    Each of the three becomes /dev/null, where there is one.
    """
    number, frame = encode("open", ["/dev/null", os.O_RDWR])
    null, _errno = raw(number, *frame.args)
    if null < 0:
        return
    for stream in (0, 1, 2):
        raw(NUMBERS["dup2"], null, stream)
    raw(NUMBERS["close"], null)


def main() -> None:
    """Serve until the coordinator goes away."""
    _default_signals()
    _drain_imports()
    settle()
    channel, owned = _open_channel()
    _quiet_streams()
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
    "go": "go",
    "execve": "execve",
    "poke": "poke",
    "tidy": "tidy",
}
