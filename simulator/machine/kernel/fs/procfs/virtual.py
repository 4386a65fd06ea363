"""procfs as the rest of the kernel asks for it: from an inode's id to a file and its content."""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from simulator.machine.abi.constants import (
    FS_IMMUTABLE_FL,
    O_ACCMODE,
    O_RDONLY,
    S_IFDIR,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import KERNEL, InodeId, KGid, KUid, Pid, VirtualId
from simulator.machine.kernel.cred import in_group
from simulator.machine.kernel.fs.procfs import links, sysctls
from simulator.machine.kernel.fs.procfs.attributes import Altered, with_changes
from simulator.machine.kernel.fs.procfs.node import (
    Look,
    Node,
    need_trace,
    touch_machine,
    touch_process,
)
from simulator.machine.kernel.fs.procfs.process import PROCESS
from simulator.machine.kernel.fs.procfs.root import ROOT
from simulator.machine.kernel.namespace import UserNs, to_kernel
from simulator.machine.kernel.task import At, Task, visible_from
from simulator.machine.kernel.vfs.inode import Inode, Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_SUBSET = ("self", "thread-self", "mounts")
_NO_ACCESS, _INVISIBLE, _PTRACEABLE = 1, 2, 4
_WORLD_READABLE_DIRECTORY = S_IFDIR | 0o555
_TOP = Node(mode=_WORLD_READABLE_DIRECTORY)


def unmapped(inode: VirtualId) -> Errno:
    """Files of the machine have proc_reg_mmap(), which finds nobody; a process's have none."""
    top, below = inode[2], inode[3:4]
    mine = top == "sys" or (isinstance(top, int) and below != ("net",))
    return Errno.ENODEV if mine else Errno.EIO


class Procfs:
    """The ``Virtual`` of inodes ("proc", superblock, ...)."""

    def load(self, trap: "Trap", inode: VirtualId) -> Inode:
        """The inode as it is now."""
        look, node = _resolve(trap, inode)
        uid, gid = _owner(look, node)
        plain = Inode(
            id=inode,
            sb=look.sb.id,
            mode=node.mode,
            uid=uid,
            gid=gid,
            nlink=_links(look, node),
            size=_size(look, node),
            target=_target(look, node),
            parent=_parent(inode) if node.mode & S_IFMT == S_IFDIR else None,
            # proc_pid_instantiate(): nothing is made or removed there.
            flags=FS_IMMUTABLE_FL if look.process is not None and len(inode) == 3 else 0,
            # A look at a process is noted as such (``touch_process``), not as one at a file.
            domain=KERNEL,
        )
        return with_changes(trap, plain) if trap.store.tables.get(Altered) else plain

    def lookup(self, trap: "Trap", directory: VirtualId, name: str) -> InodeId | None:
        """What ``name`` is in ``directory``."""
        if directory[2:3] == ("sys",):
            return (*directory, name) if _sysctl_node(trap, (*directory[3:], name)) else None
        look, node = _resolve(trap, directory)
        if len(directory) == 2:
            return _lookup_top(look, name)
        if look.process is None and isinstance(directory[2], int):
            return None
        if len(directory) == 3 and look.process is not None:
            _need_shown(look)
        found = _child(look, node, name)
        return (*directory, name) if found is not None else None

    def names(self, trap: "Trap", directory: VirtualId) -> Iterable[str]:
        """The names in ``directory``."""
        look, node = _resolve(trap, directory)
        if len(directory) == 2:
            return _top_names(look)
        if directory[2] == "sys":
            return _sysctl_names(trap, directory[3:])
        names = [name for name, child in node.children.items() if _present(trap, child)]
        if node.names is not None:
            names += node.names(look)
        touch_process(look, "name")
        return names

    def follow(self, trap: "Trap", inode: VirtualId) -> "At | str":
        """Where a link leads."""
        look, node = _resolve(trap, inode)
        assert node.follow is not None
        if node.traced:
            need_trace(look)
            touch_process(look, "trace")
        target = node.follow(look)
        if target in ("0", "0/task/0"):
            trap.fail(Errno.ENOENT, N_("The caller has no number here."), "proc(5)")
        return target

    def read(self, trap: "Trap", inode: VirtualId) -> bytes:
        """The whole content."""
        look, node = _resolve(trap, inode)
        if inode[2] == "sys":
            return _read_sysctl(look)
        if node.read is None:
            trap.fail(Errno.EINVAL, N_("The file is not read."), "proc(5)")
        content = node.read(look)
        touch_process(look, "read")
        if node.kind:
            touch_machine(look, node.kind, "read")
        return content

    def write(self, trap: "Trap", inode: VirtualId, data: bytes) -> int:
        """Take what write(2) brings; EIO for a file that takes nothing."""
        look, node = _resolve(trap, inode)
        if inode[2] == "sys":
            name = _dotted(inode[3:])
            sysctls.write(trap, name, data)
            touch_machine(look, "sysctl", "write", sysctls.domain(trap, name))
            return len(data)
        if node.write is None:
            refusal = Errno.EINVAL if look.process is not None else Errno.EIO
            trap.fail(refusal, N_("The file is not written to."), "proc(5)")
        return node.write(look, data)

    def check_open(self, trap: "Trap", inode: VirtualId, flags: int) -> None:
        """What open(2) asks beyond the permission bits."""
        look, node = _resolve(trap, inode)
        if node.mode & S_IFMT == S_IFDIR and len(inode) == 3 and look.process is not None:
            _need_shown(look)
        setting = len(inode) > 3 and inode[2] == "sys" and node.mode & S_IFMT == S_IFREG
        if setting and flags & O_ACCMODE != O_RDONLY:
            touch_machine(look, "sysctl", "privilege", sysctls.domain(trap, _dotted(inode[3:])))
        if node.traced and node.mode & S_IFMT == S_IFREG:
            need_trace(look)
            if flags & O_ACCMODE != O_RDONLY:
                touch_process(look, "trace")
        if node.check is not None:
            node.check(look, flags)
        if node.kind and look.process is None and flags & O_ACCMODE != O_RDONLY:
            touch_machine(look, node.kind, "privilege")


def may_open(trap: "Trap", inode: VirtualId, want: int) -> bool:
    """Whether it is a setting, which sysctl_perm() lets the caller open; it refuses others."""
    if len(inode) <= 3 or inode[2] != "sys":
        return False
    name = _dotted(inode[3:])
    setting = sysctls.setting(trap, name)
    if setting is not None:
        sysctls.need(trap, name, setting, want)
    return setting is not None


def need_start(trap: "Trap", inode: VirtualId) -> None:
    """map_write(), proc_setgroups_write(), timens_offsets_write(): from the first byte on."""
    if _resolve(trap, inode)[1].at_once:
        trap.fail(Errno.EINVAL, N_("This file is written in one piece."), "user_namespaces(7)")


def _resolve(trap: "Trap", inode: VirtualId) -> tuple[Look, Node]:
    """The file behind an id, and the look at it."""
    store = trap.store
    sb = store.row(Superblock, inode[1])
    if len(inode) == 2:
        return Look(trap, sb, inode), _TOP
    first = inode[2]
    if isinstance(first, int):
        process = store.get(Task, Pid(first))
        look = Look(trap, sb, inode, process)
        node: Node | None = PROCESS
        names = inode[3:]
    elif first == "sys":
        look = Look(trap, sb, inode)
        return look, _sysctl_node(trap, inode[3:]) or _TOP
    else:
        look = Look(trap, sb, inode)
        node, names = _root(trap).get(str(first), _GONE), inode[3:]
    for name in names:
        node = _child(look, node, str(name))
        if node is None:
            return look, _GONE
    return look, node


def _root(trap: "Trap") -> Mapping[str, Node]:
    """The files of /proc that the caller finds."""
    inside = trap.family.inside
    return ROOT if inside is None else inside.proc(trap)


_GONE = Node(mode=S_IFREG)


def _child(look: Look, node: Node, name: str) -> Node | None:
    found = node.children.get(name)
    if found is None and node.child is not None:
        found = node.child(look, name)
    return found if found is None or _present(look.trap, found) else None


def _present(trap: "Trap", node: Node) -> bool:
    return not node.feature or node.feature in trap.family.features


def _target(look: Look, node: Node) -> str:
    """The text of a magic link, for those who may follow it; others ask ``follow`` and fail."""
    if not node.traced or node.follow is None or look.process is None:
        return ""
    return links.text(look) if look.trap.allowed("may_trace", look.process) else ""


def _parent(inode: VirtualId) -> InodeId:
    return inode if len(inode) == 2 else inode[:-1]


def _lookup_top(look: Look, name: str) -> InodeId | None:
    trap, sb = look.trap, look.sb
    if name.isdigit() and not (name.startswith("0")):
        task = _find(look, int(name))
        if task is None:
            return None
        found = look._replace(id=(*look.id, int(task.id)), process=task)
        if _hides(found, _INVISIBLE):
            return None
        touch_process(found, "name")
        return found.id
    if (sb.data or {}).get("subset") == "pid" and name not in _SUBSET:
        return None
    if name == "sys":
        return (*look.id, name)
    node = _root(trap).get(name)
    return (*look.id, name) if node is not None and _present(trap, node) else None


def _find(look: Look, number: int) -> Task | None:
    """find_task_by_pid_ns(): the task that this instance numbers so, if the caller may know it."""
    for task in _shown(look):
        if look.number(task) == number:
            return task if _known(look, task) else None
    return None


def _known(look: Look, task: Task) -> bool:
    """Whether the caller may find the task here: another pid namespace's instance shows it."""
    seen = look.sb.pid_ns != look.trap.task.ns.pid or look.trap.allowed("may_see", task)
    return seen and look.trap.allowed("may_list", task)


def _shown(look: Look) -> list[Task]:
    store, ns = look.trap.store, look.sb.pid_ns
    return [task for task in store.all(Task) if ns is None or visible_from(store, task, ns)]


def _top_names(look: Look) -> list[str]:
    trap = look.trap
    names: list[str] = []
    for task in _shown(look):
        found = look._replace(id=(*look.id, int(task.id)), process=task)
        if not _known(look, task) or _hides(found, _INVISIBLE):
            continue
        touch_process(found, "name")
        names.append(str(look.number(task)))
    if (look.sb.data or {}).get("subset") == "pid":
        return [*names, "self", "thread-self"]
    names += [name for name, node in _root(trap).items() if _present(trap, node)]
    return [*names, "sys"]


def _hides(look: Look, least: int) -> bool:
    """has_pid_permissions(): whether hidepid= keeps the process from the caller."""
    data = look.sb.data or {}
    level = data.get("hidepid", 0)
    assert isinstance(level, int)
    if level == _PTRACEABLE:
        return not look.trap.allowed("may_trace", look.task)
    gid = data.get("gid", 0)
    if level < least or (isinstance(gid, int) and in_group(look.trap.task.cred, KGid(gid))):
        return False
    return not look.trap.allowed("may_trace", look.task)


def _need_shown(look: Look) -> None:
    """proc_pid_permission(): EPERM with hidepid=noaccess."""
    if _hides(look, _NO_ACCESS):
        look.trap.deny(
            Errno.EPERM,
            "hidepid",
            N_("This procfs is mounted so that one sees only one's own processes."),
            "proc(5)",
        )


def _owner(look: Look, node: Node) -> tuple[KUid, KGid]:
    """task_dump_owner(): a process's files are its user's, unless it is not dumpable."""
    if len(look.id) > 2 and look.id[2] == "sys":
        return sysctls.owner(look.trap, _dotted(look.id[3:]))
    task = look.process
    if task is None or (len(look.id) > 3 and look.id[3] == "net"):
        return KUid(0), KGid(0)
    if task.dumpable or node.mode == _WORLD_READABLE_DIRECTORY:
        return task.cred.euid, task.cred.egid
    if task.id == look.trap.task.id and look.id[3:4] == ("fd",):
        # proc_fd_permission(): one's own descriptors are always within reach
        return task.cred.fsuid, task.cred.fsgid
    user_ns = look.trap.store.row(UserNs, task.mm_user_ns)
    uid, gid = to_kernel(user_ns.uid_map, 0), to_kernel(user_ns.gid_map, 0)
    return KUid(uid or 0), KGid(gid or 0)


_TOP_DIRECTORIES = 3 + sum(child.mode & S_IFMT == S_IFDIR for child in ROOT.values())
"""Links of /proc itself, processes apart: ``.``, ``..`` and what lies directly below."""


def _links(look: Look, node: Node) -> int:
    if node.mode & S_IFMT != S_IFDIR:
        return 1
    if len(look.id) == 2:
        return _TOP_DIRECTORIES + look.trap.store.count(Task)
    if look.id[2] == "sys":
        return 1
    inner = sum(child.mode & S_IFMT == S_IFDIR for child in node.children.values())
    return 2 + inner + (look.id[-1] == "task")


def _size(look: Look, node: Node) -> int:
    if look.process is not None and look.id[-1] == "fd" and node.names is not None:
        return len(list(node.names(look)))
    if node.mode & S_IFMT == S_IFLNK and look.process is not None and look.id[-2] == "fd":
        return 64
    return node.size


@lru_cache(maxsize=1024)
def _dotted(names: tuple[object, ...]) -> str:
    """A path below /proc/sys as sysctl(8) writes it; a dot in an interface's name is a slash."""
    return ".".join(str(name).replace(".", "/") for name in names)


@cache
def _setting_node(mode: int) -> Node:
    return Node(mode=S_IFREG | mode)


def _sysctl_node(trap: "Trap", names: tuple[object, ...]) -> Node | None:
    if not names:
        return _TOP
    dotted = _dotted(names)
    shown = sysctls.listing(trap)
    if dotted in shown.directories:
        return _TOP
    found = shown.settings.get(dotted)
    return None if found is None else _setting_node(found.mode)


def _sysctl_names(trap: "Trap", names: tuple[object, ...]) -> list[str]:
    prefix = f"{_dotted(names)}." if names else ""
    found = {
        name[len(prefix) :].partition(".")[0].replace("/", ".")
        for name in sysctls.listing(trap).settings
        if name.startswith(prefix)
    }
    return sorted(found)


def _read_sysctl(look: Look) -> bytes:
    name = _dotted(look.id[3:])
    value = sysctls.read(look.trap, name)
    owner = sysctls.domain(look.trap, name)
    kind = "hostname" if sysctls.scope(name) == "uts" else "sysctl"
    touch_machine(look, kind, "read", owner)
    return f"{value}\n".encode("utf-8", "surrogateescape")
