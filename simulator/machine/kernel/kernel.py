"""The dispatcher: one system call in, one result out, one event on the timeline."""

import difflib
import functools
from collections.abc import Callable, Iterable

import msgspec

from simulator.machine.abi.call import (
    Blocked,
    Call,
    Denial,
    Failed,
    Killed,
    Result,
    Returned,
    Silent,
)
from simulator.machine.abi.constants import SIGNAL_NAMES
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import clock
from simulator.machine.kernel.family import Family
from simulator.machine.kernel.resource import sched
from simulator.machine.kernel.security import Check
from simulator.machine.kernel.task import TIMED, WATCHED, Sleeper, Task, TaskState
from simulator.machine.kernel.trap import Crossing, Denied, NotModelled, Sleep, Trap
from simulator.machine.kernel.vfs.walks import Walks
from simulator.machine.state.timeline import Timeline

_STOPPED, _RUNNING = TaskState.STOPPED, TaskState.RUNNING
"""Two members of an enumeration, which are dear to look up: every call does."""


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One committed call. ``depth`` counts the shell lines and programs it is nested in."""

    pid: Pid
    actor: str
    call: Call
    result: Result
    crossings: tuple[Crossing, ...] = ()
    mechanism: str = ""
    depth: int = 0
    woken: bool = False


class Kernel:
    """A family running on a timeline."""

    __slots__ = ("family", "pulse", "store", "timeline", "walks", "woken")

    def __init__(self, family: Family, timeline: "Timeline[Event]") -> None:
        self.family = family
        self.timeline = timeline
        self.store = timeline.store
        self.walks = Walks(self.store)
        self.pulse: tuple[int, Callable[[Kernel], None]] | None = None
        """Somebody who looks whenever so many nanoseconds have passed; it may change nothing."""
        self.woken: dict[Pid, Result] = {}
        """What became of calls that slept and then ended, until their program collects it."""

    def call(
        self, pid: Pid, call: Call, *, actor: str = "", mechanism: str = "", depth: int = 0
    ) -> Result:
        """Run ``call`` for task ``pid`` and commit it; a failed call changes nothing."""
        store = self.store
        mark = len(store.journal)
        task = store.row(Task, pid)
        trap = Trap(store, self.family, task, walks=self.walks)
        state = task.state
        if state is _STOPPED:
            result = self._hold(trap, call, None)
        else:
            try:
                result = self._dispatch(trap, call)
            except (Denied, Sleep, NotModelled) as cut:
                result = self._cut_short(trap, call, mark, cut)
            # A running task whose row nobody wrote has neither ended nor stopped
            if state is not _RUNNING or store.get(Task, pid) is not task:
                result = self._settle(trap, call, result)
        self.timeline.commit(
            Event(
                pid=pid,
                actor=actor,
                call=call,
                result=result,
                crossings=tuple(trap.crossings) if trap.crossings else (),
                mechanism=mechanism,
                depth=depth,
            )
        )
        if store.tables.get(Sleeper):
            self._wake(mark)
        return result

    def advance(self, nanoseconds: int) -> int:
        """Let time pass and wake whoever waited for it; how much did pass.

        It is less when a task has been served with all that it asked for: it may go on now.
        """
        wanted = nanoseconds
        if self.pulse is not None:
            every, _look = self.pulse
            wanted = min(wanted, every - clock.monotonic(self.store) % every)
        mark = len(self.store.journal)
        passed = sched.pass_time(self.store, wanted)
        self._wake(mark)
        if self.pulse is not None and clock.monotonic(self.store) % self.pulse[0] == 0:
            self.pulse[1](self)
        return passed

    def _cut_short(
        self, trap: Trap, call: Call, mark: int, cut: Denied | Sleep | NotModelled
    ) -> Result:
        """A call that did not come to its end has changed nothing."""
        self.store.rollback(mark)
        if isinstance(cut, Denied):
            self._make_last(trap)
            return Failed(cut.denial)
        if isinstance(cut, Sleep):
            self._put_to_sleep(trap, call, cut)
            return Blocked(cut.on)
        return Silent(str(cut))

    def _make_last(self, trap: Trap) -> None:
        """A failed call changes nothing, but for what is kept of failures."""
        for write in trap.lasting:
            write(self.store)

    def _dispatch(self, trap: Trap, call: Call) -> Result:
        family = self.family
        entry = family.table.get(call.name)
        if entry is None and call.name not in family.call_names:
            return Silent(_unknown(call.name, family.table))
        for filtering in family.chain.filters:
            filtered = filtering(trap, call)
            if filtered is not None:
                return Failed(filtered) if isinstance(filtered, Denial) else filtered
        if entry is None:
            return Silent(_("the model does not know this call"))
        if entry.since > family.release:
            return Failed(_absent())
        reply = entry.run(trap, call.args)
        return Returned(reply) if isinstance(reply, int) else reply

    def _settle(self, trap: Trap, call: Call, result: Result) -> Result:
        """A caller that its own call ended, or stopped, did not return from it."""
        task = self.store.get(Task, trap.task.id)
        if isinstance(result, Returned) and (task is None or task.state is TaskState.ZOMBIE):
            status = (task.exit_status or 0) if task else 0
            return Killed(SIGNAL_NAMES.get(status & 0x7F, "SIGKILL"))
        if task is not None and task.state is TaskState.STOPPED:
            return self._hold(trap, call, result)
        return result

    def _hold(self, trap: Trap, call: Call, result: Result | None) -> Result:
        """A stopped task's call begins, or returns ``result``, once SIGCONT arrives."""
        watches = frozenset({(Task, trap.task.id)})
        self.store.put(
            Sleeper(id=trap.task.id, call=call, watches=watches, on="SIGCONT", result=result)
        )
        return Blocked("SIGCONT")

    def _put_to_sleep(self, trap: Trap, call: Call, sleep: Sleep) -> None:
        task = trap.store.row(Task, trap.task.id)
        watches = sleep.watches | {(Task, task.id)}
        self.store.put(msgspec.structs.replace(task, state=sleep.state))
        self.store.put(
            Sleeper(
                id=task.id,
                call=call,
                watches=watches,
                on=sleep.on,
                deadline=sleep.deadline,
                state=sleep.state,
            )
        )
        if sleep.leaving is not None:
            self.store.put(sleep.leaving)

    def _wake(self, mark: int) -> None:
        """Retry the calls of all who watch something written since position ``mark``."""
        position = mark
        store = self.store
        watched = store.filed(WATCHED)
        while position < len(store.journal):
            write = store.journal[position]
            position += 1
            for pid in tuple(watched.get((write.table, write.key), ())):
                self._try_again(store.row(Sleeper, pid))
                watched = store.filed(WATCHED)
            if write.table is clock.Clock:
                self._wake_by_deadline()
                watched = store.filed(WATCHED)

    def _wake_by_deadline(self) -> None:
        now = clock.monotonic(self.store)
        timed = self.store.rows_by(TIMED, True)
        due = [s for s in timed if s.deadline is not None and s.deadline <= now]
        for sleeper in sorted(due, key=lambda s: (s.deadline, s.id)):
            if self.store.get(Sleeper, sleeper.id) is not None:
                self._try_again(sleeper)

    def _try_again(self, sleeper: Sleeper) -> None:
        task = self.store.get(Task, sleeper.id)
        if task is None or task.state is TaskState.ZOMBIE:
            self.store.drop(Sleeper, sleeper.id)
            return
        if task.state is TaskState.STOPPED:
            return
        mark = len(self.store.journal)
        self.store.drop(Sleeper, sleeper.id)
        awake = msgspec.structs.replace(task, state=TaskState.RUNNING)
        self.store.put(awake)
        trap = Trap(self.store, self.family, awake, walks=self.walks)
        begun = len(self.store.journal)
        try:
            result = self._resume(trap, sleeper)
        except Sleep:
            self.store.rollback(mark)
            return
        except Denied as refusal:
            self.store.rollback(begun)
            self._make_last(trap)
            result = Failed(refusal.denial)
        except NotModelled as gap:
            self.store.rollback(begun)
            result = Silent(str(gap))
        result = self._settle(trap, sleeper.call, result)
        self.woken[sleeper.id] = result
        self.timeline.commit(
            Event(
                pid=sleeper.id,
                actor="",
                call=sleeper.call,
                result=result,
                crossings=tuple(trap.crossings),
                woken=True,
            )
        )

    def _resume(self, trap: Trap, sleeper: Sleeper) -> Result:
        if sleeper.result is not None:
            return sleeper.result
        if sleeper.interrupted:
            return Returned(sleeper.done) if sleeper.done else Failed(_interrupted())
        trap.deadline, trap.done = sleeper.deadline, sleeper.done
        return self._dispatch(trap, sleeper.call)


@functools.lru_cache(maxsize=256)
def _near(name: str, table: tuple[str, ...]) -> str:
    """The call of ``table`` that ``name`` may have been meant for; empty when there is none."""
    near = difflib.get_close_matches(name, table, n=1, cutoff=0.75)
    return near[0] if near else ""


def _unknown(name: str, table: Iterable[str]) -> str:
    near = _near(name, tuple(table))
    if not near:
        return _("the model does not know this call")
    return _("the model does not know this call; did you mean {name}?").format(name=near)


def why(family: Family, timeline: "Timeline[Event]", step: int) -> tuple[Check, ...]:
    """Every question put to the security chain during event ``step`` (from 1), with its answer.

    The call is run again on the state before it, this time aloud: the ordinary run pays nothing.
    """
    event = timeline.events[step - 1]
    store = timeline.branch(step - 1).store
    task = store.get(Task, event.pid)
    if task is None:
        return ()
    checks: list[Check] = []
    trap = Trap(store, family, task, checks)
    entry = family.table.get(event.call.name)
    if entry is None:
        return ()
    if family.chain.filter(trap, event.call) is None:
        _quietly(lambda: entry.run(trap, event.call.args))
    return tuple(checks)


def _quietly(handler: Callable[[], object]) -> None:
    try:
        handler()
    except (Denied, Sleep, NotModelled):
        return


def _interrupted() -> Denial:
    return Denial(
        Errno.EINTR,
        "none",
        N_("A signal with a handler arrived while the call slept."),
        "signal(7)",
    )


def _absent() -> Denial:
    return Denial(
        Errno.ENOSYS,
        "kernel-release",
        N_("This release of the kernel does not have the call yet."),
        "syscalls(2)",
    )
