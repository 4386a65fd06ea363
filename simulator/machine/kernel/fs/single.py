"""Small filesystems that the kernel keeps one of: debugfs, tracefs, securityfs and their like.

All mounts of such a type show the same files, the machine's own, so whoever may mount one reads
what belongs to the host. Source: fs/super.c (get_tree_single), each filesystem's init function.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.ids import HOST, INITIAL_USER_NS, KGid, KUid, NsId
from simulator.machine.kernel.fs import options, stored
from simulator.machine.kernel.fs.registry import FilesystemType
from simulator.machine.kernel.namespace import IpcNs
from simulator.machine.kernel.trap import NotModelled
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.inode import SHOWING, Inode, Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_ROOT, _WHEEL = KUid(0), KGid(0)


def machine_wide(
    fstype: str,
    mode: int,
    files: Mapping[str, bytes],
    *,
    sandboxed_since: tuple[int, int] | None = None,
) -> FilesystemType:
    """A type with one instance for the machine, made when it is first mounted.

    ``sandboxed_since``: the release from which a user namespace has an instance of its own.
    """

    def owner(trap: "Trap") -> NsId:
        sandboxed = sandboxed_since is not None and trap.family.release >= sandboxed_since
        return trap.task.cred.user_ns if sandboxed else INITIAL_USER_NS

    def make(trap: "Trap", source: str, text: str) -> Superblock:
        del text
        whose = owner(trap)
        shown = trap.store.rows_by(SHOWING, fstype)
        known = next((sb for sb in shown if sb.owner == whose), None)
        if known is not None:
            return known
        own = whose != INITIAL_USER_NS
        sb = stored.new_superblock(
            trap,
            fstype,
            source,
            mode=mode,
            uid=None if own else _ROOT,
            gid=None if own else _WHEEL,
            owner=whose,
            domain=None if own else HOST,
        )
        assert isinstance(sb.root, int)
        for path, content in files.items():
            if path.endswith("/"):
                tree.mkdirs(trap.store, sb.root, path)
            else:
                _file(trap, sb, path, content)
        return sb

    allowed = sandboxed_since is not None
    return FilesystemType(fstype, make, userns_mount=allowed, owner=owner, check=_check)


def _file(trap: "Trap", sb: Superblock, path: str, content: bytes) -> None:
    root = trap.store.row(Inode, sb.root)
    assert isinstance(root.id, int)
    tree.file(trap.store, root.id, path, content, uid=root.uid, gid=root.gid, domain=root.domain)


def _check(trap: "Trap", text: str) -> None:
    if any(key not in ("mode", "uid", "gid") for key, _ in options.split(text)):
        options.refuse(trap)


DEBUGFS = machine_wide(
    "debugfs",
    0o700,
    {
        "block/": b"",
        "bdi/": b"",
        "sched/features": b"GENTLE_FAIR_SLEEPERS START_DEBIT NO_NEXT_BUDDY\n",
        "wakeup_sources": b"name\tactive_count\tevent_count\twakeup_count\n",
        "tracing/": b"",
    },
)
TRACEFS = machine_wide(
    "tracefs",
    0o700,
    {
        "available_tracers": b"function nop\n",
        "current_tracer": b"nop\n",
        "tracing_on": b"1\n",
        "trace": b"# tracer: nop\n",
        "events/": b"",
    },
)
SECURITYFS = machine_wide("securityfs", 0o755, {"lsm": b"capability,yama"})
CONFIGFS = machine_wide("configfs", 0o755, {})
PSTORE = machine_wide("pstore", 0o750, {})
BINFMT_MISC = machine_wide(
    "binfmt_misc",
    0o755,
    {"status": b"enabled\n", "register": b""},
    sandboxed_since=(6, 7),
)
"""fs/binfmt_misc.c (21ca59b365c0, "enable sandboxed mounts")."""


def _own(fstype: str, mode: int, *, userns_mount: bool = False) -> FilesystemType:
    """A type whose every mount begins empty (bpf, hugetlbfs)."""

    def make(trap: "Trap", source: str, text: str) -> Superblock:
        del text
        return stored.new_superblock(trap, fstype, source, mode=mode)

    return FilesystemType(fstype, make, userns_mount=userns_mount)


BPF = _own("bpf", 0o1777)
HUGETLBFS = _own("hugetlbfs", 0o755)


def _ipc_owner(trap: "Trap") -> NsId:
    return trap.store.row(IpcNs, queues_of(trap)).owner


def queues_of(trap: "Trap") -> NsId:
    """The IPC namespace whose POSIX queues the caller uses: the first one's on an old kernel."""
    if trap.family.traits.queues_belong_to_ipc_namespace:
        return trap.task.ns.ipc
    return NsId(min(row.id for row in trap.store.all(IpcNs)))


def _make_mqueue(trap: "Trap", source: str, text: str) -> Superblock:
    """mqueue: the POSIX message queues of the caller's ipc namespace, one instance for each."""
    del text
    ipc = queues_of(trap)
    known = stored.find(trap.store, "mqueue", ipc_ns=ipc)
    if known is not None:
        return known
    sb = stored.new_superblock(trap, "mqueue", source, mode=0o1777, owner=_ipc_owner(trap))
    sb = msgspec.structs.replace(sb, ipc_ns=ipc)
    trap.store.put(sb)
    return sb


MQUEUE = FilesystemType(
    "mqueue", _make_mqueue, userns_mount=True, owner=_ipc_owner, check=options.none_known
)


def _make_fuse(trap: "Trap", source: str, text: str) -> Superblock:
    """fuse: nothing answers for it in the model, so only the refusal without ``fd=`` is known."""
    del source
    keys = {key for key, _ in options.split(text)}
    if not {"fd", "rootmode", "user_id", "group_id"} <= keys:
        options.refuse(trap)
    raise NotModelled("a filesystem in userspace")


FUSE = FilesystemType("fuse", _make_fuse, userns_mount=True)

SMALL = (
    DEBUGFS, TRACEFS, SECURITYFS, CONFIGFS, PSTORE, BINFMT_MISC, BPF, HUGETLBFS, MQUEUE, FUSE,
)  # fmt: skip
