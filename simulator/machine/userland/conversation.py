"""A shell that a person types into: it keeps its directory, its variables and its jobs.

The actor is the terminal: a pipe takes what is typed, another brings what is printed. Programs
that start a shell themselves (``su``, ``chroot``, ``unshare``) read on from the same input.
"""

from dataclasses import dataclass, field
from typing import Any, cast

from simulator.machine.abi.call import Call, Failed, Result, Returned
from simulator.machine.abi.constants import F_DUPFD_CLOEXEC, F_SETFL, O_NONBLOCK
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import clock
from simulator.machine.kernel.task import Sleeper, Task
from simulator.machine.kernel.vfs.fd import FdTable, File
from simulator.machine.kernel.vfs.pipe import Pipe
from simulator.machine.state.store import Key
from simulator.machine.userland import line as lines
from simulator.machine.userland.line import LineResult, concluded
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.runtime import GONE, GapError, Userland

_FREE = 10


@dataclass
class Conversation:
    """One interactive shell. ``ended`` once it has exited; then nothing more can be said."""

    land: Userland
    pid: Pid
    ended: bool = False
    output: bytearray = field(default_factory=bytearray)
    typing: int = -1
    reading: int = -1
    input: Key = None
    child: Pid = lines.INIT
    child_seen: int = 0
    number: int = 0
    first: int = 0
    limit: int = 0
    until: int = 0

    def begin(self) -> LineResult:
        """Start /bin/sh; the result's output is its first prompt."""
        self.first = self.number = len(self.land.kernel.timeline) + 1
        if not self.land.alive(self.pid):
            return self._failed(GONE)
        typed = lines.private_pipe(self.land, self.pid)
        printed = lines.private_pipe(self.land, self.pid)
        if not (isinstance(typed, Returned) and isinstance(printed, Returned)):
            return self._failed(printed if isinstance(typed, Returned) else typed)
        heard, self.typing = cast("tuple[int, int]", typed.data)
        self.reading, writing = cast("tuple[int, int]", printed.data)
        self._call("fcntl", self.reading, F_SETFL, O_NONBLOCK)
        self.input = self._pipe(heard)
        status = self._call("fstat", heard)
        terminal = cast("dict[str, int]", status.data)["ino"] if isinstance(status, Returned) else 0
        forked, child = self.land.forked(self.pid, Call("fork"))
        self._call("close", heard)
        self._call("close", writing)
        if child is None:
            return self._failed(forked)
        assert isinstance(forked, Returned)
        self.child, self.child_seen = child, forked.value
        env = dict(self.land.kernel.store.row(Task, self.pid).env)

        async def body(sys: Process) -> int:
            sys.terminal = terminal
            return await _become_shell(sys, heard, writing, env)

        self.land.run_body(child, body, self.number)
        return self._go_on()

    def send(self, text: str) -> LineResult:
        """Type a line; what is printed until the shell waits for the next one comes back."""
        self.first = len(self.land.kernel.timeline) + 1
        data = f"{text}\n".encode("utf-8", "surrogateescape")
        self._call("write", self.typing, data, len(data))
        return self._go_on()

    def end(self) -> LineResult:
        """Close the input, as Ctrl-D does, and wait for the shell to go."""
        self.first = len(self.land.kernel.timeline) + 1
        self._call("close", self.typing)
        return self._go_on()

    def go_on(self) -> LineResult:
        """After a result with ``silent`` of a shell that has not ended: the rest of its line."""
        self.first = len(self.land.kernel.timeline) + 1
        self.output.clear()
        try:
            return self._run()
        except GapError as gap:
            return self._beyond(str(gap))

    def _go_on(self) -> LineResult:
        self.limit = self.land.calls + lines.MAX_CALLS
        self.until = clock.monotonic(self.land.kernel.store) + lines.PATIENCE
        return self.go_on()

    def _run(self) -> LineResult:
        land = self.land
        while land.alive(self.child):
            if land.calls > self.limit or len(self.output) > lines.MAX_OUTPUT:
                return self._give_up(N_("the line reached the limit of steps"))
            if land.round() or self._drain():
                continue
            listener = self._listener()
            if listener is not None:
                return self._result(land.programs[listener].process.status)
            if not land.pass_time(self.number):
                if land.wait_for_daemons(self.until):
                    continue
                if land.endless(self.number):
                    return self._give_up(N_("the line computes without end"))
                sleeper = land.kernel.store.get(Sleeper, self.child)
                return self._result(blocked=sleeper.on if sleeper is not None else "")
        self._drain()
        self.ended = True
        reaped = self._call("wait4", self.child_seen, 1)
        word = cast("int", reaped.data or 0) if isinstance(reaped, Returned) else 0
        self._call("close", self.reading)
        return self._result(128 + (word & 0x7F) if word & 0x7F else word >> 8 & 0xFF)

    def _listener(self) -> Pid | None:
        """The program that waits for what is typed."""
        store = self.land.kernel.store
        for pid in self.land.programs:
            sleeper = store.get(Sleeper, pid)
            if sleeper is not None and (Pipe, self.input) in sleeper.watches:
                return pid
        return None

    def _drain(self) -> bool:
        before = len(self.output)
        while isinstance(reply := self._call("read", self.reading, 65536), Returned) and reply.data:
            self.output += cast("bytes", reply.data)
        return len(self.output) > before

    def _beyond(self, why: str) -> LineResult:
        """A program that asks for what the model does not have is ended, and its shell told so;
        where the shell itself asked, it ends.
        """
        turn = self.land.turn
        if turn is None or turn == self.child:
            return self._give_up(why)
        self.land.end((turn,))
        self._drain()
        return self._result(silent=why)

    def _give_up(self, why: str) -> LineResult:
        """What runs without an end is ended with its shell."""
        mine = [pid for pid, one in self.land.programs.items() if one.line == self.number]
        self.land.end(mine)
        self._drain()
        self.ended = True
        return self._result(silent=why)

    def _pipe(self, fd: int) -> Key:
        store = self.land.kernel.store
        table = store.row(FdTable, store.row(Task, self.pid).files)
        return store.row(File, table.slots[fd].file).object

    def _call(self, name: str, *args: int | bytes) -> Result:
        if not self.land.alive(self.pid):
            return GONE
        return self.land.syscall(self.pid, Call(name, args))

    def _failed(self, result: Result) -> LineResult:
        self.ended = True
        if isinstance(result, Failed):
            return self._result(errno=result.errno)
        return self._result(silent=getattr(result, "note", ""))

    def _result(self, status: int = 0, **outcome: Any) -> LineResult:
        return concluded(self.land, self.output, self.first, status=status, **outcome)


async def _become_shell(sys: Process, heard: int, writing: int, env: dict[str, str]) -> int:
    heard = await sys.value("fcntl", heard, F_DUPFD_CLOEXEC, _FREE)
    writing = await sys.value("fcntl", writing, F_DUPFD_CLOEXEC, _FREE)
    for old, new in ((heard, 0), (writing, 1), (writing, 2)):
        await sys.call("dup2", old, new)
    try:
        await sys.execve("/bin/sh", ["sh"], env)
    except SysError as error:
        await sys.err(f"/bin/sh: {error.message}\n")
    return 127
