"""Waiting for each other: the daemon's workers are tasks that share its descriptors.

Go's goroutines run on threads; here a worker is clone(2) with CLONE_FILES, what LinuxThreads
called a thread. They share the daemon's memory because they are closures of one program, and they
sleep as threads do: an uncontended lock costs no call, a contended one sleeps in the kernel (an
eventfd(2) stands for the futex(2) word).
"""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from simulator.machine.abi.constants import CLONE_FILES, EFD_CLOEXEC, SIGKILL
from simulator.machine.userland.process import Process, SysError

_ONE = (1).to_bytes(8, "little")
T = TypeVar("T")


async def go(sys: Process, body: Callable[[Process], Awaitable[None]]) -> int:
    """Run ``body`` as a worker of its own; its number, for ``stop``."""

    async def main(own: Process) -> int:
        await body(own)
        return 0

    return await sys.spawn(main, CLONE_FILES)


async def stop(sys: Process, worker: int) -> None:
    """End a worker that only waits; one that has ended is no mistake."""
    await sys.succeeds("kill", worker, SIGKILL)


class Bell:
    """Something changed: whoever waits looks again."""

    def __init__(self) -> None:
        self._waiting: list[int] = []

    async def until(self, sys: Process, ready: Callable[[], bool]) -> None:
        """Sleep until ``ready()``, asked again at every ring."""
        if ready():
            return
        fd = await sys.value("eventfd2", 0, EFD_CLOEXEC)
        self._waiting.append(fd)
        while not ready():
            await sys.read(fd, 8)
        if fd in self._waiting:
            self._waiting.remove(fd)
        await sys.close(fd)

    async def within(self, sys: Process, ready: Callable[[], bool], nanoseconds: int) -> bool:
        """As ``until``, but no longer than so long; whether it is ready."""
        if ready() or nanoseconds <= 0:
            return ready()
        late: list[bool] = []

        async def alarm(own: Process) -> None:
            await own.call("nanosleep", divmod(nanoseconds, 1_000_000_000))
            late.append(True)
            await self.ring(own)

        clock = await go(sys, alarm)
        await self.until(sys, lambda: bool(late) or ready())
        if not late:
            await stop(sys, clock)
        return ready()

    async def ring(self, sys: Process) -> None:
        """Wake everybody who waits."""
        for fd in tuple(self._waiting):
            try:
                await sys.write(fd, _ONE)
            except SysError:  # the worker that waited here was ended
                if fd in self._waiting:
                    self._waiting.remove(fd)


class Lock:
    """One at a time: ``async with lock.held(sys):``."""

    def __init__(self) -> None:
        self._taken = False
        self._bell = Bell()

    async def acquire(self, sys: Process) -> None:
        """Take it, after waiting for whoever has it."""
        while self._taken:
            await self._bell.until(sys, lambda: not self._taken)
        self._taken = True

    async def release(self, sys: Process) -> None:
        """Give it back."""
        self.leave()
        await self._bell.ring(sys)

    def leave(self) -> None:
        """Give it back without a word to those who wait: the next that gives it back tells them."""
        self._taken = False

    def held(self, sys: Process) -> "_Held":
        """For ``async with``."""
        return _Held(self, sys)


class _Held:
    def __init__(self, lock: Lock, sys: Process) -> None:
        self._lock, self._sys = lock, sys

    async def __aenter__(self) -> None:
        await self._lock.acquire(self._sys)

    async def __aexit__(self, kind: object, *_rest: object) -> None:
        if kind is GeneratorExit:  # the worker was ended: it can ring for nobody, but bars nobody
            self._lock.leave()
        else:
            await self._lock.release(self._sys)


class Channel(Generic[T]):
    """A queue that one worker reads and others write; ``None`` from ``get`` is its end."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._bell = Bell()
        self.closed = False

    async def put(self, sys: Process, item: T) -> None:
        """Leave ``item`` for the reader; a closed channel takes nothing."""
        if not self.closed:
            self._items.append(item)
            await self._bell.ring(sys)

    async def close(self, sys: Process) -> None:
        """Nothing more comes."""
        self.closed = True
        await self._bell.ring(sys)

    async def get(self, sys: Process) -> T | None:
        """The next item, when there is one; None when closed and empty."""
        await self._bell.until(sys, lambda: bool(self._items) or self.closed)
        return self._items.popleft() if self._items else None
