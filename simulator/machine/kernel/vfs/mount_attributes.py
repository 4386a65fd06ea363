"""mount_setattr(2) and the MOUNT_ATTR_* words. Source: fs/namespace.c do_mount_setattr()."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from simulator.machine.abi.constants import (
    MOUNT_ATTR__ATIME,
    MOUNT_ATTR_IDMAP,
    MOUNT_ATTR_NOATIME,
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NODIRATIME,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_NOSYMFOLLOW,
    MOUNT_ATTR_RDONLY,
    MOUNT_ATTR_STRICTATIME,
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_NOSYMFOLLOW,
    MS_RDONLY,
    MS_RELATIME,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.namespace import MountNs
from simulator.machine.kernel.task import At
from simulator.machine.kernel.trap import NotModelled
from simulator.machine.kernel.vfs import mount_tree, mounting, propagation, remounting
from simulator.machine.kernel.vfs.mount import Mount

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_SIMPLE = {
    MOUNT_ATTR_RDONLY: MS_RDONLY,
    MOUNT_ATTR_NOSUID: MS_NOSUID,
    MOUNT_ATTR_NODEV: MS_NODEV,
    MOUNT_ATTR_NOEXEC: MS_NOEXEC,
    MOUNT_ATTR_NODIRATIME: MS_NODIRATIME,
    MOUNT_ATTR_NOSYMFOLLOW: MS_NOSYMFOLLOW,
}
_KNOWN = sum(_SIMPLE) | MOUNT_ATTR__ATIME


class Wish(msgspec.Struct, frozen=True):
    """Flags to set and to clear, and a propagation type (0: leave it)."""

    set: int
    clear: int
    propagation: int


def to_flags(trap: "Trap", attributes: int) -> int:
    """The mount flags that fsmount(2)'s attributes stand for. EINVAL."""
    if attributes & ~_KNOWN:
        _invalid(trap)
    return _simple(attributes) | _atime(trap, attributes)


def _simple(attributes: int) -> int:
    flags = 0
    for attribute, flag in _SIMPLE.items():
        if attributes & attribute:
            flags |= flag
    return flags


def _atime(trap: "Trap", attributes: int) -> int:
    chosen = attributes & MOUNT_ATTR__ATIME
    if chosen not in (0, MOUNT_ATTR_NOATIME, MOUNT_ATTR_STRICTATIME):
        _invalid(trap)
    return {0: MS_RELATIME, MOUNT_ATTR_NOATIME: MS_NOATIME}.get(chosen, 0)


def wish_of(trap: "Trap", attr: Mapping[str, Any]) -> Wish | None:
    """What a ``struct mount_attr`` asks for; None when nothing (build_mount_kattr()). EINVAL."""
    given, taken, kind = (
        int(attr.get(key) or 0) for key in ("attr_set", "attr_clr", "propagation")
    )
    if not given | taken | kind:
        return None
    if kind & ~mounting.TYPES or kind & (kind - 1):
        _invalid(trap)
    if (given | taken) & ~(_KNOWN | MOUNT_ATTR_IDMAP):
        _invalid(trap)
    if (given | taken) & MOUNT_ATTR_IDMAP:
        raise NotModelled("id-mapped mounts")
    atime_set, atime_clear = 0, 0
    if taken & MOUNT_ATTR__ATIME:
        if taken & MOUNT_ATTR__ATIME != MOUNT_ATTR__ATIME:
            _invalid(trap)
        atime_set, atime_clear = _atime(trap, given), MS_NOATIME | MS_RELATIME
    elif given & MOUNT_ATTR__ATIME:
        _invalid(trap)
    return Wish(_simple(given) | atime_set, _simple(taken) | atime_clear, kind)


def change(trap: "Trap", at: At, wish: Wish, *, recursive: bool) -> None:
    """Change one mount or a tree, all or nothing. EINVAL, EPERM (locked flags), EBUSY."""
    store = trap.store
    mount = store.row(Mount, at.mount)
    if not mounting.is_root(trap, at):
        trap.fail(Errno.EINVAL, N_("This is not a mountpoint."), "mount_setattr(2)")
    if not mounting.is_ours(trap, mount) and not (
        mount.ns is not None and store.row(MountNs, mount.ns).anonymous
    ):
        mounting.foreign(trap)
    tree = tuple(mount_tree.descend(store, mount.id)) if recursive else (mount,)
    for each in tree:
        flags = each.flags & ~wish.clear | wish.set
        remounting.need_flags_free(trap, each, flags)
        remounting.need_no_writers(trap, each, flags)
        store.put(msgspec.structs.replace(each, flags=flags))
        if wish.propagation:
            propagation.change_type(store, store.row(Mount, each.id), wish.propagation)


def _invalid(trap: "Trap") -> NoReturn:
    trap.fail(
        Errno.EINVAL,
        N_("An unknown attribute, or attributes that don't go together."),
        "mount_setattr(2)",
    )
