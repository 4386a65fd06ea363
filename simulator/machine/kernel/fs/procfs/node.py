"""What a file of procfs is made of: permission bits and functions from a look at it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from simulator.machine.abi.constants import S_IFDIR, S_IFLNK, S_IFREG
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, Domain, VirtualId
from simulator.machine.kernel import pids
from simulator.machine.kernel.namespace import PidNs
from simulator.machine.kernel.task import At, Task, pid_in
from simulator.machine.kernel.trap import Denied
from simulator.machine.kernel.vfs.inode import Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap


class Look(NamedTuple):
    """Somebody looks at a file: who, through which instance, about which process, at what name."""

    trap: "Trap"
    sb: Superblock
    id: VirtualId
    process: Task | None = None

    @property
    def task(self) -> Task:
        """The process that the file is about; ESRCH when it is gone."""
        if self.process is None:
            self.trap.fail(Errno.ESRCH, N_("The process has ended."), "proc(5)")
        return self.process

    @property
    def name(self) -> str:
        """The file's own name."""
        return str(self.id[-1])

    def number(self, task: Task) -> int:
        """``task``'s pid as this instance numbers it; 0 when it is not seen in it."""
        ns = self.sb.pid_ns
        if task == pids.own_init(self.trap):
            return 1
        if ns is None:
            return task.pids[0]
        return pid_in(self.trap.store, task, self.trap.store.row(PidNs, ns).level, ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A file. ``kind`` names what of the host it describes, for what is learnt across domains."""

    mode: int
    read: Callable[[Look], bytes] | None = None
    write: Callable[[Look, bytes], int] | None = None
    follow: Callable[[Look], "At | str"] | None = None
    children: "Mapping[str, Node]" = field(default_factory=dict[str, "Node"])
    names: Callable[[Look], Iterable[str]] | None = None
    """The names of a directory whose content is computed, on top of ``children``."""
    child: "Callable[[Look, str], Node | None] | None" = None
    check: Callable[[Look, int], None] | None = None
    """Asked when it is opened, after the permission bits."""
    traced: bool = False
    """Only for those who may trace the process (ptrace_may_access())."""
    feature: str = ""
    """Present only in a kernel of this feature."""
    kind: str = ""
    size: int = 0
    at_once: bool = False
    """Written from its first byte on, in one write(2)."""


def file(
    read: Callable[[Look], bytes | str], mode: int = 0o444, *, kind: str = "", feature: str = ""
) -> Node:
    """A file that is only read."""
    return Node(mode=S_IFREG | mode, read=_as_bytes(read), kind=kind, feature=feature)


def process_file(
    read: Callable[[Look], bytes | str],
    mode: int = 0o444,
    *,
    traced: bool = False,
    write: Callable[[Look, bytes], int] | None = None,
    at_once: bool = False,
) -> Node:
    """A file about a process."""
    read_ = _as_bytes(read)
    return Node(mode=S_IFREG | mode, read=read_, traced=traced, write=write, at_once=at_once)


def directory(
    children: Mapping[str, Node],
    mode: int = 0o555,
    *,
    names: Callable[[Look], Iterable[str]] | None = None,
    child: Callable[[Look, str], Node | None] | None = None,
    kind: str = "",
    feature: str = "",
) -> Node:
    """A directory."""
    return Node(
        mode=S_IFDIR | mode, children=children, names=names, child=child, kind=kind, feature=feature
    )


def link(follow: Callable[[Look], At | str], mode: int = 0o777, *, traced: bool = False) -> Node:
    """A symbolic link; one that gives a place is a magic link."""
    return Node(mode=S_IFLNK | mode, follow=follow, traced=traced)


def fixed(text: str) -> Callable[[Look], str]:
    """Content that never changes."""

    def read(look: Look) -> str:
        del look
        return text

    return read


def touch_process(look: Look, operation: str) -> None:
    """Note that a process was looked at by another domain."""
    task = look.process
    if task is None or task.domain == look.trap.task.domain:
        return
    name = "/".join(str(part) for part in look.id[2:])
    if not _noted(look.trap, "process", task.domain, operation, name):
        look.trap.touch("process", task.domain, operation, name)


def touch_machine(look: Look, kind: str, operation: str, owner: Domain = HOST) -> None:
    """Note that the machine itself was looked at, or written to, through a global file."""
    name = "/".join(str(part) for part in look.id[2:])
    if look.trap.task.domain != owner and not _noted(look.trap, kind, owner, operation, name):
        look.trap.touch(kind, owner, operation, f"/proc/{name}")


def _noted(trap: "Trap", kind: str, owner: Domain, operation: str, name: str) -> bool:
    """Whether this call has noted it before: a walk looks at the same name several times."""
    return any(
        crossing.kind == kind
        and crossing.owner == owner
        and crossing.operation == operation
        and crossing.name.endswith(name)
        for crossing in trap.crossings
    )


def need_trace(look: Look) -> None:
    """ptrace_may_access(PTRACE_MODE_READ_FSCREDS), which procfs answers with EACCES."""
    try:
        look.trap.ask("may_trace", look.task)
    except Denied as refused:
        denial = refused.denial
        look.trap.deny(Errno.EACCES, denial.wall, denial.why, denial.cite)


def _as_bytes(read: Callable[[Look], bytes | str]) -> Callable[[Look], bytes]:
    def encoded(look: Look) -> bytes:
        content = read(look)
        return content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")

    return encoded
