"""The coordinator's end of one actor: send a call, wait, tell sleep from work and death.

An actor is found by its host pid; the pipes are opened through ``/proc/PID/fd``, which works
whatever root, namespace or container it lives in.
"""

import contextlib
import errno
import json
import os
import select
import signal
import struct
import time
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from simulator.experiment.real.errors import RealError

BASE = 200
QUIET = 0.6
"""Seconds without CPU and without an answer after which a call counts as blocked."""

LIMIT = 15.0
"""Seconds after which a call that is neither done nor asleep is given up."""

CHANNELS: set[tuple[int, int]] = set()
"""Pipes by which agents are told what to do, as (device, inode): who wrote there would be us."""

_PIDFD_GET_INFO = 3 << 30 | 72 << 16 | 0xFF << 8 | 11
_PIDFD_INFO_EXIT = 1 << 3


class Asleep(msgspec.Struct, frozen=True):
    """The call sleeps; its answer may come later."""

    stopped: bool = False


class Gone(msgspec.Struct, frozen=True):
    """The channel closed: the process died (``status``, a wait status) or became another."""

    alive: bool
    status: int | None


class Link:
    """One actor's channel. ``pid`` is the pid as this machine's kernel numbers it."""

    def __init__(self, pid: int, requests: int, answers: int) -> None:
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)
        self._pipes = [(found.st_dev, found.st_ino) for found in map(os.fstat, (requests, answers))]
        CHANNELS.update(self._pipes)
        self._requests = requests
        self._answers = answers
        self._rest = b""
        self.pending = False
        self._closed = False

    def ask(self, request: dict[str, Any], limit: float = LIMIT, quiet: float = QUIET) -> Any:
        """Send one request and wait: the answer, or ``Asleep``, or ``Gone``."""
        before = cpu_ticks(self.pid)
        try:
            os.write(self._requests, json.dumps(request).encode() + b"\n")
        except BrokenPipeError:
            return self._gone()
        self.pending = True
        begun = time.monotonic()
        deadline = begun + limit
        while True:
            answer = self.poll(quiet)
            if answer is not None:
                return answer
            state, now = proc_state(self.pid)
            # D is a wait for the kernel's own work, long only when it really waits for somebody.
            waited = state == "D" and time.monotonic() - begun > 5 * quiet
            if (state in "STt" or waited) and now - before <= 1:
                return Asleep(stopped=state in "Tt")
            before = now
            if time.monotonic() > deadline:
                raise RealError.hanging(str(request.get("call", request.get("line", ""))), limit)

    def poll(self, seconds: float) -> Any:
        """The pending answer if it comes within ``seconds``: parsed, or ``Gone``, or ``None``."""
        deadline = time.monotonic() + seconds
        poller = select.poll()
        poller.register(self._answers, select.POLLIN)
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if not poller.poll(max(left, 0) * 1000):
                return None
            block = os.read(self._answers, 65536)
            if not block:
                self.pending = False
                return self._gone()
            self._rest += block
        line, _, self._rest = self._rest.partition(b"\n")
        self.pending = False
        return json.loads(line)

    def _gone(self) -> Gone:
        """Why the channel closed; a dying process is given the time to finish dying."""
        poller = select.poll()
        poller.register(self.pidfd, select.POLLIN)
        deadline = time.monotonic() + 3.0
        while not poller.poll(3):
            if not exiting(self.pid) or time.monotonic() > deadline:
                return Gone(alive=True, status=None)
        return Gone(alive=False, status=exit_status(self.pid, self.pidfd))

    def wait(self, seconds: float) -> int | None:
        """Wait for the process to end: its exit status (128 + signal), ``None`` if it goes on.

        A status that nobody could see counts as 0.
        """
        poller = select.poll()
        poller.register(self.pidfd, select.POLLIN)
        if not poller.poll(seconds * 1000):
            return None
        status = exit_status(self.pid, self.pidfd) or 0
        return status >> 8 & 0xFF if not status & 0x7F else 128 + (status & 0x7F)

    def rest(self, quiet: float, limit: float) -> None:
        """Wait until the process has ended, or used no processor for ``quiet`` seconds.

        On a busy machine it may wait for its turn longer than that, but not beyond ``limit``.
        """
        deadline = time.monotonic() + limit
        before = proc_state(self.pid)
        while self.wait(quiet) is None and time.monotonic() < deadline:
            now = proc_state(self.pid)
            if now == before and now[0] not in "RD":
                return
            before = now

    def tidy(self) -> bool:
        """Close what a probe left open; whether the process is then idle and waits for a call."""
        answer = self.ask({"do": "tidy"})
        return not isinstance(answer, (Asleep, Gone))

    def kill(self) -> None:
        """SIGKILL, if it still lives."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    @property
    def alive(self) -> bool:
        """Whether the process, in whatever program, is still there."""
        return proc_state(self.pid)[0] not in "ZX?"

    def close(self) -> None:
        """Let go of the pipes; the actor then reads end of file and exits."""
        if self._closed:
            # A number closed twice could by then be another thread's file.
            return
        self._closed = True
        CHANNELS.difference_update(self._pipes)
        for descriptor in (self._requests, self._answers, self.pidfd):
            os.close(descriptor)


def proc_state(pid: int) -> tuple[str, int]:
    """(state letter, CPU ticks used) from /proc/PID/stat; ``?`` when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "?", 0
    return fields[0], int(fields[11]) + int(fields[12])


def cpu_ticks(pid: int) -> int:
    """User and system CPU in clock ticks."""
    return proc_state(pid)[1]


_EXITING = 0x4
"""``PF_EXITING`` (include/linux/sched.h): between its last call and its parent's wait."""


def exiting(pid: int) -> bool:
    """Whether a process is on its way out, or gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return fields[0] in "ZX" or bool(int(fields[6]) & _EXITING)


Stirring: TypeAlias = Literal["", "runs", "is struck"]


def stirring(pid: int) -> Stirring:
    """Whether a process runs; or is about to take a signal, or has not finished dying."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    if fields[0] in "ZX":
        return ""
    if int(fields[6]) & _EXITING:
        return "is struck"
    words = {
        line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("Sig", "Shd"))
    }
    sets = {name: int(words[name], 16) for name in ("SigPnd", "ShdPnd", "SigBlk", "SigIgn")}
    pending = (sets["SigPnd"] | sets["ShdPnd"]) & ~(sets["SigBlk"] | sets["SigIgn"])
    if pending and fields[0] not in "Tt":
        return "is struck"
    return "runs" if fields[0] == "R" else ""


def exit_status(pid: int, pidfd: int) -> int | None:
    """The wait status of a dead process: a zombie's own, else what its pidfd remembers."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if fields[0] in "ZX":
            return int(fields[-1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    import fcntl

    info = bytearray(struct.pack("<Q64x", _PIDFD_INFO_EXIT))
    for _attempt in range(20):
        try:
            fcntl.ioctl(pidfd, _PIDFD_GET_INFO, info)
        except OSError as error:
            if error.errno != errno.ESRCH:
                return None
        else:
            if struct.unpack_from("<Q", info)[0] & _PIDFD_INFO_EXIT:
                return struct.unpack_from("<i", info, 60)[0]
        time.sleep(0.005)
    return None


def open_ends(holder: int, requests: int, answers: int) -> tuple[int, int]:
    """The coordinator's ends of two pipes that process ``holder`` has open."""
    writing = os.open(f"/proc/{holder}/fd/{requests}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        reading = os.open(f"/proc/{holder}/fd/{answers}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        os.close(writing)
        raise
    return writing, reading


def attach(pid: int, seconds: float = 15.0) -> Link:
    """Wait until the agent in process ``pid`` has made its channel, and connect."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if os.readlink(f"/proc/{pid}/fd/{BASE + 3}").startswith("pipe:"):
                return Link(pid, *open_ends(pid, BASE + 1, BASE + 2))
        except FileNotFoundError:
            if proc_state(pid)[0] in "ZX?":
                break
        time.sleep(0.002)
    raise RealError.no_agent(pid)


def holder_of(pipe: str, descriptor: int, besides: int) -> int | None:
    """The process, other than ``besides``, that has ``pipe`` open as ``descriptor``.

    Most likely a child of ``besides``. We ourselves hold the pipe's other end, perhaps under the
    same number.
    """
    others = {besides, os.getpid()}
    for pids in (children, _everybody):
        for pid in pids(besides):
            if pid not in others:
                try:
                    if os.readlink(f"/proc/{pid}/fd/{descriptor}") == pipe:
                        return pid
                except OSError:
                    continue
    return None


def children(pid: int) -> list[int]:
    """Of the process's first thread, the youngest first; none where the kernel does not tell."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in reversed(file.read().split())]
    except OSError:
        return []


def _everybody(_pid: int) -> list[int]:
    return sorted((int(name) for name in os.listdir("/proc") if name.isdigit()), reverse=True)


def inner_pids(pid: int) -> list[int]:
    """The process's pids from this pid namespace inward (``NSpid``)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return [pid]
    found = [line.split()[1:] for line in lines if line.startswith("NSpid:")]
    return [int(number) for number in found[0]] if found else [pid]
