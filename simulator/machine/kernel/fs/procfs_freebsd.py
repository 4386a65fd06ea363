"""FreeBSD's procfs: a directory for each process that the reader may see, and ``curproc``.

Nobody mounts it by default, and nothing in it leads into another process's root: who may see whom
is prison_check() and no more. Source: procfs(5), sys/fs/procfs/procfs.c, procfs_status.c.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from simulator.machine.abi.constants import S_IFDIR, S_IFLNK, S_IFREG
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import KERNEL, SuperblockId, VirtualId
from simulator.machine.kernel import prison
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.fs import options, stored
from simulator.machine.kernel.fs.registry import FilesystemType, register_virtual
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import dpath
from simulator.machine.kernel.vfs.inode import Inode, Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.task import At
    from simulator.machine.kernel.trap import Trap

TAG = "procfs"
CURRENT = "curproc"
Read = Callable[["Trap", Task], str]


def _cmdline(trap: "Trap", task: Task) -> str:
    del trap
    return "".join(f"{word}\0" for word in task.argv) or task.comm


def _status(trap: "Trap", task: Task) -> str:
    """procfs_doprocstatus(): one line; its last word is the prison's host name, or ``-``."""
    row = trap.store.row(Context, task.context)
    jail = (row.hostname or row.name) if prison.is_jailed(task) else "-"
    cred = task.cred
    groups = ",".join(map(str, (cred.egid, *cred.groups)))
    ids = f"{task.id} {task.parent} {task.pgid} {task.sid}"
    return f"{task.comm} {ids} - - 0,0 0,0 0,0 nochan {cred.euid} {cred.ruid} {groups} {jail}\n"


def _etype(trap: "Trap", task: Task) -> str:
    del trap, task
    return "FreeBSD ELF64\n"


FILES: dict[str, Read] = {"cmdline": _cmdline, "status": _status, "etype": _etype}
PROGRAM = "file"
"""A link to the program that the process executes."""


def _look(trap: "Trap", name: str) -> Task | None:
    """The process that a directory name means, if the reader may see it."""
    task = trap.store.get(Task, int(name)) if name.isdigit() else None
    return task if task is not None and trap.allowed("may_see", task) else None


def _need(trap: "Trap", inode: VirtualId) -> Task:
    task = _look(trap, str(inode[2]))
    if task is None:
        trap.fail(Errno.ENOENT, N_("The process has ended."), "procfs(5)")
    return task


class _Procfs:
    """Inodes are ("procfs", superblock, pid or ``curproc`` or nothing, file or nothing)."""

    def load(self, trap: "Trap", inode: VirtualId) -> Inode:
        sb = SuperblockId(trap.store.row(Superblock, inode[1]).id)
        pid, name = str(inode[2]), str(inode[3])
        root: VirtualId = (TAG, inode[1], "", "")
        if not pid:
            return Inode(id=inode, sb=sb, mode=S_IFDIR | 0o555, nlink=2, parent=root)
        if pid == CURRENT:
            return Inode(id=inode, sb=sb, mode=S_IFLNK | 0o777, parent=root, domain=KERNEL)
        task = _need(trap, inode)
        uid, gid, owner = task.cred.euid, task.cred.egid, task.domain
        if not name:
            return Inode(
                id=inode,
                sb=sb,
                mode=S_IFDIR | 0o555,
                uid=uid,
                gid=gid,
                nlink=2,
                parent=root,
                domain=owner,
            )
        mode = S_IFLNK | 0o777 if name == PROGRAM else S_IFREG | 0o444
        above: VirtualId = (TAG, inode[1], pid, "")
        return Inode(id=inode, sb=sb, mode=mode, uid=uid, gid=gid, parent=above, domain=owner)

    def lookup(self, trap: "Trap", directory: VirtualId, name: str) -> VirtualId | None:
        _, sb, pid, _file = directory
        if not pid:
            if name == CURRENT:
                return (TAG, sb, CURRENT, "")
            known = trap.store.get(Task, int(name)) if name.isdigit() else None
            if known is not None and not trap.allowed("may_see", known):
                trap.deny(
                    Errno.ENOENT,
                    "prison-visibility",
                    N_("The process is in another prison: for the caller it does not exist."),
                    "sys/fs/pseudofs/pseudofs_vnops.c pfs_visible()",
                )
            return (TAG, sb, name, "") if known is not None else None
        return (TAG, sb, pid, name) if name in FILES or name == PROGRAM else None

    def names(self, trap: "Trap", directory: VirtualId) -> Iterable[str]:
        if directory[2]:
            return (*FILES, PROGRAM)
        seen = [task for task in trap.store.all(Task) if trap.allowed("may_see", task)]
        for task in seen:
            trap.touch("process", task.domain, "name", f"{task.comm} (pid {task.id})")
        return (CURRENT, *(str(task.id) for task in seen))

    def follow(self, trap: "Trap", inode: VirtualId) -> "At | str":
        if inode[2] == CURRENT:
            return str(trap.task.id)
        task = _need(trap, inode)
        return "unknown" if task.exe is None else dpath.path_of(trap, task.exe)

    def read(self, trap: "Trap", inode: VirtualId) -> bytes:
        task = _need(trap, inode)
        trap.touch("process", task.domain, "read", f"{task.comm} (pid {task.id})")
        return FILES[str(inode[3])](trap, task).encode("utf-8", "surrogateescape")

    def write(self, trap: "Trap", inode: VirtualId, data: bytes) -> int:
        del inode, data
        trap.fail(Errno.EOPNOTSUPP, N_("The file is only read."), "procfs(5)")

    def check_open(self, trap: "Trap", inode: VirtualId, flags: int) -> None:
        del trap, inode, flags


register_virtual(TAG, _Procfs())


def _make(trap: "Trap", source: str, text: str) -> Superblock:
    options.none_known(trap, text)
    return stored.computed_superblock(trap, TAG, source, TAG, "", "")


PROCFS = FilesystemType(TAG, _make)
