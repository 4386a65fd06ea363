"""One entry into the kernel: who calls, in which world, and what was asked on the way."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec

from simulator.machine.abi.call import Denial
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.ids import KERNEL, Domain, NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.security import Check
from simulator.machine.kernel.task import BY_SHARED_FS, Task, TaskState
from simulator.machine.state.store import Key, Row, Store, Write

if TYPE_CHECKING:
    from simulator.machine.kernel.cred import Credentials
    from simulator.machine.kernel.family import Family
    from simulator.machine.kernel.vfs.walks import Walks

T = TypeVar("T")


class Denied(Exception):
    """The kernel says no. Raised by handlers and by what they call, caught by ``Kernel.call``."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(denial.errno)
        self.denial = denial


class Sleep(Exception):
    """The caller must wait until one of ``watches`` is written, or until ``deadline``.

    ``leaving`` is written once the caller sleeps: what it wants to be served with meanwhile. A
    ``state`` says that it is not asleep to the eye (a task that computes is running).
    """

    def __init__(
        self,
        on: str,
        watches: Iterable[tuple[type[Row], Key]],
        deadline: int | None = None,
        *,
        leaving: Row | None = None,
        state: TaskState = TaskState.SLEEPING,
    ) -> None:
        super().__init__(on)
        self.on = on
        self.watches = frozenset(watches)
        self.deadline = deadline
        self.leaving = leaving
        self.state = state


class NotModelled(Exception):
    """The model has this call but not this use of it, and guesses no errno."""


_SHARED = frozenset(("root", "cwd", "umask", "top"))


class Crossing(msgspec.Struct, frozen=True, gc=False):
    """A success that reached over a boundary: the caller's domain used ``owner``'s object.

    ``kind`` is the sort of object (file, process, mount, hostname, shm, socket, interface, device,
    clock, kernel, cgroup, memory ...), ``name`` which one, ``operation`` one of read, write,
    name (only learnt that it exists), signal, trace, connect, exhaust, privilege.
    """

    kind: str
    name: str
    owner: Domain
    operation: str
    granted: bool = False


class Trap(msgspec.Struct, eq=False):
    """Passed to every handler as its first argument."""

    store: Store
    family: "Family"
    task: Task
    checks: list[Check] | None = None
    crossings: list[Crossing] = []
    lasting: list[Callable[[Store], None]] = []
    """What is written although the call fails: a counter of failures, a line of the log."""
    deadline: int | None = None
    """For a call that slept and is tried again: the instant that it set itself."""
    done: int = 0
    """For a write that slept: how many of its bytes are written already."""
    walks: "Walks | None" = None
    """Where walks through this store led, if somebody remembers."""
    known: dict[Key, Any] | None = None
    """What was made ``once``."""
    known_at: Write | None = None
    """What lay on top of the journal then."""

    @property
    def cred(self) -> "Credentials":
        """The caller's credentials."""
        return self.task.cred

    def once(self, key: Key, make: Callable[..., T], *about: object) -> T:
        """What ``make`` gives of the trap and ``about``: anew only after something was written.

        Nothing is kept of a call that is run aloud, whose every question is to be heard.
        """
        journal = self.store.journal
        top = journal[-1] if journal else None
        known = self.known
        if known is None or self.known_at is not top or self.checks is not None:
            known = self.known = {}
            self.known_at = top
        found = known.get(key)
        if found is None:
            found = known[key] = make(self, *about)
        return found

    def need(self, privilege: Privilege, over: NsId | None = None) -> None:
        """Refuse unless the caller holds ``privilege`` over user namespace ``over``.

        ``over`` None is the initial user namespace: a right over the whole machine.
        """
        denial = self.family.chain.ask(self, "holds", privilege, over)
        if denial is not None:
            raise Denied(denial)

    def has(self, privilege: Privilege, over: NsId | None = None) -> bool:
        """Whether the caller holds ``privilege`` over user namespace ``over``."""
        return self.family.chain.ask(self, "holds", privilege, over) is None

    def ask(self, question: str, *about: object) -> None:
        """Put any other question to the security chain; raise its objection."""
        chain = self.family.chain
        if chain.asked[question]:
            denial = chain.ask(self, question, *about)
            if denial is not None:
                raise Denied(denial)

    def allowed(self, question: str, *about: object) -> bool:
        """Whether the security chain has no objection."""
        return self.family.chain.ask(self, question, *about) is None

    def deny(self, errno: Errno, wall: str, why: str, cite: str) -> NoReturn:
        """Refuse by ``wall``; ``why`` is a constant English sentence marked with ``N_``."""
        raise Denied(Denial(errno, wall, why, cite))

    def fail(self, errno: Errno, why: str = "", cite: str = "") -> NoReturn:
        """Refuse an ordinary mistake of the caller: no wall is involved."""
        raise Denied(Denial(errno, "none", why, cite))

    def update(self, **changes: Any) -> None:
        """Write the caller's own row with ``changes``."""
        self.task = msgspec.structs.replace(self.task, **changes)
        self.store.put(self.task)
        if self.task.shared_fs is not None:
            self._share(changes)

    def _share(self, changes: dict[str, Any]) -> None:
        """Let the tasks that share root and working directory with the caller follow it."""
        shared = {name: value for name, value in changes.items() if name in _SHARED}
        for other in self.store.rows_by(BY_SHARED_FS, self.task.shared_fs) if shared else ():
            if other.id != self.task.id:
                self.store.put(msgspec.structs.replace(other, **shared))

    def touch(
        self, kind: str, owner: Domain, operation: str, name: str, granted: bool = False
    ) -> None:
        """Note a use of ``owner``'s object; the caller's own and the kernel's don't count."""
        if owner != self.task.domain and owner != KERNEL:
            self.crossings.append(Crossing(kind, name, owner, operation, granted))

    def authority(self, kind: str, name: str, operation: str = "privilege") -> None:
        """Note that the caller had a right over the machine itself (clock, modules, reboot)."""
        self.touch(kind, "host", operation, name)
