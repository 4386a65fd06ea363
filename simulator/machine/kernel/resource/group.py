"""Control groups as rows: hierarchies, the tree of groups in each, and who is in which.

A hierarchy is one tree of groups with some controllers bound to it: version 1 has many, version 2
is hierarchy 0. Nothing is counted in a row: how many tasks a group has, and how much memory they
hold, is derived from the tasks themselves, so it cannot go stale.

Source: cgroups(7), kernel/cgroup/cgroup.c.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from simulator.machine.abi.ids import HOST, CgroupId, Domain, KGid, KUid, SuperblockId
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.state.store import Index, Row, Store, World

UNIFIED = 0
"""The number of the version 2 hierarchy, as /proc/PID/cgroup prints it."""

ROOT_UID = KUid(0)
ROOT_GID = KGid(0)
_INHERITED = frozenset(
    (
        "notify_on_release",
        "cgroup.clone_children",
        "memory.swappiness",
        "net_cls.classid",
        "net_prio.ifpriomap",
        "cpuset.memory_spread_page",
        "cpuset.memory_spread_slab",
    )
)
"""Files of version 1 whose value a new group takes over from the one above."""
NO_SUPERBLOCK = SuperblockId(0)
NOTHING: Mapping[str, str] = {}
NO_EVENTS: Mapping[str, int] = {}


class DeviceRule(msgspec.Struct, frozen=True):
    """One exception of the devices controller; None is ``*``. ``kind`` is ``a``, ``b`` or ``c``."""

    kind: str
    major: int | None
    minor: int | None
    access: str


class DeviceList(msgspec.Struct, frozen=True):
    """``allow`` is the default, ``rules`` the exceptions to it (security/device_cgroup.c)."""

    allow: bool = True
    rules: tuple[DeviceRule, ...] = ()


class Hierarchy(Row, frozen=True, kw_only=True):
    """One tree of groups. ``id`` is its number in /proc/cgroups, 0 for version 2.

    ``options`` are the mount options that tell it from others (``name=systemd``, ``noprefix``).
    """

    version: int
    controllers: frozenset[str]
    name: str = ""
    root: CgroupId
    release_agent: str = ""
    options: frozenset[str] = frozenset()
    domain: Domain = HOST


class Cgroup(Row, frozen=True, kw_only=True):
    """One group. ``settings`` holds what was written, by file name; a missing one is the default.

    ``owners`` are (uid, gid, mode) of files whose owner or mode was changed; the others are
    ``made_by``'s, or the directory's own where that is None. ``subtree`` are the
    controllers that version 2 hands to the children. ``devices`` is the version 1 list,
    ``programs`` stand for the version 2 eBPF programs attached to the group: each must allow.
    """

    hierarchy: int
    parent: CgroupId | None
    name: str = ""
    uid: KUid = KUid(0)
    gid: KGid = KGid(0)
    mode: int = 0o755
    owners: Mapping[str, tuple[KUid, KGid, int]] | None = None
    made_by: tuple[KUid, KGid] | None = None
    settings: Mapping[str, str] = NOTHING
    events: Mapping[str, int] = NO_EVENTS
    subtree: frozenset[str] = frozenset()
    devices: DeviceList = DeviceList()
    programs: tuple[DeviceList, ...] = ()
    created: int = 0
    domain: Domain = HOST


def owner_of(group: Cgroup, file: str, mode: int) -> tuple[KUid, KGid, int]:
    """Whose one of the group's files is, and its mode (``mode`` where nobody changed it).

    Who makes the directory owns its files too; a chown(2) of the directory is that alone
    (kernel/cgroup/cgroup.c cgroup_kn_set_ugid()).
    """
    uid, gid = group.made_by or (group.uid, group.gid)
    return (group.owners or {}).get(file, (uid, gid, mode))


class Frozen(Row, frozen=True, kw_only=True):
    """A group whose tasks do not run (``id`` is the group's): an empty table costs nothing."""


CHILDREN = Index(Cgroup, lambda group: (group.parent,), "parent")
NAMED = Index(Cgroup, lambda group: ((group.parent, group.name),), "parent", "name")
IN_HIERARCHY = Index(Cgroup, lambda group: (group.hierarchy,), "hierarchy")
MEMBERS = Index(Task, lambda task: tuple(task.cgroups.values()), "cgroups")
BY_CONTROLLER = Index(Hierarchy, lambda hierarchy: hierarchy.controllers, "controllers")


def group_of(world: World, task: Task, hierarchy: int) -> Cgroup | None:
    """The task's group; a task that was never moved is in the root. None: no such hierarchy."""
    number = task.cgroups.get(hierarchy)
    if number is not None and (group := world.get(Cgroup, number)) is not None:
        return group
    tree = world.get(Hierarchy, hierarchy)
    return world.row(Cgroup, tree.root) if tree is not None else None


def controlled(world: World, task: Task, controller: str) -> Cgroup | None:
    """The task's group in the hierarchy that ``controller`` is bound to; None when it is not."""
    tree = world.first(BY_CONTROLLER, controller)
    return group_of(world, task, tree.id) if tree is not None else None


def upward(world: World, group: Cgroup) -> Iterator[Cgroup]:
    """``group`` and its ancestors, the root last."""
    current: Cgroup | None = group
    while current is not None:
        yield current
        current = world.row(Cgroup, current.parent) if current.parent is not None else None


def downward(world: World, group: Cgroup) -> Iterator[Cgroup]:
    """``group`` and everything below it, parents first."""
    yield group
    for child in world.rows_by(CHILDREN, group.id):
        yield from downward(world, child)


def members(world: World, group: Cgroup) -> tuple[Task, ...]:
    """The tasks of ``group`` itself, zombies included, oldest first."""
    if group.parent is not None:
        return world.rows_by(MEMBERS, group.id)
    tree = group.hierarchy
    return tuple(task for task in world.all(Task) if _is_in_root(world, task, tree, group))


def living(world: World, group: Cgroup) -> tuple[Task, ...]:
    """The tasks that cgroup.procs lists: those that have not exited."""
    return tuple(task for task in members(world, group) if task.state is not TaskState.ZOMBIE)


def population(world: World, group: Cgroup) -> int:
    """How many tasks ``group`` and its descendants hold, zombies until they are reaped."""
    count = len(members(world, group))
    for child in world.rows_by(CHILDREN, group.id):
        count += population(world, child)
    return count


def path(world: World, group: Cgroup, root: CgroupId | None = None) -> str:
    """``group``'s path from ``root`` (its hierarchy's by default), as /proc/PID/cgroup shows it.

    A group outside ``root`` reads with ``/..`` components (cgroup_namespaces(7)).
    """
    names: list[str] = []
    above = [g.id for g in upward(world, world.row(Cgroup, root))] if root is not None else []
    for current in upward(world, group):
        if current.id == root or (root is None and current.parent is None):
            break
        if current.id in above:
            names.extend([".."] * above.index(current.id))
            break
        names.append(current.name)
    return "/" + "/".join(reversed(names))


def create(
    store: Store,
    parent: Cgroup,
    name: str,
    *,
    uid: KUid = ROOT_UID,
    gid: KGid = ROOT_GID,
    mode: int = 0o755,
    created: int = 0,
    domain: Domain = HOST,
) -> Cgroup:
    """A new empty group below ``parent``; version 1 children inherit what the kernel copies."""
    inherited = {key: value for key, value in parent.settings.items() if key in _INHERITED}
    group = Cgroup(
        id=CgroupId(store.new_id(Cgroup)),
        hierarchy=parent.hierarchy,
        parent=parent.id,
        name=name,
        uid=uid,
        gid=gid,
        mode=mode,
        settings=inherited,
        devices=parent.devices,
        created=created,
        domain=domain,
    )
    store.put(group)
    return group


def put_setting(store: Store, group: Cgroup, name: str, value: str) -> Cgroup:
    """``group`` with one file's value stored."""
    changed = msgspec.structs.replace(group, settings={**group.settings, name: value})
    store.put(changed)
    return changed


_ON_EVENT: list[Callable[[Store, Cgroup, str], None]] = []


def at_event(tell: Callable[[Store, Cgroup, str], None]) -> None:
    """Have ``tell`` called with every event of a group, by its line in an events file."""
    _ON_EVENT.append(tell)


def count_event(store: Store, group: Cgroup, name: str) -> None:
    """One more in a line of an events file."""
    now = store.row(Cgroup, group.id)
    events = {**now.events, name: now.events.get(name, 0) + 1}
    store.put(msgspec.structs.replace(now, events=events))
    for tell in _ON_EVENT:
        tell(store, now, name)


def _is_in_root(world: World, task: Task, hierarchy: int, root: Cgroup) -> bool:
    number = task.cgroups.get(hierarchy)
    return number is None or number == root.id or world.get(Cgroup, number) is None
