"""The files that every group has: who is in it, which controllers, freezing, limits on the tree.

Source: ``kernel/cgroup/cgroup.c``, ``kernel/cgroup/cgroup-v1.c``.
"""

import msgspec

from simulator.machine.abi.constants import SIGKILL
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import INITIAL_USER_NS
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import pids, signal
from simulator.machine.kernel.fs.cgroupfs import cpuset, delegation, threaded
from simulator.machine.kernel.fs.cgroupfs.spec import (
    READ_ONLY,
    READ_WRITE,
    WRITE_ONLY,
    FileSpec,
    bounded,
    fixed,
    flag,
    integer,
    invalid,
    out_of_range,
    setting,
    whole,
)
from simulator.machine.kernel.resource import group as groups
from simulator.machine.kernel.resource import layout, release
from simulator.machine.kernel.resource.group import (
    CHILDREN,
    Cgroup,
    Frozen,
    Hierarchy,
    group_of,
    living,
    upward,
)
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs import permission
from simulator.machine.kernel.vfs.inode import Inode

INT_MAX = (1 << 31) - 1


def populated(trap: Trap, group: Cgroup) -> bool:
    """Whether the group or one below it has a task."""
    return any(living(trap.store, below) for below in groups.downward(trap.store, group))


def _procs(trap: Trap, group: Cgroup) -> str:
    """The pids that the reader's pid namespace has; others read as 0."""
    numbers = sorted(pids.number(trap, task.id) for task in living(trap.store, group))
    return "".join(f"{number}\n" for number in numbers)


def target(trap: Trap, text: str) -> Task:
    """The task that a write to cgroup.procs names. EINVAL, ESRCH."""
    number = integer(trap, text)
    if number < 0 or number > INT_MAX:
        invalid(trap)
    task = pids.find(trap, number) if number else trap.task
    if task is None or task.state is TaskState.ZOMBIE:
        trap.fail(Errno.ESRCH, N_("No process has this number in the caller's view."), "cgroups(7)")
    return task


def _join_v1(trap: Trap, group: Cgroup, text: str) -> None:
    """__cgroup1_procs_write(): root, or a task of one's own. EACCES."""
    task = target(trap, text)
    euid = trap.task.cred.euid
    if euid not in (0, task.cred.ruid, task.cred.suid):
        trap.deny(
            Errno.EACCES,
            "cgroup-delegation",
            N_("Only root moves other users' tasks between control groups."),
            "cgroups(7)",
        )
    if "cpuset" in trap.store.row(Hierarchy, group.hierarchy).controllers:
        cpuset.need_somewhere(trap, group)
    move(trap, task, group)


def _join_v2(trap: Trap, group: Cgroup, text: str) -> None:
    """cgroup_attach_permissions(): write access to the common ancestor. EACCES, EBUSY."""
    task = target(trap, text)
    old = group_of(trap.store, task, group.hierarchy)
    assert old is not None
    mine = {above.id for above in upward(trap.store, group)}
    common = next(above for above in upward(trap.store, old) if above.id in mine)
    permission.need(trap, procs_inode(common), permission.WRITE)
    delegation.need_inside(trap, old, group)
    threaded.need_domain(trap, group)
    if group.parent is not None and group.subtree:
        trap.deny(
            Errno.EBUSY,
            "cgroup-delegation",
            N_("A group that hands controllers to its children holds no tasks itself."),
            "cgroups(7)",
        )
    move(trap, task, group)


def procs_inode(group: Cgroup) -> Inode:
    """cgroup.procs as the permission check sees it."""
    uid, gid, mode = groups.owner_of(group, "cgroup.procs", READ_WRITE)
    return Inode(id=0, sb=groups.NO_SUPERBLOCK, mode=0o100000 | mode, uid=uid, gid=gid)


def move(trap: Trap, task: Task, group: Cgroup) -> None:
    """Put a task in a group; the one it leaves may be empty now."""
    old = group_of(trap.store, task, group.hierarchy)
    changes = {**task.cgroups, group.hierarchy: group.id}
    trap.store.put(msgspec.structs.replace(task, cgroups=changes))
    if task.id == trap.task.id:
        trap.task = trap.store.row(Task, task.id)
    trap.touch("cgroup", group.domain, "write", groups.path(trap.store, group))
    if old is not None and old.id != group.id:
        trap.touch("cgroup", old.domain, "write", groups.path(trap.store, old))
        release.check(trap.store, old)


def _notify_agent(trap: Trap, group: Cgroup, text: str) -> None:
    """cgroup_release_agent_write(): the program runs as root of the machine. EPERM."""
    if trap.family.traits.release_agent_needs_rights:
        _need_the_machine(trap)
    tree = trap.store.row(Hierarchy, group.hierarchy)
    trap.store.put(msgspec.structs.replace(tree, release_agent=text.strip()[:4095]))
    trap.authority("cgroup", "release_agent")


def _need_the_machine(trap: Trap) -> None:
    trap.need(Privilege.MOUNT)
    if trap.task.cred.user_ns != INITIAL_USER_NS:
        trap.deny(
            Errno.EPERM,
            "user-ns",
            N_(
                "The release agent runs as the machine's root: other user namespaces can't name it."
            ),
            "cgroups(7)",
        )


def _agent(trap: Trap, group: Cgroup) -> str:
    return f"{trap.store.row(Hierarchy, group.hierarchy).release_agent}\n"


V1 = (
    FileSpec("cgroup.clone_children", READ_WRITE, setting("cgroup.clone_children", "0"),
             flag("cgroup.clone_children"), since=(2, 6, 37)),
    FileSpec("cgroup.procs", READ_WRITE, _procs, _join_v1, since=(2, 6, 32)),
    FileSpec("cgroup.sane_behavior", READ_ONLY, fixed("0\n"), child=False, since=(3, 10)),
    FileSpec("notify_on_release", READ_WRITE, setting("notify_on_release", "0"),
             flag("notify_on_release")),
    FileSpec("release_agent", READ_WRITE, _agent, _notify_agent, child=False),
    FileSpec("tasks", READ_WRITE, _procs, _join_v1),
)  # fmt: skip


def available(trap: Trap, group: Cgroup) -> frozenset[str]:
    """The controllers that version 2 lets the group use: what its parent hands down."""
    if group.parent is None:
        return trap.store.row(Hierarchy, group.hierarchy).controllers
    return trap.store.row(Cgroup, group.parent).subtree


V2_ORDER = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc")
KNOWN = frozenset((*V2_ORDER, *layout.CONTROLLERS))


def _line(names: frozenset[str]) -> str:
    text = " ".join(name for name in V2_ORDER if name in names)
    return f"{text}\n" if text else ""


def _controllers(trap: Trap, group: Cgroup) -> str:
    return _line(available(trap, group))


def _subtree(_trap: Trap, group: Cgroup) -> str:
    return _line(group.subtree)


def _set_subtree(trap: Trap, group: Cgroup, text: str) -> None:
    """cgroup_subtree_control_write(): ``+name`` and ``-name``. EINVAL, ENOENT, EBUSY."""
    enable: set[str] = set()
    disable: set[str] = set()
    for word in text.split():
        if word[0] not in "+-" or word[1:] not in KNOWN:
            invalid(trap)
        (enable if word[0] == "+" else disable).add(word[1:])
        (disable if word[0] == "+" else enable).discard(word[1:])
    if enable - available(trap, group) - group.subtree:
        trap.fail(Errno.ENOENT, N_("The parent does not hand this controller down."), "cgroups(7)")
    children = trap.store.rows_by(CHILDREN, group.id) if disable else ()
    threaded.need_switchable(trap, group, enable)
    if any(disable & child.subtree for child in children):
        trap.fail(Errno.EBUSY, N_("A child still hands the controller down."), "cgroups(7)")
    if enable and group.parent is not None and living(trap.store, group):
        trap.fail(Errno.EBUSY, N_("A group with tasks hands no controllers down."), "cgroups(7)")
    trap.store.put(msgspec.structs.replace(group, subtree=(group.subtree | enable) - disable))
    for child in children:
        kept = {k: v for k, v in child.settings.items() if k.partition(".")[0] not in disable}
        if kept != child.settings:
            trap.store.put(msgspec.structs.replace(child, settings=kept))


def _events(trap: Trap, group: Cgroup) -> str:
    frozen = is_frozen(trap, group) and populated(trap, group)
    return f"populated {int(populated(trap, group))}\nfrozen {int(frozen)}\n"


def is_frozen(trap: Trap, group: Cgroup) -> bool:
    """Whether the group or one above it is frozen."""
    return any(trap.store.get(Frozen, above.id) is not None for above in upward(trap.store, group))


def freeze(trap: Trap, group: Cgroup, frozen: bool) -> None:
    """Stop a group's tasks from running, or let them go on."""
    now = trap.store.get(Frozen, group.id)
    if frozen and now is None:
        trap.store.put(Frozen(id=group.id))
    elif not frozen and now is not None:
        trap.store.drop(Frozen, group.id)


def _set_freeze(trap: Trap, group: Cgroup, text: str) -> None:
    value = integer(trap, text)
    if value not in (0, 1):
        out_of_range(trap)
    freeze(trap, group, bool(value))


def _frozen(trap: Trap, group: Cgroup) -> str:
    return f"{int(trap.store.get(Frozen, group.id) is not None)}\n"


def _kill(trap: Trap, group: Cgroup, text: str) -> None:
    if integer(trap, text) != 1:
        out_of_range(trap)
    for below in tuple(groups.downward(trap.store, group)):
        for task in living(trap.store, below):
            trap.touch("process", task.domain, "signal", task.comm)
            signal.send(trap.store, task.id, SIGKILL)


def _descendants(trap: Trap, group: Cgroup) -> int:
    return sum(1 for _ in groups.downward(trap.store, group)) - 1


def _stat(trap: Trap, group: Cgroup) -> str:
    below = _descendants(trap, group)
    return f"nr_descendants {below}\nnr_dying_descendants 0\n"


V2 = (
    FileSpec("cgroup.controllers", READ_ONLY, _controllers),
    FileSpec("cgroup.events", READ_ONLY, _events, root=False),
    FileSpec("cgroup.freeze", READ_WRITE, _frozen, _set_freeze, root=False, since=(5, 2)),
    FileSpec("cgroup.kill", WRITE_ONLY, None, _kill, root=False, since=(5, 14)),
    FileSpec("cgroup.max.depth", READ_WRITE, setting("cgroup.max.depth", "max"),
             bounded("cgroup.max.depth", INT_MAX, errno_range=True)),
    FileSpec("cgroup.max.descendants", READ_WRITE, setting("cgroup.max.descendants", "max"),
             bounded("cgroup.max.descendants", INT_MAX, errno_range=True)),
    FileSpec("cgroup.pressure", READ_WRITE, setting("cgroup.pressure", "1"),
             whole("cgroup.pressure", 0, 1, errno_range=False), since=(6, 1)),
    FileSpec("cgroup.procs", READ_WRITE, _procs, _join_v2),
    FileSpec("cgroup.stat", READ_ONLY, _stat, since=(4, 14)),
    FileSpec("cgroup.stat.local", READ_ONLY, fixed("frozen_usec 0\n"), root=False, since=(6, 17)),
    FileSpec("cgroup.subtree_control", READ_WRITE, _subtree, _set_subtree),
    FileSpec("cgroup.threads", READ_WRITE, _procs, _join_v2, since=(4, 14)),
    FileSpec("cgroup.type", READ_WRITE, threaded.read, threaded.write, root=False, since=(4, 14)),
)  # fmt: skip


def room_below(trap: Trap, group: Cgroup) -> None:
    """Refuse a group too many, or too deep. EAGAIN (cgroup_check_hierarchy_limits())."""
    for depth, above in enumerate(upward(trap.store, group), 1):
        most = above.settings.get("cgroup.max.descendants", "max")
        deepest = above.settings.get("cgroup.max.depth", "max")
        full = most != "max" and _descendants(trap, above) >= int(most)
        if full or (deepest != "max" and depth > int(deepest)):
            trap.deny(
                Errno.EAGAIN,
                "cgroup-limits",
                N_("A group above allows no more groups, or no deeper ones."),
                "cgroups(7)",
            )
