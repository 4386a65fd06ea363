"""A machine of the model that goes on by itself: programs take turns, time is the real clock's."""

from collections.abc import Callable
from typing import cast

import msgspec

from simulator.experiment.engine import worlds
from simulator.experiment.engine.executor import MODERN
from simulator.experiment.engine_api.hosts import DEFAULT, Host
from simulator.experiment.probes.world import File as WorldFile
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.docker import TECHNOLOGY
from simulator.machine.abi.call import Call, Failed, Result, Returned, Value
from simulator.machine.abi.constants import (
    AF_INET,
    AF_UNIX,
    O_NONBLOCK,
    SIG_IGN,
    SIGPIPE,
    SOCK_STREAM,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel import clock
from simulator.machine.kernel.boot import INIT
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.net.socket import Socket
from simulator.machine.kernel.task import TIMED, Task
from simulator.machine.kernel.vfs.fd import FdTable, File
from simulator.machine.userland.runtime import GapError, Userland

SOCKET = "/var/run/docker.sock"
PRODUCT = "docker"
BUSY = -1
_KEEP = 400_000
"""Writes of history that are kept at least; a machine that runs for days begins anew then."""
_NOFILE = 7


class Machine:
    """A booted host with its daemons, and a process on it that connects for real clients.

    ``realtime`` is the wall clock's time at boot, in nanoseconds since the epoch. ``restore`` may
    write to the disk before any daemon runs. ``host`` is the distribution that it is.
    """

    def __init__(
        self,
        realtime: int,
        restore: Callable[[Kernel], None] | None = None,
        host: Host = DEFAULT,
    ) -> None:
        world = msgspec.structs.replace(load_world(), services=(PRODUCT,), neighbour=False)
        release = WorldFile(path="/etc/os-release", text=host.os_release)
        world = msgspec.structs.replace(world, files=(*world.files, release))
        facts = host.facts | MODERN if host.cgroup2 else host.facts
        built = worlds.build(world, TECHNOLOGY, facts)
        self.kernel = built.kernel
        self.land = Userland(built.kernel)
        self.set_time(realtime)
        if restore is not None:
            restore(self.kernel)
        self.client = self._child("vitrina")
        self.on_gap: Callable[[str], None] = lambda _why: None
        self.on_forget: Callable[[], None] = lambda: None
        self.strict = False
        """Whether a bug in a program is raised: for tests."""
        self.forgotten = 0
        """Events of the past that history no longer has."""
        for pid, name in built.units.items():
            self.land.start(pid, actor=name)

    def set_time(self, realtime: int) -> None:
        """Set the wall clock, as a machine does from its battery's; from then on sleeps last."""
        store = self.kernel.store
        now = clock.clock(store)
        offset = realtime - now.monotonic
        store.put(msgspec.structs.replace(now, realtime_offset=offset, waits=True))

    def _child(self, name: str) -> Pid:
        born = self.kernel.call(INIT, Call("fork"), actor="host")
        assert isinstance(born, Returned)
        pid = Pid(born.value)
        task = self.kernel.store.row(Task, pid)
        self.kernel.store.put(msgspec.structs.replace(task, comm=name, argv=(name,)))
        self.kernel.call(pid, Call("prlimit64", (0, _NOFILE, (65536, 65536))), actor="host")
        self.kernel.call(pid, Call("rt_sigaction", (SIGPIPE, SIG_IGN)), actor="host")
        return pid

    # -- running

    def turn(self, most: int) -> bool:
        """Up to ``most`` rounds of all programs; whether any could act at all."""
        acted = False
        for _ in range(most):
            try:
                if not self.land.round():
                    return acted
                acted = True
            except GapError as gap:
                self._tell(gap, str(gap))
            except Exception as fault:  # a bug in one program must not end the others
                if self.land.turn is None or self.strict:
                    raise
                self._tell(fault, f"{type(fault).__name__}: {fault}")
        return acted

    def _tell(self, fault: Exception, why: str) -> None:
        """A program went beyond the model: it tells its client, or it alone ends."""
        culprit = self.land.turn
        assert culprit is not None
        try:
            if self.land.interrupt(fault):
                return
        except Exception as further:  # what it did about it went wrong too
            why = f"{why}; {further}"
        self.on_gap(why)
        self.land.end((culprit,))

    def advance(self, nanoseconds: int) -> None:
        """Let time pass, with everything that happens in it."""
        left = nanoseconds
        while left > 0:
            passed = self.kernel.advance(left)
            left -= passed
            self.turn(1000)
            if passed <= 0:
                return

    def next_deadline(self) -> int | None:
        """Nanoseconds until somebody's sleep is over; None when nobody waits for time."""
        store = self.kernel.store
        timed = store.rows_by(TIMED, True)
        deadlines = [one.deadline for one in timed if one.deadline is not None]
        return max(0, min(deadlines) - clock.monotonic(store)) if deadlines else None

    def tidy(self) -> None:
        """Forget the distant past when there is much of it."""
        if len(self.kernel.store.journal) > _KEEP:
            self.on_forget()
            self.forgotten += len(self.kernel.timeline)
            self.kernel.timeline.forget()

    # -- the client's side of a connection

    def call(self, name: str, *args: Value) -> Result:
        """One call of the process that connects."""
        return self.kernel.call(self.client, Call(name, args), actor="client")

    def connect(self, address: str | tuple[str, int] = SOCKET) -> int | None:
        """A connected descriptor that does not block.

        None when nobody listens; ``BUSY`` when so many wait already that one must try again.
        """
        family = AF_UNIX if isinstance(address, str) else AF_INET
        made = self.call("socket", family, SOCK_STREAM | O_NONBLOCK, 0)
        if not isinstance(made, Returned):
            return None
        reply = self.call("connect", made.value, address)
        begun = isinstance(reply, Failed) and reply.errno is Errno.EINPROGRESS
        if isinstance(reply, Returned) or begun:
            return made.value
        self.call("close", made.value)
        waits = isinstance(reply, Failed) and reply.errno is Errno.EAGAIN
        return BUSY if waits else None

    def socket(self, fd: int) -> Socket | None:
        """The state of a connection, looked at without a call."""
        store = self.kernel.store
        table = store.row(FdTable, store.row(Task, self.client).files)
        slot = table.slots.get(fd)
        file = store.get(File, slot.file) if slot is not None else None
        return store.get(Socket, cast("int", file.object)) if file is not None else None

    def state(self, socket: int) -> Socket | None:
        """How a socket is now."""
        return self.kernel.store.get(Socket, socket)

    def gone(self, socket: Socket | None) -> bool:
        """Whether the other end of ``socket`` was closed altogether."""
        return socket is None or self.kernel.store.get(Socket, socket.peer) is None
