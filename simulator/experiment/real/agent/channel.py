"""The actor's own descriptors: two pipes far above those that a program gets.

The coordinator opens the other ends through ``/proc/PID/fd``, so nothing is passed along and
the same works in a container, a chroot or behind a supervisor that closes its streams. All of
them close on exec, which is how a successful execve(2) is noticed.
"""

import ctypes
import json
import os
from typing import Any

BASE = 200
"""First descriptor of ours: requests (read), answers (write), and the coordinator's two ends."""

LAST = 999

_LIBC = ctypes.CDLL(None, use_errno=True)
_SYSCALL = _LIBC.syscall
_SYSCALL.restype = ctypes.c_long


def raw(number: int, *args: int) -> tuple[int, int]:
    """syscall(2) as it is: (return value, errno or 0)."""
    ctypes.set_errno(0)
    value = _SYSCALL(ctypes.c_long(number), *(ctypes.c_long(arg) for arg in args))
    return value, ctypes.get_errno() if value == -1 else 0


class Channel:
    """Requests in, answers out, a line each."""

    def __init__(self, requests: int, answers: int) -> None:
        self.requests = requests
        self.answers = answers
        self._rest = b""

    def receive(self) -> Any:
        """The next request, or ``None`` when the coordinator is gone."""
        while b"\n" not in self._rest:
            block = os.read(self.requests, 65536)
            if not block:
                return None
            self._rest += block
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def send(self, answer: Any) -> None:
        """One answer."""
        block = json.dumps(answer).encode() + b"\n"
        while block:
            block = block[os.write(self.answers, block) :]


def high_pipes() -> list[int]:
    """Two pipes on four free descriptors from ``BASE`` on: request ends, then answer ends."""
    ends = high_pipe()
    try:
        return [*ends, *high_pipe()]
    except OSError:
        for end in ends:
            os.close(end)
        raise


def high_pipe() -> tuple[int, int]:
    """A pipe that no program meets among its own descriptors: what it reads, what it writes."""
    import fcntl

    low = os.pipe()
    high: list[int] = []
    try:
        for end in low:
            high.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, BASE))
    except OSError:
        for end in high:
            os.close(end)
        raise
    finally:
        for end in low:
            os.close(end)
    return high[0], high[1]


def close_others(keep: tuple[int, ...], known: list[int]) -> None:
    """Close the channel descriptors that belong to somebody else."""
    for end in known:
        if end not in keep:
            raw(3, end)
