"""What mount(2) and move_mount(2) do to the tree of mounts once paths and rights are known.

Each function keeps the order of refusals of fs/namespace.c, because the first one decides what the
caller reads. ``Place`` is a resolved path with the name it was reached by.
"""

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from simulator.machine.abi.constants import (
    MS_PRIVATE,
    MS_REC,
    MS_SHARED,
    MS_SILENT,
    MS_SLAVE,
    MS_UNBINDABLE,
    S_IFDIR,
    S_IFLNK,
    S_IFMT,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import InodeId, MountId, NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.context import ROOT_CONTEXT
from simulator.machine.kernel.fs import nsfs
from simulator.machine.kernel.namespace import MountNs
from simulator.machine.kernel.task import At
from simulator.machine.kernel.vfs import detached, mount_tree, path, propagation
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs.inode import Superblock
from simulator.machine.kernel.vfs.mount import CHILDREN, Mount, cross

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

TYPES = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE


class Place(NamedTuple):
    """A resolved path: where it leads, and, for a file, the ``(directory, name)`` that led there.

    ``text`` is what the caller wrote, for messages and crossings.
    """

    at: At
    name: tuple[InodeId, str] | None
    text: str


def place(trap: "Trap", text: str, start: At | None = None, *, follow: bool = True) -> Place:
    """Resolve ``text`` as a mountpoint. Errors: those of path_resolution(7)."""
    found = path.find(trap, text, start, follow=follow)
    if found.at is None:
        trap.fail(Errno.ENOENT, N_("Nothing has this name here."), "path_resolution(7)")
    if found.slash or not found.name or is_directory(trap, found.at.inode):
        return Place(found.at, None, text)
    mount = trap.store.row(Mount, found.at.mount)
    if mount.root == found.at.inode:
        return Place(found.at, mount.root_name, text)
    return Place(found.at, (found.parent.inode, found.name), text)


def need_mount(trap: "Trap", privilege: Privilege = Privilege.MOUNT) -> None:
    """may_mount(): the right over the user namespace that owns the caller's mount namespace."""
    trap.need(privilege, trap.store.row(MountNs, trap.task.ns.mnt).owner)


def is_ours(trap: "Trap", mount: Mount) -> bool:
    """check_mnt(): the mount is in the caller's mount namespace."""
    return mount.ns == trap.task.ns.mnt


def is_root(trap: "Trap", at: At) -> bool:
    """path_mounted(): the place is where its mount begins."""
    return trap.store.row(Mount, at.mount).root == at.inode


def is_directory(trap: "Trap", inode: InodeId) -> bool:
    """d_is_dir()."""
    return inodes.load(trap, inode).mode & S_IFMT == S_IFDIR


def locked_place(trap: "Trap", target: Place) -> Place:
    """lock_mount(): the top of what is mounted there; ENOENT for a removed directory."""
    top = topmost_place(trap, target)
    inode = inodes.load(trap, top.at.inode)
    if inode.mode & S_IFMT == S_IFDIR and inode.nlink == 0:
        trap.fail(Errno.ENOENT, N_("The directory has been removed."), "mount(2)")
    return top


def topmost_place(trap: "Trap", target: Place) -> Place:
    """LOOKUP_MOUNTPOINT: what is mounted on a place in which one stands, with nobody above it."""
    at = cross(trap, target.at)
    if at == target.at:
        return target
    return Place(at, trap.store.row(Mount, at.mount).root_name, target.text)


def invalid(trap: "Trap", why: str = "") -> NoReturn:
    """EINVAL for an ordinary mistake."""
    trap.fail(Errno.EINVAL, why, "mount(2)")


def foreign(trap: "Trap") -> NoReturn:
    """EINVAL: check_mnt() failed."""
    trap.deny(
        Errno.EINVAL,
        "mount-ns",
        N_("The mount is not in the caller's mount namespace."),
        "mount_namespaces(7)",
    )


def graft(trap: "Trap", top: MountId, target: Place, *, alone: bool = False) -> None:
    """Attach a new tree at ``target`` (graft_tree()). ENOTDIR, ENOSPC.

    ``alone``: it is known to be one mount.
    """
    root = trap.store.row(Mount, top).root
    if is_directory(trap, root) != is_directory(trap, target.at.inode):
        trap.fail(
            Errno.ENOTDIR,
            N_("A directory is mounted on a directory, anything else on a file."),
            "mount(2)",
        )
    propagation.attach(trap, top, target.at, target.name, alone=alone)
    touched(trap, target)


def touched(trap: "Trap", target: Place) -> None:
    """Note a change of the mounts of a namespace that may be another's, or of the host's list."""
    ns = trap.store.row(Mount, target.at.mount).ns
    if trap.family.traits.mounts_belong_to_context and trap.task.context != ROOT_CONTEXT:
        return
    if ns is not None:
        trap.touch("mount", trap.store.row(MountNs, ns).domain, "write", target.text)


def bind(trap: "Trap", source: Place, target: Place, *, recursive: bool) -> None:
    """MS_BIND: show the tree at ``source`` at ``target`` too (do_loopback()).

    Errors: EINVAL for a loop of mount namespaces, an unbindable source, one of another mount
    namespace, or, without MS_REC, one that locked mounts would be stripped from; ENOTDIR.
    """
    target = locked_place(trap, target)
    if not is_ours(trap, trap.store.row(Mount, target.at.mount)):
        foreign(trap)
    top, alone = copy_of(trap, source, trap.task.ns.mnt, recursive=recursive)
    graft(trap, top, target, alone=alone)


def copy_of(trap: "Trap", source: Place, ns: NsId, *, recursive: bool) -> tuple[MountId, bool]:
    """A detached copy of the tree at ``source`` for ``ns``, with the refusals of a bind mount; and
    whether it is one mount alone.
    """
    old = trap.store.row(Mount, source.at.mount)
    if _is_ns_loop(trap, source.at.inode):
        invalid(trap, N_("A mount namespace may not hold a reference to itself or an older one."))
    if old.unbindable:
        trap.deny(
            Errno.EINVAL, "unbindable-mount", N_("The mount is unbindable."), "mount_namespaces(7)"
        )
    if (
        not is_ours(trap, old)
        and not nsfs.is_namespace(source.at.inode)
        and not _is_own_anonymous(trap, old)
    ):
        foreign(trap)
    if not recursive and _has_locked_children(trap, old, source.at.inode):
        trap.deny(
            Errno.EINVAL,
            "locked-mount",
            N_("A bind mount without MS_REC would show what locked mounts cover."),
            "mount_namespaces(7)",
        )
    name = old.root_name if old.root == source.at.inode else source.name
    mine: dict[str, Any] = {"root_name": name, "domain": trap.task.domain}
    if recursive:
        how = mount_tree.COPY_NS_FILES
        top, copies = mount_tree.copy_tree(trap, old, source.at.inode, how, ns, **mine)
        return top.id, len(copies) == 1
    return mount_tree.clone_one(trap.store, old, source.at.inode, 0, ns, **mine).id, True


def _is_own_anonymous(trap: "Trap", mount: Mount) -> bool:
    """may_copy_tree(): a detached tree (open_tree(2), fsmount(2)) whose maker may mount."""
    if mount.ns is None:
        return False
    ns = trap.store.row(MountNs, mount.ns)
    return ns.anonymous and ns.root == mount.id


def _is_ns_loop(trap: "Trap", inode: InodeId) -> bool:
    """mnt_ns_loop(): namespaces are numbered, so the younger may be kept in the older alone."""
    if not mount_tree.is_mount_ns_file(inode):
        return False
    assert isinstance(inode, tuple)
    number = inode[2]
    assert isinstance(number, int)
    return trap.task.ns.mnt >= number


def _has_locked_children(trap: "Trap", mount: Mount, root: InodeId) -> bool:
    return any(
        child.locked
        and child.mountpoint is not None
        and mount_tree.is_below(trap, child.mountpoint, root, child.mountpoint_name)
        for child in trap.store.rows_by(CHILDREN, mount.id)
    )


def change_types(trap: "Trap", target: At, flags: int) -> None:
    """MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE, with MS_REC for the whole tree.

    EINVAL unless ``target`` is a mount's root and one type alone is asked for (do_change_type()).
    """
    store = trap.store
    kind = flags & ~(MS_REC | MS_SILENT)
    if not is_root(trap, target):
        invalid(trap, N_("Only the root of a mount has a propagation type."))
    if kind & ~TYPES or kind & (kind - 1):
        invalid(trap, N_("One propagation type at a time, and no other flag, can be asked for."))
    mount = store.row(Mount, target.mount)
    if mount.ns is None:
        invalid(trap)
    trap.need(Privilege.MOUNT, store.row(MountNs, mount.ns).owner)
    tree = tuple(mount_tree.descend(store, mount.id)) if flags & MS_REC else (mount,)
    for each in tree:
        propagation.change_type(store, store.row(Mount, each.id), kind)


def move(trap: "Trap", source: Place, target: Place) -> None:
    """MS_MOVE: take the tree at ``source`` to ``target`` (do_move_mount()).

    Errors: EINVAL for a locked mount, one of another namespace, a shared parent or an unbindable
    tree going to a shared one; ELOOP into itself.
    """
    store = trap.store
    target = locked_place(trap, target)
    old = store.row(Mount, source.at.mount)
    parent = store.row(Mount, target.at.mount)
    if not is_ours(trap, parent) or not is_ours(trap, old):
        foreign(trap)
    if not is_root(trap, source.at) or old.parent is None:
        invalid(trap, N_("What is to be moved is not a mount, or is the first of all."))
    if old.locked:
        refuse_locked(trap)
    if is_directory(trap, source.at.inode) != is_directory(trap, target.at.inode):
        invalid(trap, N_("A directory is mounted on a directory, anything else on a file."))
    if store.row(Mount, old.parent).peer_group is not None:
        trap.deny(
            Errno.EINVAL,
            "mount-propagation",
            N_("A mount whose parent is shared can't be moved."),
            "mount_namespaces(7)",
        )
    check_destination(trap, old, parent)
    propagation.attach(trap, old.id, target.at, target.name, new=False)
    touched(trap, target)


def attach_detached(trap: "Trap", source: Place, target: Place) -> None:
    """Attach a tree that open_tree(2) or fsmount(2) made (do_move_mount()).

    Errors: EINVAL unless it is the root of a detached tree; ELOOP; ENOSPC.
    """
    store = trap.store
    target = locked_place(trap, target)
    old = store.row(Mount, source.at.mount)
    parent = store.row(Mount, target.at.mount)
    if not is_ours(trap, parent) or not _is_own_anonymous(trap, old):
        foreign(trap)
    if not is_root(trap, source.at):
        invalid(trap, N_("What is to be moved is not a mount."))
    if is_directory(trap, source.at.inode) != is_directory(trap, target.at.inode):
        invalid(trap, N_("A directory is mounted on a directory, anything else on a file."))
    check_destination(trap, old, parent)
    assert old.ns is not None
    propagation.attach(trap, old.id, target.at, target.name)
    detached.taken(store, old.ns)
    touched(trap, target)


def check_destination(trap: "Trap", old: Mount, parent: Mount) -> None:
    """EINVAL: an unbindable tree onto a shared mount; ELOOP: a tree into itself."""
    store = trap.store
    if parent.peer_group is not None and any(
        mount.unbindable for mount in mount_tree.descend(store, old.id)
    ):
        trap.deny(
            Errno.EINVAL,
            "unbindable-mount",
            N_("A tree with an unbindable mount can't be moved onto a shared one."),
            "mount_namespaces(7)",
        )
    above: Mount | None = parent
    while above is not None:
        if above.id == old.id:
            trap.fail(Errno.ELOOP, N_("The destination lies in the moved tree."), "mount(2)")
        above = store.row(Mount, above.parent) if above.parent is not None else None


def refuse_locked(trap: "Trap") -> NoReturn:
    """EINVAL: MNT_LOCKED."""
    trap.deny(
        Errno.EINVAL,
        "locked-mount",
        N_("The mount came from a more privileged mount namespace and is locked in its place."),
        "mount_namespaces(7)",
    )


def new_mount(
    trap: "Trap", sb: Superblock, flags: int, ns: NsId, source: str, locked_flags: int = 0
) -> Mount:
    """A mount of ``sb``, attached nowhere yet (vfs_create_mount())."""
    mount = Mount(
        id=MountId(trap.store.new_id(Mount)),
        ns=ns,
        parent=None,
        mountpoint=None,
        root=sb.root,
        sb=sb.id,
        flags=flags,
        locked_flags=locked_flags,
        source=source,
        context=trap.task.context,
        domain=trap.task.domain,
    )
    trap.store.put(mount)
    return mount


def add(
    trap: "Trap",
    sb: Superblock,
    flags: int,
    source: str,
    target: Place,
    *,
    locked_flags: int = 0,
) -> None:
    """Mount a filesystem (do_add_mount()). EINVAL, EBUSY on itself, ENOTDIR."""
    target = locked_place(trap, target)
    parent = trap.store.row(Mount, target.at.mount)
    if not is_ours(trap, parent):
        foreign(trap)
    if parent.sb == sb.id and is_root(trap, target.at):
        trap.fail(Errno.EBUSY, N_("This filesystem is already mounted just here."), "mount(2)")
    if inodes.load(trap, sb.root).mode & S_IFMT == S_IFLNK:
        invalid(trap)
    new = new_mount(trap, sb, flags, trap.task.ns.mnt, source, locked_flags)
    graft(trap, new.id, target, alone=True)
