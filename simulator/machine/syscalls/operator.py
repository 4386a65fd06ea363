"""What a container runtime does that a plain call can't carry: marked with ``@``, never a guest's.

No program can say these names: the probe language and the shell don't know them. ``@netlink``
stands for one rtnetlink(7) message, ``@devices`` for attaching an eBPF program to a control group
(bpf(2), BPF_CGROUP_DEVICE), ``@helper`` for the birth of a program that the kernel runs by itself.
``@domain``, ``@grant`` and ``@share`` change nothing that a kernel knows of: they
say whose things are whose, so that a later access can be told to be a leak or no leak. ``@event``
changes nothing at all: it is how whoever looks on learns what a daemon told its listeners.
"""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import Domain, NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import pids, usermode
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.namespace import KINDS, NetNs
from simulator.machine.kernel.net import interface as links
from simulator.machine.kernel.net import spaces
from simulator.machine.kernel.resource.group import (
    NAMED,
    UNIFIED,
    Cgroup,
    DeviceList,
    DeviceRule,
    Hierarchy,
)
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.kernel.vfs.path import walk
from simulator.machine.syscalls.registry import posix

CITE = "rtnetlink(7)"
assert spaces  # imported for what it has every new network namespace begin with


@posix("@domain")
def domain(trap: Trap, pid: int, owner: str) -> int:
    """Task ``pid`` is ``owner``'s from now on, and so are the namespaces, the control groups and
    the prison that it does not share with the caller. ESRCH.
    """
    store = trap.store
    task = pids.need(trap, pid)
    store.put(msgspec.structs.replace(task, domain=Domain(owner)))
    for kind, table in KINDS.items():
        mine = getattr(task.ns, kind, None) if kind != "user" else task.cred.user_ns
        other = getattr(trap.task.ns, kind, None) if kind != "user" else trap.cred.user_ns
        if mine is not None and mine != other:
            store.put(msgspec.structs.replace(store.row(table, mine), domain=owner))
    for hierarchy, group in task.cgroups.items():
        if group != trap.task.cgroups.get(hierarchy):
            row = store.get(Cgroup, group)
            if row is not None and row.parent is not None:
                store.put(msgspec.structs.replace(row, domain=Domain(owner)))
    if task.context != trap.task.context:
        prison = store.row(Context, task.context)
        store.put(msgspec.structs.replace(prison, domain=Domain(owner)))
    return 0


@posix("@grant")
def grant(trap: Trap, path: str) -> int:
    """The mount that ``path`` leads to was handed in on purpose. ENOENT, EINVAL."""
    trap.store.put(msgspec.structs.replace(_mount_at(trap, path), granted=True))
    return 0


@posix("@share")
def share(trap: Trap, path: str) -> int:
    """What is read through the mount that ``path`` leads to is everybody's. ENOENT, EINVAL."""
    trap.store.put(msgspec.structs.replace(_mount_at(trap, path), public=True))
    return 0


@posix("@event")
def event(trap: Trap, kind: str, action: str, ident: str, now: int, attributes: Any) -> int:
    """A daemon tells its listeners that ``action`` happened to ``ident``, of that ``kind``; when,
    in nanoseconds since the epoch.
    """
    del trap, kind, action, ident, now, attributes
    return 0


def _mount_at(trap: Trap, path: str) -> Mount:
    at = walk(trap, path)
    mount = trap.store.row(Mount, at.mount)
    if mount.root != at.inode:
        trap.fail(Errno.EINVAL, N_("No mount begins here."), "mount(2)")
    return mount


@posix("@devices")
def devices(trap: Trap, path: str, rules: Any) -> int:
    """Deny every device to version 2 group ``path``, then allow ``rules``. EPERM, ENOENT."""
    trap.need(Privilege.MOUNT)
    store = trap.store
    tree = store.get(Hierarchy, UNIFIED)
    if tree is None:
        trap.fail(Errno.ENOENT, N_("This machine has no version 2 control groups."), "cgroups(7)")
    group = store.row(Cgroup, tree.root)
    for name in path.strip("/").split("/"):
        below = store.first(NAMED, (group.id, name))
        if below is None:
            trap.fail(Errno.ENOENT, N_("No control group has this name."), "cgroups(7)")
        group = below
    listed = DeviceList(False, tuple(map(_rule, cast("tuple[str, ...]", rules))))
    programs = (*group.programs, listed)
    store.put(msgspec.structs.replace(group, programs=programs))
    return 0


def _rule(text: str) -> DeviceRule:
    """``c 1:3 rwm``, in the words of the version 1 controller."""
    kind, numbers, access = text.split()
    major, minor = (None if part == "*" else int(part) for part in numbers.split(":"))
    return DeviceRule(kind, major, minor, access)


@posix("@helper")
def helper(trap: Trap, number: int) -> int:
    """A task for a program that the kernel wants run; by the first process only. Its pid."""
    return usermode.start(trap, number).id


@posix("@netlink")
def netlink(trap: Trap, message: Any) -> int:
    """One rtnetlink(7) message: ``do`` is bridge, veth, set, address, delete or route.

    EPERM, EEXIST, ENODEV, ESRCH.
    """
    asked = cast("Mapping[str, Any]", message)
    ns = trap.task.ns.net
    trap.need(Privilege.NET_CONFIG, trap.store.row(NetNs, ns).owner)
    match asked["do"]:
        case "bridge":
            _bridge(trap, ns, asked)
        case "dummy":
            _dummy(trap, ns, asked)
        case "veth":
            _veth(trap, ns, asked)
        case "set":
            links.set_up(trap.store, _named(trap, ns, asked["name"]), bool(asked["up"]))
        case "address":
            one = _named(trap, ns, asked["name"])
            links.add_address(trap.store, one, asked["address"], asked["prefix"])
        case "delete":
            links.remove(trap.store, _named(trap, ns, asked["name"]))
        case _:
            network, _found, prefix = str(asked["to"]).partition("/")
            links.add_route(
                trap.store,
                ns,
                network,
                int(prefix),
                gateway=asked["via"],
                interface=_towards(trap, ns),
                domain=trap.task.domain,
            )
    return 0


def _bridge(trap: Trap, ns: NsId, asked: Mapping[str, Any]) -> None:
    if links.named(trap.store, ns, asked["name"]) is not None:
        trap.fail(Errno.EEXIST, N_("An interface already has this name."), CITE)
    made = links.add(trap.store, ns, links.Link(asked["name"], "bridge"), domain=trap.task.domain)
    made = links.add_address(trap.store, made, asked["address"], asked["prefix"])
    links.set_up(trap.store, made, True)


def _dummy(trap: Trap, ns: NsId, asked: Mapping[str, Any]) -> None:
    """An interface that leads nowhere: a place for addresses (dummy(4))."""
    if links.named(trap.store, ns, asked["name"]) is not None:
        trap.fail(Errno.EEXIST, N_("An interface already has this name."), CITE)
    made = links.add(trap.store, ns, links.Link(asked["name"], "dummy"), domain=trap.task.domain)
    links.set_up(trap.store, made, True)


def _veth(trap: Trap, ns: NsId, asked: Mapping[str, Any]) -> None:
    """Make the pair, give one end to the bridge (if any), the other to a task's namespace."""
    store = trap.store
    other = pids.need(trap, int(asked["pid"]))
    owner = other.domain
    far = other.ns.net
    near, inner = links.add_veth(store, ns, asked["name"], far, asked["peer"], trap.task.domain)
    store.put(msgspec.structs.replace(inner, domain=owner, mac=asked.get("mac", inner.mac)))
    if asked.get("master"):
        near = msgspec.structs.replace(near, master=_named(trap, ns, asked["master"]).id)
    store.put(near)
    links.set_up(store, near, True)


def _towards(trap: Trap, ns: NsId) -> links.Interface | None:
    """The interface over which the new default route goes: the only one that is no loopback."""
    return next((one for one in links.listed(trap.store, ns) if one.kind != "loopback"), None)


def _named(trap: Trap, ns: NsId, name: str) -> links.Interface:
    found = links.named(trap.store, ns, name)
    if found is None:
        trap.fail(Errno.ENODEV, N_("No interface has this name here."), CITE)
    return found
