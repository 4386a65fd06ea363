"""One shell line: a child of the actor runs /bin/sh -c, and what it printed comes back.

The actor does what popen(3) does: pipe, fork, dup2, execve in the child, read and wait in the
parent. Each of these is a nested call with an event of its own, and may fail like any other.
"""

from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from simulator.machine.abi.call import Call, Failed, Result, Returned
from simulator.machine.abi.constants import (
    F_DUPFD_CLOEXEC,
    F_SETFD,
    F_SETFL,
    FD_CLOEXEC,
    O_CLOEXEC,
    O_NONBLOCK,
    SIG_DFL,
    SIGPIPE,
    WNOHANG,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import clock
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.task import Sleeper, Task
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.runtime import GONE, GapError, Userland

MAX_CALLS = 100_000
"""System calls of one line, after which it is taken to run for ever."""
MAX_OUTPUT = 1 << 20
"""Bytes of output of one line, likewise."""
PATIENCE = 60_000_000_000
"""How long a line waits for daemons that wait themselves, in nanoseconds of the machine's clock."""
INIT = Pid(1)
_STDERR = 2
_LINGER = 500
"""Rounds that background programs are given after their shell has gone."""


class LineResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a line.

    ``errno`` is set when the actor could not even fork. ``blocked`` says what the line waits for
    (it may be taken up again with ``Line.proceed``). ``silent`` says why the model has no answer.
    ``first`` and ``last`` are the events on the timeline, from 1, both included.
    """

    status: int = 0
    output: bytes = b""
    errno: Errno | None = None
    blocked: str | None = None
    silent: str | None = None
    first: int = 0
    last: int = 0


def concluded(
    land: Userland,
    output: bytearray,
    first: int,
    *,
    status: int = 0,
    errno: Errno | None = None,
    blocked: str | None = None,
    silent: str | None = None,
) -> LineResult:
    """What became of a line whose events began with number ``first``, as things stand now."""
    return LineResult(
        status=status,
        output=bytes(output),
        errno=errno,
        blocked=blocked,
        silent=silent,
        first=first,
        last=len(land.kernel.timeline),
    )


@dataclass
class Line:
    """A line in progress; ``proceed`` until it is not blocked any more."""

    land: Userland
    pid: Pid
    text: str
    number: int = 0
    output: bytearray = field(default_factory=bytearray)
    reading: int = -1
    child: Pid = INIT
    child_seen: int = 0
    first: int = 0
    limit: int = 0
    until: int = 0

    def begin(self) -> LineResult:
        """Fork the shell and run it. Results as ``proceed``."""
        kernel = self.land.kernel
        self.first = len(kernel.timeline) + 1
        self.number = self.first
        self.limit = self.land.calls + MAX_CALLS
        self.until = clock.monotonic(kernel.store) + PATIENCE
        pipe = private_pipe(self.land, self.pid) if self.land.alive(self.pid) else GONE
        if not isinstance(pipe, Returned):
            return self._failed(pipe)
        self.reading, writing = cast("tuple[int, int]", pipe.data)
        self._call("fcntl", self.reading, F_SETFL, O_NONBLOCK)
        forked, child = self.land.forked(self.pid, Call("fork"))
        self._call("close", writing)
        if child is None:
            self._call("close", self.reading)
            return self._failed(forked)
        assert isinstance(forked, Returned)
        self.child, self.child_seen = child, forked.value
        text = self.text
        env = _environment(kernel, self.pid)

        async def body(sys: Process) -> int:
            return await _become_shell(sys, text, writing, env)

        self.land.run_body(child, body, self.number)
        return self.proceed()

    def proceed(self) -> LineResult:
        """Run until the shell has exited, or everything sleeps, or a limit is reached."""
        try:
            return self._proceed()
        except GapError as gap:
            self._abandon()
            return self._result(silent=str(gap))

    def _proceed(self) -> LineResult:
        land = self.land
        while land.alive(self.child):
            if land.calls > self.limit or len(self.output) > MAX_OUTPUT:
                self._abandon()
                return self._result(silent=N_("the line reached the limit of steps"))
            if land.round() or self._drain() or land.pass_time(self.number):
                continue
            if land.wait_for_daemons(self.until):
                continue
            if land.endless(self.number):
                self._abandon()
                return self._result(silent=N_("the line computes without end"))
            sleeper = land.kernel.store.get(Sleeper, self.child)
            return self._result(blocked=sleeper.on if sleeper is not None else "")
        for _ in range(_LINGER):
            if not land.round():
                break
        self._drain()
        reaped = self._call("wait4", self.child_seen, WNOHANG)
        self._call("close", self.reading)
        status = cast("int", reaped.data or 0) if isinstance(reaped, Returned) else 0
        signal = status & 0x7F
        return self._result(status=128 + signal if signal else status >> 8 & 0xFF)

    def _drain(self) -> bool:
        """Read what the pipe holds; whether there was anything."""
        some = False
        while True:
            reply = self._call("read", self.reading, 65536)
            if not isinstance(reply, Returned) or not reply.data:
                return some
            self.output += cast("bytes", reply.data)
            some = True
            if len(self.output) > MAX_OUTPUT:
                return some

    def _abandon(self) -> None:
        mine = [pid for pid, one in self.land.programs.items() if one.line == self.number]
        self.land.end(mine)
        self._drain()
        self._call("wait4", self.child_seen, WNOHANG)
        self._call("close", self.reading)

    def _call(self, name: str, *args: int) -> Result:
        if not self.land.alive(self.pid):
            return GONE
        return self.land.syscall(self.pid, Call(name, args))

    def _failed(self, result: Result) -> LineResult:
        if isinstance(result, Failed):
            return self._result(errno=result.errno)
        return self._result(silent=getattr(result, "note", ""))

    def _result(self, **outcome: Any) -> LineResult:
        return concluded(self.land, self.output, self.first, **outcome)


def private_pipe(land: Userland, pid: Pid) -> Result:
    """pipe2(2) with O_CLOEXEC; before Linux 2.6.27, pipe(2) and a flag for each end."""
    made = land.syscall(pid, Call("pipe2", (O_CLOEXEC,)))
    if not isinstance(made, Failed) or made.errno is not Errno.ENOSYS:
        return made
    made = land.syscall(pid, Call("pipe"))
    if isinstance(made, Returned):
        for end in cast("tuple[int, int]", made.data):
            land.syscall(pid, Call("fcntl", (end, F_SETFD, FD_CLOEXEC)))
    return made


def run_line(
    kernel: Kernel,
    pid: Pid,
    text: str,
    *,
    land: Userland | None = None,
    actor: str = "",
) -> LineResult:
    """Run ``text`` as a child of task ``pid``; give ``land`` to keep background programs alive."""
    return begin_line(kernel, pid, text, land=land, actor=actor)[1]


def begin_line(
    kernel: Kernel,
    pid: Pid,
    text: str,
    *,
    land: Userland | None = None,
    actor: str = "",
) -> tuple[Line, LineResult]:
    """Like ``run_line``, with the line itself, to proceed with when it was blocked."""
    land = land if land is not None else Userland(kernel)
    land.actor, land.mechanism, land.depth = actor, "", 1
    line = Line(land, pid, text)
    return line, line.begin()


def _environment(kernel: Kernel, pid: Pid) -> dict[str, str]:

    return dict(kernel.store.row(Task, pid).env)


async def _become_shell(sys: Process, text: str, writing: int, env: dict[str, str]) -> int:
    """The child between fork and exec: output to the pipe, default signals, /bin/sh."""
    if writing <= _STDERR:
        writing = await sys.value("fcntl", writing, F_DUPFD_CLOEXEC, _STDERR + 1)
    await sys.call("dup2", writing, 1)
    await sys.call("dup2", writing, _STDERR)
    await sys.succeeds("rt_sigaction", SIGPIPE, SIG_DFL)
    try:
        await sys.execve("/bin/sh", ["sh", "-c", text], env)
    except SysError as error:
        await sys.err(f"/bin/sh: {error.message}\n")
    return 127
