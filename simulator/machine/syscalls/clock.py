"""Time: clock_gettime(2), clock_settime(2), adjtimex(2), nanosleep(2).

Only the wall clock can be set, and it is one for the whole machine: no namespace divides it. Time
namespaces shift the two clocks that count from boot.
"""

from typing import Any

import msgspec

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.constants import (
    ADJ_ADJTIME,
    ADJ_OFFSET_READONLY,
    ADJ_OFFSET_SINGLESHOT,
    ADJ_SETOFFSET,
    ADJ_TICK,
    CLOCK_BOOTTIME,
    CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_RAW,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_REALTIME,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import clock
from simulator.machine.kernel.namespace import TimeNs
from simulator.machine.kernel.resource import sched
from simulator.machine.kernel.resource.demand import spent
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import NotModelled, Sleep, Trap
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import linux, posix

SECOND = 1_000_000_000
"""Nanoseconds in a second."""
SETTABLE_SECONDS = 9_223_372_036 - 30 * 365 * 24 * 3600
"""TIME_SETTOD_SEC_MAX: a later time would overflow within thirty years."""
CLOCK_THREAD_CPUTIME_ID = 3
WALL_CLOCKS = (CLOCK_REALTIME, 5, 8, 11)
"""CLOCK_REALTIME, _COARSE, _ALARM, CLOCK_TAI."""
BOOT_CLOCKS = (CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, 6)
UPTIME_CLOCKS = (CLOCK_BOOTTIME, 9)
CPU_CLOCKS = (CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID)
NOT_SLEPT_BY = frozenset((CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, 5, 6, 8, 9))
"""Clocks without nsleep(): the raw and the coarse ones, and the two that would wake the machine,
which has no device for it (kernel/time/posix-timers.c, alarmtimer.c)."""
TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised to anything."""
TICK_RANGE = (9_000, 11_000)
"""Microseconds between ticks, at 100 Hz: ten per cent either way."""
TIMER_ABSTIME = 1
SHORT_SLEEP = SECOND // 2
"""A sleep so short, in nanoseconds, that nobody would call its caller blocked."""


@posix("clock_gettime")
def clock_gettime(trap: Trap, which: int, _out: Any = None) -> Result:
    """clock_gettime(2): EINVAL. The data is (seconds, nanoseconds)."""
    now = _now(trap, which)
    if now is None:
        trap.fail(Errno.EINVAL, N_("There is no such clock."), "clock_gettime(2)")
    return Returned(0, divmod(now, SECOND))


@posix("gettimeofday")
def gettimeofday(trap: Trap) -> Result:
    """gettimeofday(2): the data is (seconds, microseconds)."""
    seconds, rest = divmod(clock.realtime(trap.store), SECOND)
    return Returned(0, (seconds, rest // 1000))


@posix("clock_settime")
def clock_settime(trap: Trap, which: int, when: Any = None) -> int:
    """clock_settime(2): EINVAL EPERM, in the kernel's order: first the value, then the right."""
    if which != CLOCK_REALTIME:
        trap.fail(Errno.EINVAL, N_("This clock can't be set."), "clock_settime(2)")
    if when is None:
        trap.fail(Errno.EFAULT, "", "clock_settime(2)")
    seconds, nanoseconds = _pair(when)
    _set(trap, seconds, nanoseconds)
    return 0


@posix("settimeofday")
def settimeofday(trap: Trap, when: Any = None, zone: Any = None) -> int:
    """settimeofday(2): EINVAL EPERM."""
    if when is None:
        trap.need(Privilege.CLOCK_SET)
        if zone is not None:
            trap.authority("clock", "CLOCK_REALTIME")
        return 0
    seconds, microseconds = _pair(when)
    if not 0 <= microseconds <= 1_000_000:
        trap.fail(Errno.EINVAL, N_("No such number of microseconds."), "settimeofday(2)")
    _set(trap, seconds, microseconds * 1000)
    return 0


def _set(trap: Trap, seconds: int, nanoseconds: int) -> None:
    """do_sys_settimeofday64(): a valid time, CAP_SYS_TIME, and no earlier than the boot."""
    if not 0 <= seconds <= SETTABLE_SECONDS or not 0 <= nanoseconds < SECOND:
        trap.fail(Errno.EINVAL, N_("This is no time that a clock could show."), "clock_settime(2)")
    trap.need(Privilege.CLOCK_SET)
    trap.authority("clock", "CLOCK_REALTIME")
    now = clock.clock(trap.store)
    wanted = seconds * SECOND + nanoseconds
    if wanted < now.monotonic:
        trap.fail(
            Errno.EINVAL, N_("The machine would have booted before 1970."), "clock_settime(2)"
        )
    trap.store.put(msgspec.structs.replace(now, realtime_offset=wanted - now.monotonic))


@posix("adjtimex")
def adjtimex(trap: Trap, given: Any = None) -> Result:
    """adjtimex(2): EFAULT EINVAL EPERM. The value is the state of the clock."""
    if given is None:
        trap.fail(Errno.EFAULT, "", "adjtimex(2)")
    return _adjust(trap, decode.structure(given, "struct timex"))


@linux("clock_adjtime", since=(2, 6, 39))
def clock_adjtime(trap: Trap, which: int, given: Any = None) -> Result:
    """clock_adjtime(2): as adjtimex(2); EINVAL EOPNOTSUPP for another clock."""
    if _now(trap, which) is None:
        trap.fail(Errno.EINVAL, N_("There is no such clock."), "clock_adjtime(2)")
    if which != CLOCK_REALTIME:
        trap.fail(Errno.EOPNOTSUPP, N_("This clock can't be adjusted."), "clock_adjtime(2)")
    return adjtimex(trap, given)


def _adjust(trap: Trap, fields: dict[str, Any]) -> Result:
    """timekeeping_validate_timex()."""
    decode.numbers(list(fields.values()), "timex")
    modes = fields.get("modes", 0)
    if modes & ADJ_ADJTIME:
        modes = _old_adjtime(trap, modes)
    if modes:
        trap.need(Privilege.CLOCK_ADJUST)
        trap.authority("clock", "CLOCK_REALTIME")
    tick = fields.get("tick", 0)
    if modes & ADJ_TICK and not TICK_RANGE[0] <= tick <= TICK_RANGE[1]:
        trap.fail(Errno.EINVAL, N_("The tick is off by more than ten per cent."), "adjtimex(2)")
    now = clock.clock(trap.store)
    if modes & ADJ_TICK:
        now = msgspec.structs.replace(now, tick=tick)
    if modes & ADJ_SETOFFSET:
        offset = int(fields.get("time", 0)) * SECOND
        now = msgspec.structs.replace(now, realtime_offset=now.realtime_offset + offset)
    if modes:
        trap.store.put(now)
    return Returned(TIME_ERROR)


def _old_adjtime(trap: Trap, modes: int) -> int:
    """adjtime(3)'s two modes: to read the offset left is no change and nobody's right."""
    if not modes & ADJ_OFFSET_SINGLESHOT & ~ADJ_ADJTIME:
        trap.fail(Errno.EINVAL, N_("The clock has no such adjustment."), "adjtimex(2)")
    return 0 if modes & ADJ_OFFSET_READONLY else modes & ~ADJ_TICK


@posix("nanosleep")
def nanosleep(trap: Trap, duration: Any = None, _left: Any = None) -> int:
    """nanosleep(2): EFAULT EINVAL."""
    if duration is None:
        trap.fail(Errno.EFAULT, "", "nanosleep(2)")
    _sleep_until(trap, clock.monotonic(trap.store) + span(trap, duration))
    return 0


@posix("clock_nanosleep")
def clock_nanosleep(trap: Trap, which: int, flags: int, when: Any = None, _left: Any = None) -> int:
    """clock_nanosleep(2): EFAULT EINVAL EOPNOTSUPP."""
    now = _now(trap, which)
    if now is None:
        trap.fail(Errno.EINVAL, N_("There is no such clock."), "clock_nanosleep(2)")
    if which in NOT_SLEPT_BY:
        trap.fail(Errno.EOPNOTSUPP, N_("Nobody sleeps by this clock."), "clock_nanosleep(2)")
    if when is None:
        trap.fail(Errno.EFAULT, "", "clock_nanosleep(2)")
    wait = span(trap, when) - (now if flags & TIMER_ABSTIME else 0)
    if which == CLOCK_PROCESS_CPUTIME_ID and wait > 0:  # it stands still while its process sleeps
        raise Sleep("time", {(Task, trap.task.id)})
    _sleep_until(trap, clock.monotonic(trap.store) + max(wait, 0))
    return 0


def _sleep_until(trap: Trap, deadline: int) -> None:
    deadline = deadline if trap.deadline is None else trap.deadline
    now = clock.clock(trap.store)
    left = deadline - now.monotonic
    if left > SHORT_SLEEP or (now.waits and left > 0):
        raise Sleep("time", {(Task, trap.task.id)}, deadline)
    while left > 0:
        left -= sched.pass_time(trap.store, left)


def exists(trap: Trap, which: int) -> bool:
    """Whether there is a clock of this number."""
    return _now(trap, which) is not None


def span(trap: Trap, when: Any) -> int:
    """A span of time in nanoseconds. EINVAL."""
    seconds, nanoseconds = _pair(when)
    if seconds < 0 or not 0 <= nanoseconds < SECOND:
        trap.fail(Errno.EINVAL, N_("This is no span of time."), "nanosleep(2)")
    return seconds * SECOND + nanoseconds


def _now(trap: Trap, which: int) -> int | None:
    """A clock in nanoseconds as the caller's time namespace shows it; None for no clock."""
    machine = clock.clock(trap.store)
    if which in WALL_CLOCKS:
        return machine.monotonic + machine.realtime_offset
    space = trap.store.row(TimeNs, trap.task.ns.time)
    if which in BOOT_CLOCKS:
        return machine.monotonic + space.monotonic_offset
    if which in UPTIME_CLOCKS:
        return machine.monotonic + space.boottime_offset
    if which not in CPU_CLOCKS:
        return None
    had = spent(trap.store, trap.task.id)
    return had.user + had.system


def _pair(value: Any) -> tuple[int, int]:
    pair = decode.numbers(value, "a time")
    if len(pair) != 2:
        raise NotModelled("a time is written as (seconds, fraction)")
    return pair[0], pair[1]
