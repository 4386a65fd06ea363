"""The directories and files of control groups, computed from their rows.

Inodes are ``("cgroup", superblock, group)`` for a directory and ``(..., file)`` for a file.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NoReturn, cast

import msgspec

from simulator.machine.abi.constants import S_IFDIR, S_IFMT, S_IFREG
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import KERNEL, CgroupId, InodeId, KGid, KUid, VirtualId
from simulator.machine.kernel.fs.cgroupfs import controllers, core, cpuset, delegation
from simulator.machine.kernel.fs.cgroupfs.mounting import TAG, unmounted
from simulator.machine.kernel.fs.cgroupfs.spec import FileSpec, Release, invalid
from simulator.machine.kernel.fs.registry import (
    FileOperations,
    Mutations,
    NewFile,
    register_virtual,
)
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource import release
from simulator.machine.kernel.resource.group import CHILDREN, Cgroup, Hierarchy, living
from simulator.machine.kernel.task import At
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs.inode import Inode


def group_at(trap: Trap, inode: VirtualId) -> Cgroup:
    """The group that an inode belongs to. ENODEV once it is removed."""
    group = trap.store.get(Cgroup, cast("CgroupId", inode[2]))
    if group is None:
        trap.fail(Errno.ENODEV, N_("The control group has been removed."), "cgroups(7)")
    return group


def files(trap: Trap, group: Cgroup) -> Mapping[str, FileSpec]:
    """The files of ``group`` by name."""
    tree = trap.store.row(Hierarchy, group.hierarchy)
    handed_down = core.available(trap, group) if tree.version == 2 else tree.controllers
    return _files(tree.version, handed_down, group.parent is None, trap.family.release)


@cache
def _files(
    version: int, present: frozenset[str], is_root: bool, now: Release
) -> Mapping[str, FileSpec]:
    always = core.V2 if version == 2 else core.V1
    specs = (*always, *controllers.of(version, present))
    return {
        spec.name: spec
        for spec in specs
        if (spec.root if is_root else spec.child)
        and spec.since <= now
        and not (spec.until and spec.until <= now)
    }


def _child(trap: Trap, group: Cgroup, name: str) -> Cgroup | None:
    return trap.store.first(groups.NAMED, (group.id, name))


def _report(trap: Trap, group: Cgroup, operation: str, name: str = "") -> None:
    """A group that the caller is in itself may be read; anybody else's is reported."""
    mine = groups.group_of(trap.store, trap.task, group.hierarchy)
    if operation != "write" and mine is not None and mine.id == group.id:
        return
    path = groups.path(trap.store, group).rstrip("/")
    trap.touch("cgroup", group.domain, operation, f"{path}/{name}" if name else path or "/")


class CgroupFiles:
    """How control groups answer as files (``fs.registry.Virtual``)."""

    def load(self, trap: Trap, inode: VirtualId) -> Inode:
        """A directory for a group, a regular file for each of its settings."""
        group = trap.store.get(Cgroup, cast("CgroupId", inode[2]))
        if group is None:
            kind = S_IFDIR | 0o755 if len(inode) == 3 else S_IFREG | 0o644
            return Inode(id=inode, sb=cast("Any", inode[1]), mode=kind, nlink=0, domain=KERNEL)
        if len(inode) == 3:
            below = trap.store.many(CHILDREN, group.id)
            above = group.parent if group.parent is not None else group.id
            return Inode(
                id=inode,
                sb=cast("Any", inode[1]),
                mode=S_IFDIR | group.mode,
                uid=group.uid,
                gid=group.gid,
                nlink=2 + below,
                parent=(TAG, inode[1], above),
                domain=KERNEL,
            )
        spec = files(trap, group).get(str(inode[3]))
        mode = spec.mode if spec is not None else 0
        uid, gid, mode = groups.owner_of(group, str(inode[3]), mode)
        return Inode(
            id=inode,
            sb=cast("Any", inode[1]),
            mode=S_IFREG | mode,
            uid=uid,
            gid=gid,
            nlink=1 if spec is not None else 0,
            domain=KERNEL,
        )

    def lookup(self, trap: Trap, directory: VirtualId, name: str) -> InodeId | None:
        """A child group, or one of the group's files."""
        group = trap.store.get(Cgroup, cast("CgroupId", directory[2]))
        if group is None:
            return None
        child = _child(trap, group, name)
        if child is not None:
            return (TAG, directory[1], child.id)
        return (TAG, directory[1], group.id, name) if name in files(trap, group) else None

    def names(self, trap: Trap, directory: VirtualId) -> Iterable[str]:
        """Child groups and files."""
        group = group_at(trap, directory)
        children = trap.store.rows_by(CHILDREN, group.id)
        for child in children:
            _report(trap, child, "name")
        return [*files(trap, group), *(child.name for child in children)]

    def follow(self, trap: Trap, inode: VirtualId) -> "At | str":
        """There are no symbolic links here."""
        del inode
        _no_links(trap)

    def read(self, trap: Trap, inode: VirtualId) -> bytes:
        """The file's text. EINVAL where it is write-only."""
        group, spec = _file(trap, inode)
        if spec.read is None:
            invalid(trap)
        text = spec.read(trap, group)
        _report(trap, group, "read", spec.name)
        return text.encode()

    def write(self, trap: Trap, inode: VirtualId, data: bytes) -> int:
        """One write(2) is one setting. EINVAL where it is read-only."""
        group, spec = _file(trap, inode)
        if not data:
            return 0
        if spec.write is None:
            invalid(trap)
        delegation.need_file(trap, group, spec.name)
        # Handlers are given a C string: what follows a NUL is not read.
        spec.write(trap, group, data.split(b"\0")[0].decode("utf-8", "surrogateescape"))
        _report(trap, group, "write", spec.name)
        return len(data)

    def check_open(self, trap: Trap, inode: VirtualId, flags: int) -> None:
        """The mode bits say everything."""
        del flags
        if len(inode) > 3:
            _file(trap, inode)


def _file(trap: Trap, inode: VirtualId) -> tuple[Cgroup, FileSpec]:
    group = group_at(trap, inode)
    spec = files(trap, group).get(str(inode[3])) if len(inode) > 3 else None
    if spec is None:
        trap.fail(Errno.ENODEV, N_("The controller no longer serves this group."), "cgroups(7)")
    return group, spec


def _no_links(trap: Trap) -> NoReturn:
    trap.fail(Errno.EINVAL, N_("Control groups have no symbolic links."), "cgroups(7)")


def _create(trap: Trap, directory: VirtualId, name: str, new: NewFile) -> InodeId:
    """mkdir(2) makes a group; nothing else can be made. EAGAIN, EINVAL, EPERM, EACCES."""
    group = group_at(trap, directory)
    if new.mode & S_IFMT != S_IFDIR:
        errno = Errno.EACCES if new.mode & S_IFMT == S_IFREG else Errno.EPERM
        trap.fail(errno, N_("Only groups can be made among control groups."), "cgroups(7)")
    if "\n" in name:
        invalid(trap)
    tree = trap.store.row(Hierarchy, group.hierarchy)
    if tree.version == 2:
        core.room_below(trap, group)
    made = groups.create(
        trap.store,
        group,
        name,
        uid=new.uid,
        gid=new.gid,
        mode=new.mode & 0o7777,
        domain=new.domain,
    )
    if tree.version == 1 and "cpuset" in tree.controllers and _clones(group):
        trap.store.put(
            msgspec.structs.replace(made, settings={**made.settings, **cpuset.cloned(group)})
        )
    _report(trap, group, "write")
    return (TAG, directory[1], made.id)


def _clones(group: Cgroup) -> bool:
    return group.settings.get("cgroup.clone_children") == "1"


def _rmdir(trap: Trap, directory: VirtualId, name: str) -> None:
    """A group without tasks and without groups below it goes. EBUSY."""
    above = group_at(trap, directory)
    group = _child(trap, above, name)
    if group is None:
        trap.fail(Errno.EPERM, N_("A control group's files can't be removed."), "cgroups(7)")
    if trap.store.by(CHILDREN, group.id) or living(trap.store, group):
        trap.fail(Errno.EBUSY, N_("The group holds tasks or other groups."), "cgroups(7)")
    core.freeze(trap, group, False)
    trap.store.drop(Cgroup, group.id)
    trap.touch("cgroup", group.domain, "write", f"/{name}")
    release.check(trap.store, above)


def _rename(
    trap: Trap, old: VirtualId, name: str, new: VirtualId, new_name: str, flags: int
) -> None:
    """Version 1 lets a group change its name within its directory (cgroup1_rename())."""
    group = _child(trap, group_at(trap, old), name)
    version = trap.store.row(Hierarchy, group_at(trap, old).hierarchy).version
    if version == 2 or flags:
        trap.fail(Errno.EPERM, N_("Control groups of version 2 keep their names."), "cgroups(7)")
    if group is None:
        trap.fail(Errno.ENOTDIR, N_("A control group's files keep their names."), "cgroups(7)")
    if old[2] != new[2]:
        trap.fail(Errno.EIO, N_("A group stays below the group it was made in."), "cgroups(7)")
    if _child(trap, group_at(trap, new), new_name) is not None:
        trap.fail(Errno.EEXIST, "", "rename(2)")
    trap.store.put(msgspec.structs.replace(group, name=new_name))


def _set_attributes(trap: Trap, inode: VirtualId, changes: Mapping[str, Any]) -> None:
    """chown(2) and chmod(2): how an operator delegates a group (cgroups(7))."""
    group = group_at(trap, inode)
    if len(inode) == 3:
        uid = changes.get("uid", group.uid)
        gid = changes.get("gid", group.gid)
        mode = changes.get("mode", group.mode) & 0o7777
        owned = msgspec.structs.replace(group, uid=KUid(uid), gid=KGid(gid), mode=mode)
        made_by = group.made_by or (group.uid, group.gid)
        trap.store.put(msgspec.structs.replace(owned, made_by=made_by))
        return
    name = str(inode[3])
    now = CgroupFiles().load(trap, inode)
    owner = (
        KUid(changes.get("uid", now.uid)),
        KGid(changes.get("gid", now.gid)),
        changes.get("mode", now.mode) & 0o7777,
    )
    owners = {**(group.owners or {}), name: owner}
    trap.store.put(msgspec.structs.replace(group, owners=owners))


register_virtual(
    TAG,
    CgroupFiles(),
    Mutations(
        create=_create,
        rmdir=_rmdir,
        rename=_rename,
        set_attributes=_set_attributes,
        unmounted=unmounted,
    ),
    operations=FileOperations(synced=frozenset((S_IFREG,))),
)
