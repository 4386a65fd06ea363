"""Id maps as files: /proc/PID/uid_map, gid_map and setgroups. user_namespaces(7).

Source: kernel/user_namespace.c (map_write, new_idmap_permitted, proc_setgroups_write).
"""

from typing import TYPE_CHECKING, NoReturn

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import namespace
from simulator.machine.kernel.namespace import IDENTITY, Extent, UserNs
from simulator.machine.state.store import World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

PAGE = 4096
MAX_EXTENTS = 340
"""user_namespaces(7): at most 340 lines since Linux 4.15 (five before)."""
_NO_ID = 0xFFFFFFFF


def write_id_map(trap: "Trap", ns: NsId, which: str, text: str) -> int:
    """Take a map for ``ns`` (``which``: ``uid`` or ``gid``); returns the bytes taken.

    Errors: EPERM without the right, or the second time; EINVAL for a text that is no map.
    """
    row = trap.store.row(UserNs, ns)
    opener = trap.task.cred.user_ns
    if row.parent is None or opener not in (ns, row.parent):
        _refuse(trap, N_("A map is written from the namespace itself or from its parent."))
    if len(text) >= PAGE:
        _malformed(trap)
    if row.uid_map if which == "uid" else row.gid_map:
        _refuse(trap, N_("The map has been written already, and that is possible only once."))
    trap.need(Privilege.NAMESPACE, ns)
    extents = _parse(trap, text)
    _need_permitted(trap, row, which, extents)
    above = trap.store.row(UserNs, row.parent)
    outer = above.uid_map if which == "uid" else above.gid_map
    mapped = tuple(_to_kernel(trap, extent, outer) for extent in extents)
    change = {"uid_map": mapped} if which == "uid" else {"gid_map": mapped}
    trap.store.put(msgspec.structs.replace(row, **change))
    return len(text)


def _parse(trap: "Trap", text: str) -> tuple[Extent, ...]:
    extents: list[Extent] = []
    for line in text.partition("\0")[0].removesuffix("\n").split("\n"):
        words = line.split()
        if len(words) != 3 or not all(word.isascii() and word.isdigit() for word in words):
            _malformed(trap)
        extent = Extent(*(int(word) & _NO_ID for word in words))
        if _NO_ID in (extent.inside, extent.outside) or extent.count == 0:
            _malformed(trap)
        if max(extent.inside, extent.outside) + extent.count > _NO_ID:
            _malformed(trap)
        if any(_overlap(extent, other) for other in extents):
            _malformed(trap)
        extents.append(extent)
    if len(extents) > MAX_EXTENTS:
        _malformed(trap)
    return tuple(extents)


def _overlap(left: Extent, right: Extent) -> bool:
    return _meet(left.inside, right.inside, left.count, right.count) or _meet(
        left.outside, right.outside, left.count, right.count
    )


def _meet(left: int, right: int, left_count: int, right_count: int) -> bool:
    return left < right + right_count and right < left + left_count


def _need_permitted(trap: "Trap", row: UserNs, which: str, extents: tuple[Extent, ...]) -> None:
    """new_idmap_permitted(): one's own id, or the right over the parent's ids."""
    cred = trap.task.cred
    assert row.parent is not None
    above = trap.store.row(UserNs, row.parent)
    if which == "uid" and any(extent.outside == 0 for extent in extents):
        _need_setfcap(trap, row)
    if len(extents) == 1 and extents[0].count == 1 and row.owner_uid == cred.euid:
        outside = extents[0].outside
        if which == "uid" and namespace.to_kernel(above.uid_map, outside) == cred.euid:
            return
        if (
            which == "gid"
            and not row.setgroups
            and namespace.to_kernel(above.gid_map, outside) == cred.egid
        ):
            return
    trap.need(Privilege.SETUID if which == "uid" else Privilege.SETGID, row.parent)


def _need_setfcap(trap: "Trap", row: UserNs) -> None:
    """verify_root_map(): to map the parent's uid 0 takes CAP_SETFCAP (since Linux 5.12)."""
    assert row.parent is not None
    if trap.task.cred.user_ns != row.id:
        trap.need(Privilege.SET_FILE_CAPABILITIES, row.parent)
    elif not row.parent_could_setfcap:
        _refuse(trap, N_("The parent's uid 0 can't be mapped by a creator without CAP_SETFCAP."))


def _to_kernel(trap: "Trap", extent: Extent, outer: tuple[Extent, ...]) -> Extent:
    """The extent with kernel ids; the parent must map all of it in one piece."""
    inside = _lowest(outer, extent)
    if inside is None:
        _refuse(trap, N_("The parent user namespace does not map these ids itself."))
    return Extent(extent.inside, inside, extent.count)


def _lowest(outer: tuple[Extent, ...], extent: Extent) -> int | None:
    for above in outer:
        start = extent.outside - above.inside
        if start >= 0 and start + extent.count <= above.count:
            return above.outside + start
    return None


def write_setgroups(trap: "Trap", ns: NsId, text: str) -> int:
    """``allow`` or ``deny`` setgroups(2) in ``ns``, for good once denied.

    Errors: EINVAL for another word; EPERM to deny after gid_map is written, or to allow again.
    """
    row = trap.store.row(UserNs, ns)
    word = text.rstrip()
    if len(text) >= 8 or word not in ("allow", "deny"):
        _malformed(trap)
    if word == "allow":
        if not row.setgroups:
            _refuse(trap, N_("setgroups(2) has been denied in this user namespace for good."))
        return len(text)
    if row.gid_map:
        _refuse(trap, N_("setgroups(2) can be denied only before the gid map is written."))
    trap.store.put(msgspec.structs.replace(row, setgroups=False))
    return len(text)


def show_id_map(world: World, ns: NsId, which: str, reader: NsId) -> str:
    """The map as a reader in user namespace ``reader`` sees it (uid_m_show())."""
    row = world.row(UserNs, ns)
    viewer = world.row(UserNs, reader)
    if reader == ns and row.parent is not None:
        viewer = world.row(UserNs, row.parent)
    extents, seen = (
        (row.uid_map, viewer.uid_map) if which == "uid" else (row.gid_map, viewer.gid_map)
    )
    return "".join(
        f"{extent.inside:10d} {_seen(seen, extent.outside):10d} {extent.count:10d}\n"
        for extent in extents
    )


def _seen(extents: tuple[Extent, ...], kernel_id: int) -> int:
    """from_kuid(): an unmapped id shows as -1, unsigned."""
    if extents == IDENTITY:
        return kernel_id
    for extent in extents:
        if 0 <= kernel_id - extent.outside < extent.count:
            return extent.inside + kernel_id - extent.outside
    return _NO_ID


def _malformed(trap: "Trap") -> NoReturn:
    trap.fail(
        Errno.EINVAL,
        N_("A map has lines of three numbers: inside, outside, count; none may overlap."),
        "user_namespaces(7)",
    )


def _refuse(trap: "Trap", why: str) -> NoReturn:
    trap.deny(Errno.EPERM, "id-map", why, "user_namespaces(7)")
