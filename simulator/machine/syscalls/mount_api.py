"""The mount calls by descriptor, since Linux 5.2: open_tree, move_mount, fsopen and their like."""

from typing import Any

from simulator.machine.abi.constants import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_NO_AUTOMOUNT,
    AT_RECURSIVE,
    AT_SYMLINK_NOFOLLOW,
    FSMOUNT_CLOEXEC,
    FSOPEN_CLOEXEC,
    FSPICK_CLOEXEC,
    FSPICK_EMPTY_PATH,
    FSPICK_NO_AUTOMOUNT,
    FSPICK_SYMLINK_NOFOLLOW,
    MOVE_MOUNT_BENEATH,
    MOVE_MOUNT_F_EMPTY_PATH,
    MOVE_MOUNT_F_SYMLINKS,
    MOVE_MOUNT_SET_GROUP,
    MOVE_MOUNT_T_EMPTY_PATH,
    MOVE_MOUNT_T_SYMLINKS,
    O_PATH,
    OPEN_TREE_CLOEXEC,
    OPEN_TREE_CLONE,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import (
    configuring,
    detached,
    mount_attributes,
    mounting,
    new_mount,
    path,
)
from simulator.machine.kernel.vfs import fd as fds
from simulator.machine.kernel.vfs.fd import File
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.kernel.vfs.mounting import Place
from simulator.machine.syscalls.decode import numbers, structure
from simulator.machine.syscalls.registry import linux

_MOVE_FLAGS = 0x377
_SINCE = (5, 2)
_ATTR_FIELDS = ("attr_set", "attr_clr", "propagation", "userns_fd")


def _place(trap: Trap, dirfd: int, text: str, *, empty: bool, follow: bool) -> Place:
    """A path from a descriptor, or, with an empty path where that is allowed, its own place."""
    if text or not empty:
        return mounting.place(trap, text, path.start_at(trap, dirfd, text), follow=follow)
    file = fds.get_any(trap, dirfd) if dirfd != AT_FDCWD else None
    at = trap.task.cwd if file is None else file.at
    if at is None:
        trap.fail(Errno.EINVAL, N_("The descriptor names no place."), "openat(2)")
    return Place(at, None if file is None else file.name, "")


def _invalid(trap: Trap, call: str) -> None:
    trap.fail(Errno.EINVAL, N_("An unknown flag, or flags that don't go together."), call)


@linux("open_tree", since=_SINCE)
def open_tree(trap: Trap, dirfd: int, name: str, flags: int) -> int:
    """open_tree(2): a descriptor for a place, or, with OPEN_TREE_CLONE, for a copy of its tree."""
    known = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW
    if flags & ~(known | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC):
        _invalid(trap, "open_tree(2)")
    clone, recursive = flags & OPEN_TREE_CLONE, bool(flags & AT_RECURSIVE)
    if recursive and not clone:
        _invalid(trap, "open_tree(2)")
    if clone:
        mounting.need_mount(trap)
    found = _place(
        trap,
        dirfd,
        name,
        empty=bool(flags & AT_EMPTY_PATH),
        follow=not flags & AT_SYMLINK_NOFOLLOW,
    )
    cloexec = bool(flags & OPEN_TREE_CLOEXEC)
    if clone:
        ns = detached.new_anonymous(trap)
        top, _alone = mounting.copy_of(trap, found, ns, recursive=recursive)
        return detached.hold(trap, ns, top, cloexec=cloexec)
    file = File(
        id=fds.new_file_id(trap),
        at=found.at,
        flags=O_PATH,
        name=found.name,
        domain=trap.task.domain,
    )
    return fds.install(trap, file, cloexec=cloexec)


@linux("move_mount", since=_SINCE)
def move_mount(
    trap: Trap, from_fd: int, from_name: str, to_fd: int, to_name: str, flags: int
) -> int:
    """move_mount(2): attach a detached tree, or move one that is attached."""
    mounting.need_mount(trap)
    if flags & ~_MOVE_FLAGS:
        _invalid(trap, "move_mount(2)")
    if flags & (MOVE_MOUNT_BENEATH | MOVE_MOUNT_SET_GROUP):
        raise NotModelled("mounting beneath, or joining a peer group")
    target = _place(
        trap,
        to_fd,
        to_name,
        empty=bool(flags & MOVE_MOUNT_T_EMPTY_PATH),
        follow=bool(flags & MOVE_MOUNT_T_SYMLINKS),
    )
    source = _place(
        trap,
        from_fd,
        from_name,
        empty=bool(flags & MOVE_MOUNT_F_EMPTY_PATH),
        follow=bool(flags & MOVE_MOUNT_F_SYMLINKS),
    )
    if mounting.is_ours(trap, trap.store.row(Mount, source.at.mount)):
        mounting.move(trap, source, target)
    else:
        mounting.attach_detached(trap, source, target)
    return 0


@linux("fsopen", since=_SINCE)
def fsopen(trap: Trap, fstype: Any, flags: int) -> int:
    """fsopen(2): begin to configure a filesystem of a type. EPERM, EINVAL, EFAULT, ENODEV."""
    mounting.need_mount(trap)
    if flags & ~FSOPEN_CLOEXEC:
        _invalid(trap, "fsopen(2)")
    if not isinstance(fstype, str):
        trap.fail(Errno.EFAULT, N_("The name is no memory of the process."), "fsopen(2)")
    kind = new_mount.type_of(trap, fstype)
    new_mount.begin(trap, kind)
    context = detached.FsContext(id=trap.store.new_id(detached.FsContext), fstype=kind.name)
    return detached.open_context(trap, context, cloexec=bool(flags & FSOPEN_CLOEXEC))


@linux("fspick", since=_SINCE)
def fspick(trap: Trap, dirfd: int, name: str, flags: int) -> int:
    """fspick(2): begin to reconfigure the filesystem that is mounted somewhere."""
    mounting.need_mount(trap)
    known = FSPICK_SYMLINK_NOFOLLOW | FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH
    if flags & ~(known | FSPICK_CLOEXEC):
        _invalid(trap, "fspick(2)")
    found = _place(
        trap,
        dirfd,
        name,
        empty=bool(flags & FSPICK_EMPTY_PATH),
        follow=not flags & FSPICK_SYMLINK_NOFOLLOW,
    )
    if not mounting.is_root(trap, found.at):
        trap.fail(Errno.EINVAL, N_("This is not a mountpoint."), "fspick(2)")
    context = configuring.picked(trap, trap.store.row(Mount, found.at.mount))
    return detached.open_context(trap, context, cloexec=bool(flags & FSPICK_CLOEXEC))


@linux("fsconfig", since=_SINCE)
def fsconfig(
    trap: Trap,
    fd: int,
    command: int,
    key: str | None = None,
    value: str | None = None,
    aux: int = 0,
) -> int:
    """fsconfig(2): set an option, or have the filesystem made or reconfigured."""
    if fd < 0:
        _invalid(trap, "fsconfig(2)")
    configuring.configure(trap, fd, command, key, value, aux)
    return 0


@linux("fsmount", since=_SINCE)
def fsmount(trap: Trap, fd: int, flags: int, attributes: int) -> int:
    """fsmount(2): a descriptor for a mount, attached nowhere, of what was configured."""
    mounting.need_mount(trap)
    if flags & ~FSMOUNT_CLOEXEC:
        _invalid(trap, "fsmount(2)")
    mount_flags = mount_attributes.to_flags(trap, attributes)
    ns, top = configuring.mount(trap, fd, mount_flags)
    return detached.hold(trap, ns, top, cloexec=bool(flags & FSMOUNT_CLOEXEC))


def _attributes(attr: Any) -> dict[str, Any]:
    if isinstance(attr, dict):
        fields = structure(attr, "mount_attr")
        numbers([fields.get(name) or 0 for name in _ATTR_FIELDS], "mount_attr")
        return fields
    return dict(zip(_ATTR_FIELDS, numbers(attr, "mount_attr"), strict=False))


@linux("mount_setattr", since=(5, 12))
def mount_setattr(trap: Trap, dirfd: int, name: str, flags: int, attr: Any, size: int = 32) -> int:
    """mount_setattr(2): change the flags and the propagation type of a mount or a whole tree.

    ``attr`` is (attr_set, attr_clr, propagation, userns_fd), or a dict with these keys.
    """
    known = AT_EMPTY_PATH | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT
    if flags & ~known:
        _invalid(trap, "mount_setattr(2)")
    if size > 4096:
        trap.fail(Errno.E2BIG, N_("The structure is larger than a page."), "mount_setattr(2)")
    if size < 32:
        _invalid(trap, "mount_setattr(2)")
    mounting.need_mount(trap)
    if attr is None:
        trap.fail(Errno.EFAULT, "", "mount_setattr(2)")
    wish = mount_attributes.wish_of(trap, _attributes(attr))
    if wish is None:
        return 0
    found = _place(
        trap,
        dirfd,
        name,
        empty=bool(flags & AT_EMPTY_PATH),
        follow=not flags & AT_SYMLINK_NOFOLLOW,
    )
    mount_attributes.change(trap, found.at, wish, recursive=bool(flags & AT_RECURSIVE))
    return 0
