"""Which REST requests a dockerd answered, and the kernel calls below each. Only from its calls.

A request begins where a thread of the daemon reads its head from a socket. To it belong the calls
of that thread, and of whatever this thread and its children bring to life, until the connection is
closed or the next request is read; a program that is executed leads a life of its own from there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from simulator.machine.abi.call import Executed, Returned
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.kernel import Event
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import World

_HEAD = re.compile(rb"([A-Z]+) (?:/v\d+\.\d+)?(/\S*) HTTP/1\.[01]\r\n")
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_CONTINUE = 100
_CLONE_FILES = 0x400
_BIRTHS = frozenset(("clone", "clone3", "fork", "vfork"))
_LONG_ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


@dataclass
class Request:
    """One request. ``calls`` are the numbers of its events, from 1; ``forgotten`` more went before.
    ``status`` 0: not answered. ``number`` counts requests, from 1.
    """

    method: str
    target: str
    descriptor: int
    status: int = 0
    calls: list[int] = field(default_factory=list[int])
    forgotten: int = 0
    number: int = 0

    @property
    def count(self) -> int:
        """How many calls were made for it."""
        return self.forgotten + len(self.calls)

    @property
    def path(self) -> str:
        """What it asks for, to be read: long ids are cut as docker cuts them."""
        return _LONG_ID.sub(r"\1", unquote(self.target))


def daemon(world: World) -> Pid | None:
    """The first process of a dockerd, or None."""
    return next((one.id for one in world.all(Task) if one.argv[:1] == ("dockerd",)), None)


def requests(events: Sequence[Event], first: Pid) -> list[Request]:
    """The requests in ``events``; ``first`` is the daemon's first process."""
    reader = Listener({first})
    for number, event in enumerate(events, start=1):
        reader.hear(number, event)
    return reader.found


class Listener:
    """Hears events in their order; ``found`` are the requests so far, ``touched`` those of them, by
    number, to which something came since somebody cleared it.
    """

    def __init__(self, threads: set[Pid]) -> None:
        self.found: list[Request] = []
        self.touched: dict[int, Request] = {}
        self._count = 0
        self._threads = threads
        self._owner: dict[Pid, Request] = {}

    def hear(self, number: int, event: Event) -> None:
        """The event with that number, from 1."""
        if event.pid in self._threads:
            self._begin(event)
        request = self._owner.get(event.pid)
        if request is not None:
            request.calls.append(number)
            self.touched[request.number] = request
            self._answer(request, event)
        self._life(event, request)

    def _begin(self, event: Event) -> None:
        """A head that was read begins a request, and ends the one before."""
        result = event.result
        if event.call.name not in ("read", "recvfrom") or not isinstance(result, Returned):
            return
        head = _HEAD.match(result.data) if isinstance(result.data, bytes) else None
        if head is None:
            return
        self._end(self._owner.get(event.pid))
        descriptor = event.call.args[0]
        assert isinstance(descriptor, int)
        self._count += 1
        method, target = head[1].decode(), head[2].decode("latin-1")
        made = Request(method, target, descriptor, number=self._count)
        self.found.append(made)
        self._owner[event.pid] = made

    def _answer(self, request: Request, event: Event) -> None:
        call = event.call
        if call.name not in ("sendto", "write") or call.args[0] != request.descriptor:
            return
        said = call.args[1]
        match = _STATUS.match(said) if isinstance(said, bytes) else None
        if match is not None and request.status in (0, _CONTINUE):
            request.status = int(match[1])

    def _life(self, event: Event, request: Request | None) -> None:
        """Who is born, ends, or becomes another program; and the end of a connection."""
        call, result = event.call, event.result
        if call.name in _BIRTHS and isinstance(result, Returned) and result.value:
            child = Pid(result.value)
            shares = call.name == "clone" and bool(_flags(event) & _CLONE_FILES)
            if event.pid in self._threads and shares:
                self._threads.add(child)
            if request is not None:
                self._owner[child] = request
        elif isinstance(result, Executed) or call.name in ("exit", "exit_group"):
            self._owner.pop(event.pid, None)
        elif (
            request is not None
            and call.name == "close"
            and event.pid in self._threads
            and call.args[0] == request.descriptor
        ):
            self._end(request)

    def _end(self, request: Request | None) -> None:
        if request is not None:
            self._owner = {pid: one for pid, one in self._owner.items() if one is not request}


def _flags(event: Event) -> int:
    flags = event.call.args[0] if event.call.args else 0
    return flags if isinstance(flags, int) else 0
