"""unshare(2) and setns(2): leaving and entering namespaces."""

from simulator.machine.abi.constants import (
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWNS,
    CLONE_NEWUSER,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VM,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import pidfd
from simulator.machine.kernel.fs import nsfs
from simulator.machine.kernel.namespaces import join, lifetime
from simulator.machine.kernel.namespaces.spaces import (
    ALL_NAMESPACES,
    Spaces,
    copy_spaces,
    known_kinds,
)
from simulator.machine.kernel.task import BY_FILES, Task, TaskState
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.syscalls.registry import linux

_UNSHARED = (
    ALL_NAMESPACES
    | CLONE_THREAD
    | CLONE_FS
    | CLONE_SIGHAND
    | CLONE_VM
    | CLONE_FILES
    | CLONE_SYSVSEM
)


@linux("unshare", since=(2, 6, 16))
def unshare(trap: Trap, flags: int) -> int:
    """unshare(2): new namespaces, and a descriptor table of one's own with CLONE_FILES."""
    if flags & ~(_UNSHARED & ~ALL_NAMESPACES | known_kinds(trap.family.release)):
        trap.fail(Errno.EINVAL, N_("A flag can't be unshared."), "unshare(2)")
    if flags & CLONE_FILES and trap.store.many(BY_FILES, trap.task.files) > 1:
        trap.update(files=fds.copy_table(trap.store, trap.task.files))
    if flags & (CLONE_FS | CLONE_NEWNS | CLONE_NEWUSER) and trap.task.shared_fs is not None:
        trap.update(shared_fs=None)
    _enter(trap, copy_spaces(trap, flags))
    return 0


def _enter(trap: Trap, spaces: Spaces) -> None:
    left = trap.task.ns.mnt
    trap.update(ns=spaces.ns, cred=spaces.cred, root=spaces.root, cwd=spaces.cwd)
    if spaces.ns.mnt != left:
        lifetime.leave(trap.store, left, trap.task.id)


@linux("setns", since=(3, 0))
def setns(trap: Trap, fd: int, nstype: int) -> int:
    """setns(2): enter the namespace behind ``fd``, or several of a process's (pidfd).

    Errors: EBADF; EINVAL for another file or a type that does not fit; ESRCH; and see ``join``.
    """
    file = fds.get(trap, fd)
    here = Spaces(trap.task.ns, trap.task.cred, trap.task.root, trap.task.cwd)
    if file.at is not None and nsfs.is_namespace(file.at.inode):
        kind, ns = nsfs.identify(file.at.inode)
        if nstype not in (0, nsfs.FLAG_OF[kind]):
            trap.fail(
                Errno.EINVAL, N_("The namespace is of another kind than asked for."), "setns(2)"
            )
        _enter(trap, join.join(trap, here, kind, ns))
    elif file.kind == pidfd.KIND:
        _enter(trap, _join_task(trap, here, fd, nstype))
    else:
        trap.fail(
            Errno.EINVAL, N_("The descriptor names neither namespace nor process."), "setns(2)"
        )
    return 0


def _join_task(trap: Trap, spaces: Spaces, fd: int, flags: int) -> Spaces:
    if not flags or flags & ~ALL_NAMESPACES:
        trap.fail(Errno.EINVAL, N_("With a pidfd one says which namespaces to join."), "setns(2)")
    task = trap.store.get(Task, pidfd.target(trap, fd))
    if task is None or task.state is TaskState.ZOMBIE:
        trap.fail(Errno.ESRCH, N_("The process is gone."), "setns(2)")
    trap.ask("may_trace", task)
    for kind in join.ORDER:
        if flags & nsfs.FLAG_OF[kind]:
            spaces = join.join(trap, spaces, kind, join.of_task(task, kind))
    return spaces
