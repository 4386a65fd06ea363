"""SunOS's /proc: a directory for each process of the zone that it was mounted in.

The files are binary structures there; here ``psinfo``, ``cred`` and ``status`` hold their fields
as lines of text. Source: proc(4), uts/common/fs/proc/prvnops.c (pr_lookup_procdir: "processes
which aren't in our zone don't exist").
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

from simulator.machine.abi.constants import S_IFDIR, S_IFLNK, S_IFREG
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import KERNEL, SuperblockId, VirtualId
from simulator.machine.kernel import context, privset, zone
from simulator.machine.kernel.context import ROOT_CONTEXT, Context
from simulator.machine.kernel.fs import options, stored
from simulator.machine.kernel.fs.registry import FilesystemType, register_virtual
from simulator.machine.kernel.pids import label
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs.inode import Inode, Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.task import At
    from simulator.machine.kernel.trap import Trap

NAME, TAG = "proc", "zoneproc"
SELF = "self"
Read = Callable[["Trap", Task], str]


def _psinfo(trap: "Trap", task: Task) -> str:
    """psinfo_t."""
    row = trap.store.row(Context, task.context)
    fields = {
        "pid": task.id,
        "ppid": task.parent,
        "pgid": task.pgid,
        "sid": task.sid,
        "uid": task.cred.ruid,
        "euid": task.cred.euid,
        "gid": task.cred.rgid,
        "zoneid": row.number,
        "zone": zone.name_of(row),
        "nice": task.nice,
        "state": task.state.value,
        "size": task.memory // 1024,
        "fname": task.comm,
        "psargs": " ".join(task.argv) or task.comm,
    }
    return "".join(f"{name}={value}\n" for name, value in fields.items())


def _cred(trap: "Trap", task: Task) -> str:
    """prcred_t and prpriv_t."""
    del trap
    cred = task.cred
    groups = " ".join(map(str, cred.groups))
    lines = [f"euid={cred.euid}", f"ruid={cred.ruid}", f"egid={cred.egid}", f"groups={groups}"]
    sets = {
        "E": privset.effective(cred),
        "I": privset.inheritable(cred),
        "P": privset.permitted(cred),
        "L": cred.bounding,
    }
    lines += [f"{letter}={','.join(privset.names(bits))}" for letter, bits in sets.items()]
    return "".join(f"{line}\n" for line in lines)


def _environ(trap: "Trap", task: Task) -> str:
    """What pargs -e reads out of the process's memory (/proc/PID/as)."""
    del trap
    return "".join(f"{name}={value}\0" for name, value in task.env)


OPEN: dict[str, Read] = {"psinfo": _psinfo}
"""Files that everybody reads who sees the process."""
CLOSED: dict[str, Read] = {"cred": _cred, "environ": _environ}
"""Files for those who may trace it."""
LINKS = ("cwd", "root")
"""Directories of the process, as links that lead there."""


def _look(trap: "Trap", sb: Superblock, name: str) -> Task | None:
    """The process that a directory name means, if this mount shows it to the reader."""
    if name == SELF:
        return trap.task
    task = trap.store.get(Task, int(name)) if name.isdigit() else None
    if task is None or not _shows(trap, sb, task):
        return None
    return task if trap.allowed("may_see", task) else None


def _shows(trap: "Trap", sb: Superblock, task: Task) -> bool:
    """Whether the process is of the zone that the mount is of: the global zone's shows all."""
    owner = (sb.data or {}).get("zone", ROOT_CONTEXT)
    if owner in (ROOT_CONTEXT, task.context):
        return True
    return not context.has(trap.store.row(Context, owner), zone.VISIBILITY)


def _need(trap: "Trap", inode: VirtualId) -> Task:
    task = _look(trap, trap.store.row(Superblock, inode[1]), str(inode[2]))
    if task is None:
        trap.fail(Errno.ENOENT, N_("The process has ended."), "proc(4)")
    return task


class _Procfs:
    """Inodes are ("zoneproc", superblock, pid or ``self`` or nothing, file or nothing)."""

    def load(self, trap: "Trap", inode: VirtualId) -> Inode:
        sb = SuperblockId(trap.store.row(Superblock, inode[1]).id)
        pid, name = str(inode[2]), str(inode[3])
        root: VirtualId = (TAG, inode[1], "", "")
        if not pid:
            mode = S_IFDIR | 0o555
            return Inode(id=inode, sb=sb, mode=mode, nlink=2, parent=root, domain=KERNEL)
        task = _need(trap, inode)
        uid, gid, owner = task.cred.euid, task.cred.egid, task.domain
        if not name:
            return Inode(
                id=inode,
                sb=sb,
                mode=S_IFDIR | 0o511,
                uid=uid,
                gid=gid,
                nlink=2,
                parent=root,
                domain=owner if pid != SELF else KERNEL,
            )
        mode = S_IFREG | (0o444 if name in OPEN else 0o400)
        if name in LINKS:
            mode = S_IFLNK | 0o777
        above: VirtualId = (TAG, inode[1], pid, "")
        return Inode(id=inode, sb=sb, mode=mode, uid=uid, gid=gid, parent=above, domain=owner)

    def lookup(self, trap: "Trap", directory: VirtualId, name: str) -> VirtualId | None:
        _, number, pid, _file = directory
        if pid:
            known = name in OPEN or name in CLOSED or name in LINKS
            return (TAG, number, pid, name) if known else None
        if _look(trap, trap.store.row(Superblock, number), name) is not None:
            return (TAG, number, name, "")
        if name.isdigit() and trap.store.get(Task, int(name)) is not None:
            trap.deny(
                Errno.ENOENT,
                zone.VISIBILITY,
                N_("The process is in another zone: for the caller it does not exist."),
                "uts/common/fs/proc/prvnops.c pr_lookup_procdir()",
            )
        return None

    def names(self, trap: "Trap", directory: VirtualId) -> Iterable[str]:
        if directory[2]:
            return (*OPEN, *CLOSED, *LINKS)
        sb = trap.store.row(Superblock, directory[1])
        seen = [
            task
            for task in trap.store.all(Task)
            if _shows(trap, sb, task) and trap.allowed("may_see", task)
        ]
        for task in seen:
            trap.touch("process", task.domain, "name", label(task))
        return [SELF, *(str(task.id) for task in seen)]

    def follow(self, trap: "Trap", inode: VirtualId) -> "At | str":
        task = _need(trap, inode)
        trap.ask("may_trace", task)
        trap.touch("process", task.domain, "read", label(task))
        return task.cwd if inode[3] == "cwd" else task.root

    def read(self, trap: "Trap", inode: VirtualId) -> bytes:
        task, name = _need(trap, inode), str(inode[3])
        trap.touch("process", task.domain, "read", label(task))
        text = (OPEN.get(name) or CLOSED[name])(trap, task)
        return text.encode("utf-8", "surrogateescape")

    def write(self, trap: "Trap", inode: VirtualId, data: bytes) -> int:
        del inode, data
        trap.fail(Errno.EBADF, N_("The file is only read."), "proc(4)")

    def check_open(self, trap: "Trap", inode: VirtualId, flags: int) -> None:
        """praccess(): everything but psinfo needs control over the process."""
        del flags
        if str(inode[3]) in CLOSED:
            trap.ask("may_trace", _need(trap, inode))


register_virtual(TAG, _Procfs())


def _make(trap: "Trap", source: str, text: str) -> Superblock:
    """prmount(): the mount is of the mounter's zone."""
    options.none_known(trap, text)
    data = {"zone": cast("int", trap.task.context)}
    return stored.computed_superblock(trap, NAME, source, TAG, "", "", data=data)


PROC = FilesystemType(NAME, _make)
