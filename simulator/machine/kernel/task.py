"""The task: what fork(2) copies, execve(2) replaces and exit(2) leaves behind."""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

import msgspec

from simulator.machine.abi.call import Call, Result
from simulator.machine.abi.ids import (
    HOST,
    INITIAL_USER_NS,
    CgroupId,
    ContextId,
    Domain,
    FilesId,
    InodeId,
    MountId,
    NsId,
    Pid,
)
from simulator.machine.kernel.context import ROOT_CONTEXT
from simulator.machine.kernel.cred import Credentials
from simulator.machine.kernel.namespace import NsProxy, PidNs
from simulator.machine.state.store import Index, Key, Row, World


class At(NamedTuple):
    """A place in the file tree: an inode as seen through one mount (``struct path``)."""

    mount: MountId
    inode: InodeId


class TaskState(Enum):
    """The letter that ps(1) shows."""

    RUNNING = "R"
    SLEEPING = "S"
    DISK = "D"
    """Waiting for a device; no signal disturbs it."""
    STOPPED = "T"
    ZOMBIE = "Z"


class Attachment(msgspec.Struct, frozen=True):
    """A shared memory segment (``(ipc namespace, id)``) at ``address``."""

    address: int
    segment: tuple[NsId, int]
    read_only: bool = False


class SeccompFilter(msgspec.Struct, frozen=True):
    """One filter of seccomp(2), as rules rather than as BPF.

    ``allow`` names calls that pass; ``rules`` answer before it, first match wins; anything else
    gets ``default`` (an errno name, ``TRAP`` or ``KILL``). A filter that came as classic BPF is
    kept as its ``program`` of (code, jt, jf, k), and that alone answers.
    """

    name: str
    allow: frozenset[str] = frozenset()
    rules: tuple["SeccompRule", ...] = ()
    default: str = "EPERM"
    program: tuple[tuple[int, ...], ...] = ()


class SeccompRule(msgspec.Struct, frozen=True):
    """``calls`` whose argument ``index`` masked by ``mask`` (compared by ``op`` with ``value``).

    ``op`` is ``any`` (no argument is looked at), ``masked_eq``, ``eq``, ``ne``, ``gt``, ``ge``,
    ``lt`` or ``le``; ``action`` is ``ALLOW``, an errno name, ``TRAP`` or ``KILL``.
    """

    calls: frozenset[str]
    action: str
    index: int = 0
    op: str = "any"
    mask: int = 0
    value: int = 0


class Task(Row, frozen=True, kw_only=True):
    """A process (one thread). ``id`` is its pid in the initial pid namespace.

    ``pids`` numbers it in each pid namespace from the initial one down to its own. ``cgroups``
    maps a hierarchy's id to the task's group in it.
    """

    parent: Pid
    pids: tuple[int, ...]
    pgid: Pid
    sid: Pid
    comm: str
    argv: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    exe: At | None = None
    exe_name: tuple[InodeId, str] | None = None
    """The directory and the name by which ``exe`` was executed, for /proc/PID/exe."""
    cred: Credentials
    ns: NsProxy
    root: At
    cwd: At
    top: At | None = None
    """FreeBSD's fd_jdir: the first chroot's directory, which ``..`` never passes."""
    umask: int = 0o022
    shared_fs: int | None = None
    """Tasks with the same number share root, cwd and umask (clone(2) CLONE_FS)."""
    files: FilesId
    context: ContextId = ROOT_CONTEXT
    net_context: ContextId = ROOT_CONTEXT
    """Its network's, for a kernel where that is a tag of its own (Linux-VServer's nid)."""
    cgroups: Mapping[int, CgroupId]
    state: TaskState = TaskState.RUNNING
    exit_status: int | None = None
    """A wait status, as waitpid(2) encodes it."""
    exit_signal: int = 17
    """What the parent is sent when the task ends (clone(2)); SIGCHLD unless said otherwise."""
    report: int | None = None
    """A stop or continuation that nobody has waited for yet, as a wait status."""
    blocked: frozenset[int] = frozenset()
    pending: tuple[int, ...] = ()
    handlers: Mapping[int, int]
    nice: int = 0
    policy: int = 0
    rt_priority: int = 0
    io_priority: int = 0
    affinity: int = 0
    """The processors that it was told to keep to (sched_setaffinity(2)), bit by bit; 0 for any."""
    rlimits: Mapping[int, tuple[int, int]]
    no_new_privs: bool = False
    seccomp: tuple[SeccompFilter, ...] = ()
    lsm_label: str = "unconfined"
    next_label: str = ""
    """The label that the next execve(2) puts on (/proc/self/attr/exec)."""
    dumpable: bool = True
    mm_user_ns: NsId = INITIAL_USER_NS
    """The user namespace in which its program was executed: the owner of its memory."""
    personality: int = 0
    subreaper: bool = False
    death_signal: int = 0
    session_keyring: int | None = None
    process_keyring: int | None = None
    thread_keyring: int | None = None
    oom_score_adj: int = 0
    oom_score_adj_min: int = 0
    """The lowest value that CAP_SYS_RESOURCE has set: anybody may go back down to it."""
    tracer: Pid | None = None
    seized: bool = False
    """Traced with PTRACE_SEIZE, which stops nothing by itself."""
    allowed_tracer: Pid | None = None
    """PR_SET_PTRACER of prctl(2) (Yama); -1 lets anybody trace."""
    executed: bool = False
    start_time: int = 0
    memory: int = 0
    """Anonymous memory held, in bytes."""
    mapped: int = 0
    """Private memory that it asked for, touched or not, in bytes (mmap(2))."""
    attached: tuple["Attachment", ...] = ()
    """System V shared memory in its address space (shmat(2)), in the order of attaching."""
    domain: Domain = HOST


class Caught(Row, frozen=True, kw_only=True):
    """Signals whose handler (SIG_TOLD) has run in task ``id`` and of which it has not asked yet."""

    signals: tuple[int, ...]


class Sleeper(Row, frozen=True, kw_only=True):
    """A task asleep inside ``call`` (``id`` is its pid) until one of ``watches`` is written.

    ``deadline`` is the CLOCK_MONOTONIC instant, in nanoseconds, at which it gives up waiting.
    """

    call: Call
    watches: frozenset[tuple[type[Row], Key]]
    on: str = ""
    deadline: int | None = None
    interrupted: bool = False
    """A signal with a handler arrived: the call ends with EINTR (signal(7))."""
    state: TaskState = TaskState.SLEEPING
    """What it is to the eye meanwhile: a task that computes is running."""
    result: Result | None = None
    """What a call returned that stopped its own caller: handed out once it is continued."""
    done: int = 0
    """Bytes of a write that somebody took already: it goes on after them, and returns them too."""


CHILDREN = Index(Task, lambda task: (task.parent,), "parent")
GROUP = Index(Task, lambda task: (task.pgid,), "pgid")
SESSION = Index(Task, lambda task: (task.sid,), "sid")
IN_CONTEXT = Index(Task, lambda task: (task.context,), "context")
BY_SHARED_FS = Index(
    Task, lambda task: () if task.shared_fs is None else (task.shared_fs,), "shared_fs"
)
BY_FILES = Index(Task, lambda task: (task.files,), "files")
WATCHED = Index(Sleeper, lambda sleeper: sleeper.watches, "watches")
TIMED = Index(Sleeper, lambda sleeper: (sleeper.deadline is not None,), "deadline")
"""The sleeps that end by themselves (True), and the others."""


def pid_in(world: World, task: Task, ns_level: int, ns: NsId) -> int:
    """``task``'s pid as pid namespace ``ns`` numbers it; 0 when it is not seen there."""
    if ns_level < len(task.pids) and visible_from(world, task, ns):
        return task.pids[ns_level]
    return 0


def visible_from(world: World, task: Task, ns: NsId) -> bool:
    """Whether ``task`` lives in pid namespace ``ns`` or a descendant of it."""
    current: NsId | None = task.ns.pid
    while current is not None:
        if current == ns:
            return True
        current = world.row(PidNs, current).parent
    return False
