"""The driver: runs programs over a kernel, one system call of each in turn.

A round robin over coroutines, so a run repeats exactly. A program whose call sleeps is parked until
the kernel has its result; the virtual clock moves only when every program that could act is parked
and one of them waits for a deadline.
"""

import heapq
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import assert_never, cast

from simulator.machine.abi.call import (
    Blocked,
    Call,
    Denial,
    Executed,
    Exited,
    Failed,
    Killed,
    Result,
    Returned,
    Silent,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.ids import Pid
from simulator.machine.abi.zeros import blank
from simulator.machine.kernel import alarm, clock
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.resource.demand import Demand
from simulator.machine.kernel.task import Sleeper, Task, TaskState
from simulator.machine.userland import helpers, loader
from simulator.machine.userland.options import UsageError
from simulator.machine.userland.process import (
    Bear,
    Body,
    Drive,
    Pause,
    Process,
    Request,
    Spawn,
    Syscall,
    SysError,
)

GONE = Failed(Denial(Errno.ESRCH))
"""What a line comes to whose actor is no more: it may have killed itself (``kill 0``)."""
_PAUSE = 8
"""What a step without a system call counts for."""
_LONG = 3600 * 1_000_000_000
"""How long a program may compute at a stretch before the line that runs it looks again."""
_BYTES = 2048
"""Bytes that a program moves count as one call more: a line that moves them without end is ended
before it has filled the memory of whoever runs the model."""
_ZEROS = 8192
"""The same for zeros, which take no memory, but time."""
_ZOMBIE, _STOPPED = TaskState.ZOMBIE, TaskState.STOPPED
"""Two members of an enumeration, which are dear to look up: every call does."""
_ROUNDS = 10_000
"""Calls that each program may make without any time passing."""


class GapError(Exception):
    """A program used a call that the model does not know: its line can't be answered."""


@dataclass(slots=True)
class _Running:
    """A program in progress: what to resume it with, and which line it belongs to."""

    process: Process
    coroutine: Coroutine[Request, Result, int]
    place: int
    """Its place in the round."""
    inbox: Result | None = None
    line: int = 0
    actor: str = ""
    """What the timeline calls it, when it has a name of its own: a daemon."""


@dataclass
class Userland:
    """The programs of one kernel. ``calls`` counts the system calls they made."""

    kernel: Kernel
    depth: int = 1
    actor: str = ""
    mechanism: str = ""
    calls: int = 0
    programs: dict[Pid, _Running] = field(default_factory=dict[Pid, _Running])
    turn: Pid | None = None
    """Whose turn it is, or was when an error was raised."""
    helpers: list[Pid] = field(default_factory=list[Pid])
    """Programs that the kernel started by itself."""
    _awake: set[Pid] = field(default_factory=set[Pid])
    """Programs whose call does not sleep: nobody asks the others, of which there may be many."""
    _places: int = 0
    _seen: int = 0
    """How much of the journal has been looked at."""

    def start(self, pid: Pid, line: int = 0, terminal: int = 0, actor: str = "") -> None:
        """Run what task ``pid`` has executed, from its beginning. Raises ``GapError``."""
        process = Process(pid)
        process.terminal = terminal
        program = loader.load(self.kernel, process)
        self._enter(pid, process, program, line, actor)

    def _enter(
        self,
        pid: Pid,
        process: Process,
        program: Coroutine[Request, Result, int],
        line: int,
        actor: str,
    ) -> None:
        before = self.programs.get(pid)
        if before is None:
            self._places += 1
        place = self._places if before is None else before.place
        self.programs[pid] = _Running(process, program, place, line=line, actor=actor)
        self._awake.add(pid)

    def run_body(
        self,
        pid: Pid,
        body: Body,
        line: int = 0,
        like: Process | None = None,
        actor: str = "",
    ) -> None:
        """Run ``body`` as task ``pid``, a child that fork(2) has just made."""
        process = Process(pid)
        if like is not None:
            process.name, process.env = like.name, dict(like.env)
            process.collection = like.collection
            process.terminal = like.terminal
        self._enter(pid, process, _bodied(process, body), line, actor)

    def forked(self, pid: Pid, call: Call) -> tuple[Result, Pid | None]:
        """Make ``call`` (fork or clone) for ``pid``; with its result, the new task's number."""
        mark = len(self.kernel.store.journal)
        result = self.syscall(pid, call)
        if isinstance(result, Returned) and result.value > 0:
            for write in self.kernel.store.journal[mark:]:
                if write.table is Task and write.old is None:
                    return result, Pid(write.key)  # pyright: ignore[reportArgumentType]
        return result, None

    def syscall(self, pid: Pid, call: Call) -> Result:
        """One call of task ``pid``, as a nested event."""
        running = self.programs.get(pid)
        actor = (running.actor if running is not None else "") or self.actor
        mechanism, depth = self.mechanism, self.depth
        result = self.kernel.call(pid, call, actor=actor, mechanism=mechanism, depth=depth)
        self.calls += 1
        if isinstance(result, Returned):
            data = result.data
            if call.name == "write" and type(data) is not bytes and len(call.args) > 1:
                data = call.args[1]
            if type(data) is bytes and len(data) >= _BYTES:
                self.calls += result.value // (_ZEROS if blank(data) else _BYTES)
        return result

    def round(self) -> bool:
        """Give every program that can act one call; whether any could. Raises ``GapError``."""
        acted = helpers.start(self)
        programs, woken = self.programs, self.kernel.woken
        last = self._places
        queue = [(one.place, pid) for pid in self._awake if (one := programs.get(pid)) is not None]
        heapq.heapify(queue)
        if woken:
            self._queue(queue, woken, 0, last)
        self._sleep_no_more(queue, last)
        while queue:
            place, pid = heapq.heappop(queue)
            running = programs.get(pid)
            if running is None or running.place != place:
                continue
            self.turn = pid
            acted = self._step(pid, running) or acted
            if woken:
                self._queue(queue, woken, place, last)
        return acted

    def _sleep_no_more(self, queue: list[tuple[int, Pid]], last: int) -> None:
        """Queue who has left a sleep since the last round: of those that were ended, nobody tells.

        Of those who were woken the kernel does: they are in the queue.
        """
        journal = self.kernel.store.journal
        begin, end = self._seen, len(journal)
        self._seen = end
        if begin > end:  # history was forgotten
            self._queue(queue, [pid for pid in self.programs if pid not in self._awake], 0, last)
            return
        for write in journal[begin:]:
            if write.table is Sleeper and write.new is None:
                self._queue(queue, (cast("Pid", write.key),), 0, last)

    def _queue(
        self, queue: list[tuple[int, Pid]], pids: Iterable[Pid], after: int, last: int
    ) -> None:
        """Have those of ``pids`` act whose place is still to come in this round."""
        for pid in pids:
            running = self.programs.get(pid)
            if running is not None and after < running.place <= last:
                turn = running.place, pid
                if turn not in queue:
                    heapq.heappush(queue, turn)

    def pass_time(self, line: int) -> bool:
        """Let time pass for ``line``: to its earliest deadline, or until somebody is served.

        False: none of its programs waits for time, or only for one that computes without end.
        """
        store = self.kernel.store
        mine = [pid for pid, running in self.programs.items() if running.line == line]
        deadlines = [found for pid in mine if (found := self._deadline(pid)) is not None]
        wants = [demand for pid in mine if (demand := store.get(Demand, pid)) is not None]
        if not deadlines and all(demand.goal is None for demand in wants):
            return False
        now = clock.monotonic(store)
        wait = max(0, min(deadlines) - now) if deadlines else _LONG
        return self.kernel.advance(wait) > 0 or bool(deadlines)

    def _deadline(self, pid: Pid) -> int | None:
        """When a program goes on by itself: its sleep ends, or its alarm rings."""
        sleeper = self.kernel.store.get(Sleeper, pid)
        if sleeper is None:
            return None
        ends = (sleeper.deadline, alarm.due(self.kernel.store, pid))
        return min((one for one in ends if one is not None), default=None)

    def wait_for_daemons(self, until: int) -> bool:
        """Let time pass for a line that can only wait for a daemon: to the next thing that one
        does by itself, no later than instant ``until``. False: there is none.
        """
        store = self.kernel.store
        deadlines = [
            found
            for pid, running in self.programs.items()
            if running.actor and (found := self._deadline(pid)) is not None
        ]
        if not deadlines or min(deadlines) > until:
            return False
        self.kernel.advance(max(0, min(deadlines) - clock.monotonic(store)))
        return True

    def endless(self, line: int) -> bool:
        """Whether ``line`` only computes and always will."""
        return any(
            running.line == line and self.kernel.store.get(Demand, pid) is not None
            for pid, running in self.programs.items()
        )

    def run_for(self, nanoseconds: int) -> None:
        """Let every program go on for so much virtual time. Raises ``GapError``."""
        end = clock.monotonic(self.kernel.store) + nanoseconds
        while (left := end - clock.monotonic(self.kernel.store)) > 0:
            for _turn in range(_ROUNDS):
                if not self.round():
                    break
            soonest = [
                found - clock.monotonic(self.kernel.store)
                for pid in self.programs
                if (found := self._deadline(pid)) is not None
            ]
            self.kernel.advance(max(1, min([left, *soonest])))

    def end(self, pids: Iterable[Pid]) -> None:
        """Make programs exit at once: their line came to no answer."""
        for pid in pids:
            self._drop(pid)
            task = self.kernel.store.get(Task, pid)
            if task is not None and task.state is not TaskState.ZOMBIE:
                self.syscall(pid, Call("exit", (1,)))

    def interrupt(self, fault: Exception) -> bool:
        """Raise ``fault`` in the program whose turn it was, for it to tell whoever it serves.

        False: it did not take it, or has ended.
        """
        running = self.programs.get(self.turn) if self.turn is not None else None
        if self.turn is None or running is None:
            return False
        try:
            request = running.coroutine.throw(fault)
        except StopIteration:
            return False
        except Exception:  # its own, or the same again: it has ended
            return False
        self._awake.add(self.turn)
        self._carry_out(self.turn, running, request)
        return True

    def alive(self, pid: Pid) -> bool:
        """Whether task ``pid`` exists and is no zombie."""
        task = self.kernel.store.get(Task, pid)
        return task is not None and task.state is not _ZOMBIE

    def _step(self, pid: Pid, running: _Running) -> bool:
        task = self.kernel.store.get(Task, pid)
        if task is None or task.state is _ZOMBIE:
            self._drop(pid)
            return True
        if pid not in self._awake:
            result = self.kernel.woken.pop(pid, None)
            if result is None:
                return False
            self._awake.add(pid)
            self._deliver(pid, running, result)
            return True
        if task.state is _STOPPED:
            return False
        try:
            request = running.coroutine.send(running.inbox)  # pyright: ignore[reportArgumentType]
        except StopIteration as done:
            self.programs.pop(pid, None)
            self._awake.discard(pid)
            self.syscall(pid, Call("exit", (int(done.value or 0) & 0xFF,)))
            return True
        self._carry_out(pid, running, request)
        return True

    def _carry_out(self, pid: Pid, running: _Running, request: Request) -> None:
        match request:
            case Syscall(call):
                self._deliver(pid, running, self.syscall(pid, call))
            case Spawn(call, body):
                result, child = self.forked(pid, call)
                if child is not None:
                    self.run_body(child, body, running.line, running.process, running.actor)
                self._deliver(pid, running, result)
            case Bear(call, mechanism):
                before, self.mechanism = self.mechanism, mechanism
                try:
                    result, child = self.forked(pid, call)
                finally:
                    self.mechanism = before
                if child is not None and isinstance(result, Returned):
                    result = Returned(result.value, int(child))
                self._deliver(pid, running, result)
            case Drive(who, call, actor, mechanism):
                running.inbox = self._driven(who, running, call, actor, mechanism)
            case Pause():
                self.calls += _PAUSE
                running.inbox = Returned()
            case _:
                assert_never(request)

    def _driven(
        self, who: Pid, running: _Running, call: Call, actor: str, mechanism: str
    ) -> Result:
        """One call of a child that has no program yet; when it executes one, that one runs."""
        before = self.actor, self.mechanism
        self.actor, self.mechanism = actor or self.actor, mechanism
        try:
            result = self.syscall(who, call)
        finally:
            self.actor, self.mechanism = before
        if isinstance(result, Silent):
            raise GapError(f"{call.name}: {_(result.note)}")
        if isinstance(result, Executed):
            self.start(who, running.line, running.process.terminal, actor or running.actor)
        return result

    def _deliver(self, pid: Pid, running: _Running, result: Result) -> None:
        match result:
            case Returned() | Failed():
                running.inbox = result
            case Blocked():
                self._awake.discard(pid)
            case Executed():
                running.coroutine.close()
                self.start(pid, running.line, running.process.terminal, running.actor)
            case Killed() | Exited():
                self._drop(pid)
            case Silent(note):
                asked = self.kernel.timeline.events[-1].call.name
                raise GapError(f"{asked}: {_(note)}")

    def _drop(self, pid: Pid) -> None:
        running = self.programs.pop(pid, None)
        self._awake.discard(pid)
        self.kernel.woken.pop(pid, None)
        if running is not None:
            running.coroutine.close()


async def _bodied(process: Process, body: Body) -> int:
    try:
        return await body(process)
    except SysError as error:
        return await process.complain(error.message)
    except UsageError as error:
        return await process.complain(str(error))
