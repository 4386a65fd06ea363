"""Magic links: /proc/PID/{root,cwd,exe,fd,ns} lead to the place itself, not to a path.

Whoever may trace a process goes where it stands, whatever walls are in between. Source: fs/proc/
base.c (proc_pid_get_link), fs/proc/fd.c, fs/proc/namespaces.c.
"""

from collections.abc import Iterable

from simulator.machine.abi.constants import O_ACCMODE, O_RDONLY, O_RDWR, O_WRONLY
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.family import Release
from simulator.machine.kernel.fs import nsfs, unnamed
from simulator.machine.kernel.fs.procfs.node import Look, Node, link, process_file
from simulator.machine.kernel.namespace import KINDS, PidNs
from simulator.machine.kernel.task import At, Task, TaskState
from simulator.machine.kernel.vfs import dpath
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs.fd import FdTable, File

_NS_NAMES = (*KINDS, "pid_for_children", "time_for_children")
_NS_SINCE: dict[str, Release] = {
    "mnt": (3, 8),
    "pid": (3, 8),
    "user": (3, 8),
    "cgroup": (4, 6),
    "pid_for_children": (4, 12),
    "time": (5, 6),
    "time_for_children": (5, 6),
}
"""When each link came; those of network, IPC and UTS namespaces with /proc/PID/ns in Linux 3.0."""


def _alive(look: Look) -> Task:
    task = look.task
    if task.state is TaskState.ZOMBIE:
        look.trap.fail(Errno.ENOENT, N_("The process has let go of it."), "proc(5)")
    return task


def cwd(look: Look) -> At:
    """/proc/PID/cwd."""
    return _alive(look).cwd


def root(look: Look) -> At:
    """/proc/PID/root."""
    return _alive(look).root


def exe(look: Look) -> At:
    """/proc/PID/exe; ENOENT for a process that has executed nothing."""
    place = _alive(look).exe
    if place is None:
        look.trap.fail(Errno.ENOENT, N_("The process has no executable."), "proc_pid_exe(5)")
    return place


def _table(look: Look) -> FdTable | None:
    if look.process is None or look.process.state is TaskState.ZOMBIE:
        return None
    return look.trap.store.get(FdTable, look.process.files)


def fd_names(look: Look) -> Iterable[str]:
    """The process's descriptors."""
    table = _table(look)
    return map(str, sorted(table.slots)) if table is not None else ()


def described(look: Look, name: str) -> File | None:
    """The open file description behind descriptor ``name``."""
    table = _table(look)
    if table is None or not name.isdigit():
        return None
    slot = table.slots.get(int(name))
    return look.trap.store.row(File, slot.file) if slot is not None else None


def fd_child(look: Look, name: str) -> Node | None:
    """/proc/PID/fd/N: its permission bits say how the file was opened."""
    file = described(look, name)
    if file is None:
        return None
    mode = {O_RDONLY: 0o500, O_WRONLY: 0o300, O_RDWR: 0o700}[file.flags & O_ACCMODE]
    return link(_follow_fd, mode, traced=True)


def _follow_fd(look: Look) -> "At | str":
    file = described(look, look.name)
    if file is None:
        look.trap.fail(Errno.ENOENT, N_("The descriptor has been closed."), "proc_pid_fd(5)")
    if file.at is not None:
        return file.at
    node = fds.unnamed(file)
    return anonymous(file) if node is None else unnamed.place(node)


def text(look: Look) -> str:
    """What readlink(2) says of a magic link: the path by which the place was reached."""
    trap, task = look.trap, look.task
    if look.id[-2:-1] == ("fd",):
        file = described(look, look.name)
        if file is None:
            return ""
        if file.at is None:
            return anonymous(file)
        if nsfs.is_namespace(file.at.inode):
            return nsfs.name(file.at.inode)
        path = dpath.path_of(trap, file.at, opened=file.name)
    elif look.name == "exe" and task.exe is not None:
        path = dpath.path_of(trap, task.exe, opened=task.exe_name)
    else:
        return ""
    return path.removeprefix("(unreachable)")


def anonymous(file: File) -> str:
    """What readlink(2) says of a description without a place: ``pipe:[7]``."""
    if file.label:
        return file.label
    if file.kind in ("pipe", "socket"):
        number = file.object if isinstance(file.object, int) else file.id
        return f"{file.kind}:[{number}]"
    return f"anon_inode:{_CLASSES.get(file.kind, f'[{file.kind}]')}"


_CLASSES = {"epoll": "[eventpoll]", "perf": "[perf_event]"}
"""Of anonymous inodes, where it is not the kind's own name (anon_inodefs_dname())."""


def fdinfo_child(look: Look, name: str) -> Node | None:
    """/proc/PID/fdinfo/N."""
    return process_file(_fdinfo, 0o444, traced=True) if described(look, name) else None


def _fdinfo(look: Look) -> str:
    file = described(look, look.name)
    if file is None:
        look.trap.fail(Errno.ENOENT, N_("The descriptor has been closed."), "proc_pid_fdinfo(5)")
    mount = file.at.mount if file.at is not None else 0
    return f"pos:\t{file.offset}\nflags:\t0{file.flags:o}\nmnt_id:\t{mount}\nino:\t{file.id}\n"


def ns_names(look: Look) -> Iterable[str]:
    """The kinds of namespaces that this kernel shows: namespaces(7)."""
    release = look.trap.family.release
    return [name for name in _NS_NAMES if _NS_SINCE.get(name, (3, 0)) <= release]


def ns_child(look: Look, name: str) -> Node | None:
    """/proc/PID/ns/KIND."""
    return link(_namespace, traced=True) if name in ns_names(look) else None


def _namespace(look: Look) -> At:
    task, name = _alive(look), look.name
    if name == "user":
        return nsfs.place("user", task.cred.user_ns)
    number = getattr(task.ns, name)
    if name == "pid_for_children" and look.trap.store.row(PidNs, number).init is None:
        # pidns_for_children_get()
        look.trap.fail(Errno.ENOENT, N_("No process has been born in it yet."), "pid_namespaces(7)")
    return nsfs.place(name.removesuffix("_for_children"), number)
