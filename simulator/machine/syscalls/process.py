"""Processes begin, run programs and end: fork(2), clone(2), execve(2), _exit(2)."""

from typing import Any

from simulator.machine.abi.call import Executed, Exited, Result, Returned
from simulator.machine.abi.constants import (
    AT_EMPTY_PATH,
    AT_SYMLINK_NOFOLLOW,
    CLONE_FS,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_PARENT,
    CLONE_PIDFD,
    CLONE_SETTLS,
    CLONE_SIGHAND,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
    SIGCHLD,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import exec as execs
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel import pidfd, pids
from simulator.machine.kernel.fork import fork as fork_task
from simulator.machine.kernel.namespace import PidNs
from simulator.machine.kernel.namespaces.spaces import copy_spaces
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.attributes import place
from simulator.machine.syscalls.registry import linux, posix

CLONE_CLEAR_SIGHAND = 1 << 32
CLONE_INTO_CGROUP = 1 << 33
CLONE_ARGS_SIZE_VER0 = 64
"""The size in bytes of the first published struct clone_args."""


@posix("fork", "vfork")
def fork(trap: Trap) -> int:
    """fork(2): EAGAIN, ENOMEM. The value is the child's pid as its parent sees it."""
    return pids.number(trap, fork_task(trap).id)


@linux("clone")
def clone(
    trap: Trap,
    flags: int,
    _stack: int = 0,
    _parent_tid: Any = None,
    _child_tid: Any = None,
    _tls: int = 0,
) -> Result:
    """clone(2): EAGAIN, EINVAL, ENOMEM, ENOSPC, EPERM. No low byte counts as SIGCHLD."""
    return _clone(trap, flags & ~0xFF, flags & 0xFF or SIGCHLD)


@linux("clone3", since=(5, 3))
def clone3(trap: Trap, args: Any = None, size: int = CLONE_ARGS_SIZE_VER0) -> Result:
    """clone3(2) with its structure as a dict of ``flags``, ``exit_signal``, ``set_tid``."""
    if args is None or size < CLONE_ARGS_SIZE_VER0:
        trap.fail(Errno.EINVAL, "", "clone3(2)")
    given = decode.structure(args, "struct clone_args")
    known = {"flags", "exit_signal", "set_tid", "set_tid_size", "stack", "stack_size", "pidfd"}
    if set(given) - known:
        raise NotModelled("clone3: fields that the model does not know")
    flags, signo = given.get("flags", 0), given.get("exit_signal", 0)
    if flags & 0xFF & ~0x80 or signo & ~0xFF:
        trap.fail(Errno.EINVAL, "", "clone3(2)")
    if flags & (CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP):
        raise NotModelled("clone3 with CLONE_CLEAR_SIGHAND or CLONE_INTO_CGROUP")
    if flags & (CLONE_THREAD | CLONE_PARENT) and signo:
        trap.fail(Errno.EINVAL, "", "clone3(2)")
    return _clone(trap, flags, signo or SIGCHLD, tuple(given.get("set_tid", ())))


def _clone(trap: Trap, flags: int, signo: int, set_tid: tuple[int, ...] = ()) -> Result:
    _check_flags(trap, flags)
    spaces = copy_spaces(trap, flags, child=True)
    if set_tid:
        pids.need_checkpoint(trap, spaces.ns.pid, len(set_tid))
    child = fork_task(trap, flags, exit_signal=signo, spaces=spaces, set_tid=set_tid)
    data = pidfd.install(trap, child.id) if flags & CLONE_PIDFD else None
    return Returned(pids.number(trap, child.id), data)


def _check_flags(trap: Trap, flags: int) -> None:
    """The combinations that copy_process() refuses, in its order."""
    wrong = (
        flags & (CLONE_NEWNS | CLONE_FS) == CLONE_NEWNS | CLONE_FS
        or flags & (CLONE_NEWUSER | CLONE_FS) == CLONE_NEWUSER | CLONE_FS
        or (flags & CLONE_THREAD and not flags & CLONE_SIGHAND)
        or (flags & CLONE_SIGHAND and not flags & CLONE_VM)
        or (flags & CLONE_PARENT and _is_namespace_init(trap))
        or (flags & CLONE_THREAD and flags & (CLONE_NEWUSER | CLONE_NEWPID))
    )
    if wrong:
        trap.fail(Errno.EINVAL, N_("These flags exclude each other."), "clone(2)")
    if flags & (CLONE_THREAD | CLONE_VM | CLONE_SETTLS | CLONE_VFORK):
        raise NotModelled("tasks that share memory")


def _is_namespace_init(trap: Trap) -> bool:
    return trap.store.row(PidNs, trap.task.ns.pid).init == trap.task.id


@posix("execve")
def execve(trap: Trap, path: str, argv: Any = (), env: Any = ()) -> Result:
    """execve(2): E2BIG EACCES ELOOP ENOENT ENOEXEC ENOTDIR EPERM ETXTBSY."""
    execs.execute(trap, path, decode.words(argv, "argv"), decode.words(env, "envp"))
    return Executed()


@linux("execveat", since=(3, 19))
def execveat(
    trap: Trap, dirfd: int, path: str, argv: Any = (), env: Any = (), flags: int = 0
) -> Result:
    """execveat(2): as execve(2), and EBADF EINVAL; AT_EMPTY_PATH runs the descriptor itself."""
    if flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW):
        trap.fail(Errno.EINVAL, "", "execveat(2)")
    empty = not path and flags & AT_EMPTY_PATH
    at = place(trap, dirfd, path, AT_EMPTY_PATH) if empty else None
    start = paths.start_at(trap, dirfd, path) if at is None else None
    name = path or f"/dev/fd/{dirfd}"
    execs.execute(
        trap,
        name,
        decode.words(argv, "argv"),
        decode.words(env, "envp"),
        start=start,
        at=at,
        follow=not flags & AT_SYMLINK_NOFOLLOW,
    )
    return Executed()


@posix("exit", "exit_group")
def exit_group(trap: Trap, status: int = 0) -> Result:
    """_exit(2): the caller becomes a zombie with the low eight bits of ``status``."""
    exits.end(trap.store, trap.task.id, (status & 0xFF) << 8)
    return Exited(status & 0xFF)


@posix("getpid")
def getpid(trap: Trap) -> int:
    """getpid(2): the caller's pid in its own pid namespace."""
    return pids.number(trap, trap.task.id)


@linux("gettid")
def gettid(trap: Trap) -> int:
    """gettid(2): the same as getpid(2), for a task of one thread."""
    return pids.number(trap, trap.task.id)


@posix("getppid")
def getppid(trap: Trap) -> int:
    """getppid(2): 0 when the parent lives outside the caller's pid namespace."""
    return pids.number(trap, trap.task.parent)


@linux("set_tid_address")
def set_tid_address(trap: Trap, _address: Any = 0) -> int:
    """set_tid_address(2): the caller's thread id."""
    return trap.task.pids[-1]
