"""Mounting a hierarchy: the options of version 1 and 2, and who may make a new one.

Source: ``kernel/cgroup/cgroup-v1.c`` (cgroup1_parse_param, check_cgroupfs_options,
cgroup1_root_to_use), ``kernel/cgroup/cgroup.c`` (rebind_subsystems).
"""

from dataclasses import dataclass, field

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, INITIAL_USER_NS, CgroupId, NsId, SuperblockId
from simulator.machine.kernel.fs import options
from simulator.machine.kernel.fs.registry import FilesystemType
from simulator.machine.kernel.namespace import CgroupNs
from simulator.machine.kernel.resource import layout
from simulator.machine.kernel.resource.group import (
    BY_CONTROLLER,
    CHILDREN,
    UNIFIED,
    Cgroup,
    Hierarchy,
)
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs.inode import Superblock
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.state.store import Index, Store

TAG = "cgroup"

_V1_WORDS = frozenset(("noprefix", "clone_children", "cpuset_v2_mode", "xattr", "favordynmods"))
_V2_WORDS = frozenset(
    (
        "nsdelegate",
        "favordynmods",
        "memory_localevents",
        "memory_recursiveprot",
        "memory_hugetlb_accounting",
        "pids_localevents",
    )
)


@dataclass
class _Wish:
    controllers: set[str] = field(default_factory=set[str])
    every: bool = False
    none: bool = False
    name: str = ""
    agent: str = ""
    words: set[str] = field(default_factory=set[str])


def _parse(trap: Trap, text: str) -> _Wish:
    wish = _Wish()
    known = trap.family.controllers
    for key, value in options.split(text):
        match key:
            case "none":
                wish.none = True
            case "all":
                wish.every = True
            case "name" if layout.NAMES in trap.family.features:
                if not value or len(value) >= 64 or wish.name or not _is_name(value):
                    options.refuse(trap)
                wish.name = value
            case "release_agent":
                if value is None or wish.agent:
                    options.refuse(trap)
                wish.agent = value
            case _ if key in _V1_WORDS:
                wish.words.add(key)
            case _ if key in known:
                wish.controllers.add(key)
            case _:
                options.refuse(trap)
    return wish


def _is_name(text: str) -> bool:
    return all(letter.isalnum() or letter in "._-" for letter in text)


def _check_v1(trap: Trap, text: str) -> None:
    """check_cgroupfs_options(): what may not be asked for together. EINVAL."""
    wish = _parse(trap, text)
    if wish.every and wish.controllers:
        options.refuse(trap)
    if wish.none and (wish.controllers or wish.every or not wish.name):
        options.refuse(trap)
    if "noprefix" in wish.words and wish.controllers != {"cpuset"}:
        options.refuse(trap)


def _check_v2(trap: Trap, text: str) -> None:
    if any(key not in _V2_WORDS for key, _value in options.split(text)):
        options.refuse(trap)


def _make_v1(trap: Trap, source: str, text: str) -> Superblock:
    wish = _parse(trap, text)
    if wish.agent and not _is_initial(trap):
        trap.deny(
            Errno.EPERM,
            "user-ns",
            N_(
                "The release agent runs as the machine's root: other user namespaces can't name it."
            ),
            "cgroups(7)",
        )
    if not wish.controllers and not wish.name and not wish.none:
        wish.controllers = set(trap.family.controllers)
    tree = _existing(trap, wish) or _new(trap, wish)
    return _superblock(trap, "cgroup", source, tree, _spelled(tree))


def _spelled(tree: Hierarchy) -> str:
    """cgroup1_show_options()."""
    words = [name for name in layout.CONTROLLERS if name in tree.controllers]
    words += sorted(tree.options)
    words += [f"release_agent={tree.release_agent}"] if tree.release_agent else []
    words += [f"name={tree.name}"] if tree.name else []
    return ",".join(words)


def _change_v1(trap: Trap, sb: Superblock, text: str) -> Superblock:
    """cgroup1_reconfigure(): other controllers or another agent while there are no groups.

    EINVAL for another name or other flags, EBUSY with groups, or where a controller is taken.
    """
    wish = _parse(trap, text)
    tree = _of(trap.store, sb)
    if frozenset(wish.words) != tree.options or (wish.name and wish.name != tree.name):
        options.refuse(trap)
    if trap.store.by(CHILDREN, tree.root):
        trap.fail(Errno.EBUSY, N_("The hierarchy has groups: it stays as it is."), "cgroups(7)")
    wanted = frozenset(wish.controllers)
    _take(trap, wanted - tree.controllers)
    _give_back(trap.store, tree.controllers - wanted)
    agent = wish.agent or tree.release_agent
    tree = msgspec.structs.replace(tree, controllers=wanted, release_agent=agent)
    trap.store.put(tree)
    trap.touch("cgroup", tree.domain, "write", "hierarchy")
    return msgspec.structs.replace(sb, options=_spelled(tree))


def _of(store: Store, sb: Superblock) -> Hierarchy:
    assert sb.data is not None
    return store.row(Hierarchy, sb.data["hierarchy"])


def unmounted(store: Store, sb: Superblock) -> None:
    """cgroup_kill_sb(): a hierarchy of version 1 without groups ends with its last mount."""
    assert sb.data is not None
    tree = store.get(Hierarchy, sb.data["hierarchy"])
    if tree is None or tree.version == 2 or store.by(CHILDREN, tree.root):
        return
    others = {mount.sb for mount in store.all(Mount)}
    shown = (store.row(Superblock, one) for one in others)
    if any(one.fstype == "cgroup" and _of(store, one).id == tree.id for one in shown):
        return
    store.drop(Hierarchy, tree.id)
    store.drop(Cgroup, tree.root)
    _give_back(store, tree.controllers)


def _give_back(store: Store, controllers: frozenset[str]) -> None:
    """rebind_subsystems(): what no hierarchy of version 1 has is version 2's."""
    unified = store.get(Hierarchy, UNIFIED)
    if unified is not None and controllers:
        names = frozenset(layout.NAME_ON_2.get(name, name) for name in controllers)
        back = names & layout.V2_CONTROLLERS
        store.put(msgspec.structs.replace(unified, controllers=unified.controllers | back))


def _take(trap: Trap, controllers: frozenset[str]) -> None:
    """Free ``controllers`` for a hierarchy of version 1. EBUSY where another one uses them."""
    names = frozenset(layout.NAME_ON_2.get(name, name) for name in controllers)
    for name in controllers | names:
        bound = trap.store.first(BY_CONTROLLER, name)
        if bound is None:
            continue
        root = trap.store.row(Cgroup, bound.root)
        handed = name in root.subtree and trap.store.by(CHILDREN, root.id)
        if bound.version == 1 or handed:
            trap.fail(Errno.EBUSY, N_("Another hierarchy has the controller in use."), "cgroups(7)")
    unified = trap.store.get(Hierarchy, UNIFIED)
    if unified is not None and unified.controllers & names:
        left = unified.controllers - names
        trap.store.put(msgspec.structs.replace(unified, controllers=left))


def _existing(trap: Trap, wish: _Wish) -> Hierarchy | None:
    """cgroup1_root_to_use(): one by that name, or with just those controllers. EBUSY."""
    for tree in tuple(trap.store.all(Hierarchy)):
        if tree.version != 1:
            continue
        if wish.name and tree.name != wish.name:
            continue
        if (wish.controllers or wish.none) and frozenset(wish.controllers) != tree.controllers:
            if not wish.name:
                continue
            trap.fail(
                Errno.EBUSY, N_("The hierarchy of that name has other controllers."), "cgroups(7)"
            )
        return tree
    return None


def _new(trap: Trap, wish: _Wish) -> Hierarchy:
    """A new hierarchy, in the first cgroup namespace only. EINVAL, EPERM, EBUSY."""
    if not wish.controllers and not wish.none:
        options.refuse(trap)
    if not _in_first(trap):
        trap.deny(
            Errno.EPERM,
            "cgroup-ns",
            N_("Hierarchies are only made in the first cgroup namespace."),
            "cgroup_namespaces(7)",
        )
    _take(trap, frozenset(wish.controllers))
    tree = layout.make_hierarchy(
        trap.store, frozenset(wish.controllers), name=wish.name, options=frozenset(wish.words)
    )
    tree = msgspec.structs.replace(tree, release_agent=wish.agent)
    trap.store.put(tree)
    trap.touch("cgroup", HOST, "write", f"hierarchy {','.join(sorted(wish.controllers))}")
    return tree


def _make_v2(trap: Trap, source: str, text: str) -> Superblock:
    tree = trap.store.get(Hierarchy, UNIFIED)
    if tree is None:
        trap.fail(Errno.ENODEV, N_("This machine has no version 2 control groups."), "cgroups(7)")
    words = frozenset(key for key, _value in options.split(text))
    if words and _in_first(trap):
        trap.store.put(msgspec.structs.replace(tree, options=words))
    return _superblock(trap, "cgroup2", source, tree, text)


_ROOTED = Index(
    Superblock,
    lambda sb: (
        ((sb.fstype, sb.root[2]),) if isinstance(sb.root, tuple) and sb.root[0] == TAG else ()
    ),
    "fstype",
    "root",
)
"""Superblocks of control groups by type and by the group that they show as ``/``."""


def _superblock(trap: Trap, fstype: str, source: str, tree: Hierarchy, text: str) -> Superblock:
    """The superblock that shows the hierarchy from the caller's cgroup namespace's root on."""
    top = root_in(trap, trap.task.ns.cgroup, tree)
    known = trap.store.first(_ROOTED, (fstype, top))
    if known is not None:
        return known
    number = SuperblockId(trap.store.new_id(Superblock))
    sb = Superblock(
        id=number,
        fstype=fstype,
        source=source,
        root=(TAG, number, top),
        options=text,
        owner=trap.store.row(CgroupNs, trap.task.ns.cgroup).owner,
        device=0x1C + tree.id,
        data={"hierarchy": tree.id, "root": top},
        domain=tree.domain,
    )
    trap.store.put(sb)
    return sb


def root_in(trap: Trap, ns: NsId, tree: Hierarchy) -> CgroupId:
    """The group of ``tree`` that cgroup namespace ``ns`` sees as ``/``."""
    for root in trap.store.row(CgroupNs, ns).roots:
        group = trap.store.get(Cgroup, root)
        if group is not None and group.hierarchy == tree.id:
            return root
    return tree.root


def _owner(trap: Trap) -> NsId:
    return trap.store.row(CgroupNs, trap.task.ns.cgroup).owner


def _in_first(trap: Trap) -> bool:
    """Whether the caller is in the cgroup namespace that the machine began with."""
    # It is made at boot and never goes, so it stays the oldest row.
    return next(iter(trap.store.tables[CgroupNs])) == trap.task.ns.cgroup


def _is_initial(trap: Trap) -> bool:
    return trap.task.cred.user_ns == INITIAL_USER_NS


CGROUP = FilesystemType(
    "cgroup",
    _make_v1,
    userns_mount=True,
    owner=_owner,
    check=_check_v1,
    reconfigure=_change_v1,
)
CGROUP2 = FilesystemType("cgroup2", _make_v2, userns_mount=True, owner=_owner, check=_check_v2)
