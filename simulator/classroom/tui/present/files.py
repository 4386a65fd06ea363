"""Where a task stands in the file tree, what it holds open, and the mounts it can reach."""

from collections.abc import Iterator, Sequence

from simulator.classroom.tui.present.line import Line, heading
from simulator.machine.abi.constants import MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.family import Family
from simulator.machine.kernel.task import At, Task
from simulator.machine.kernel.trap import Denied, Trap
from simulator.machine.kernel.vfs import dpath
from simulator.machine.kernel.vfs.fd import FdTable, File
from simulator.machine.kernel.vfs.inode import Dentry, Inode, Superblock, load
from simulator.machine.kernel.vfs.mount import IN_NAMESPACE
from simulator.machine.state.store import Store, World, Write

_FLAGS = ((MS_RDONLY, "ro"), (MS_NOSUID, "nosuid"), (MS_NODEV, "nodev"), (MS_NOEXEC, "noexec"))


def files(world: World, family: Family, viewer: Pid, writes: Sequence[Write]) -> list[Line]:
    """Root and working directory, names that a step made or took, open files, mounts."""
    task = world.row(Task, viewer)
    trap = Trap(Store(world), family, task)
    return [
        *_places(trap, task),
        *_names(trap, task, writes),
        *_open_files(trap, task),
        heading(_("Mounts")),
        *_mounts(trap, task),
    ]


def _places(trap: Trap, task: Task) -> Iterator[Line]:
    for text, at in ((_("root"), task.root), (_("working directory"), task.cwd)):
        yield Line(
            text=f"{text}  {_shown(trap, at)}",
            domain=load(trap, at.inode).domain,
        )


def _names(trap: Trap, task: Task, writes: Sequence[Write]) -> Iterator[Line]:
    """The directory entries that the step made (+) or took away (-), where the viewer can see."""
    for write in writes:
        if write.table is not Dentry:
            continue
        row = write.new or write.old
        if not isinstance(row, Dentry):
            continue
        directory, name = row.id
        inode = trap.store.get(Inode, directory)
        if inode is None:
            continue
        mark = "-" if write.new is None else "+"
        for mount in trap.store.rows_by(IN_NAMESPACE, task.ns.mnt):
            at = At(mount.id, directory)
            if mount.sb == inode.sb and dpath.is_reachable(trap, at, task.root):
                yield Line(
                    text=f"{mark} {dpath.path_of(trap, at).rstrip('/')}/{name}",
                    domain=inode.domain,
                )
                break


def _open_files(trap: Trap, task: Task) -> Iterator[Line]:
    table = trap.store.get(FdTable, task.files)
    for fd, slot in sorted(table.slots.items()) if table else ():
        file = trap.store.get(File, slot.file)
        if file is not None:
            what = _shown(trap, file.at) if file.at is not None else (file.label or file.kind)
            yield Line(text=f"fd {fd}  {what}", domain=file.domain)


def _mounts(trap: Trap, task: Task) -> Iterator[Line]:
    for mount in trap.store.rows_by(IN_NAMESPACE, task.ns.mnt):
        at = At(mount.id, mount.root)
        if not dpath.is_reachable(trap, at, task.root):
            continue
        flags = ",".join(name for bit, name in _FLAGS if mount.flags & bit)
        fstype = trap.store.row(Superblock, mount.sb).fstype
        yield Line(
            text=f"{dpath.path_of(trap, at)}  {fstype}  {flags}".rstrip(),
            domain=mount.domain,
        )


def _shown(trap: Trap, at: At) -> str:
    try:
        return dpath.path_of(trap, at)
    except Denied:
        return "?"
