"""zone(2) by its subcodes: zone_create, zone_boot, zone_enter, zone_list, zone_lookup ...

A zone's definition is a dictionary of zone_create(3)'s own words. Source: uts/common/os/zone.c.
"""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from simulator.machine.abi.constants import (
    SIGKILL,
    ZCF_NET_EXCL,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import ContextId, Domain, MountId, NsId, Pid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import context, privset, zone
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel.boot import INIT
from simulator.machine.kernel.context import ROOT_CONTEXT, Context
from simulator.machine.kernel.fork import fork
from simulator.machine.kernel.ipc import params as ipc_params
from simulator.machine.kernel.namespace import IpcNs, NetNs
from simulator.machine.kernel.namespaces.make import new_ipc_ns, new_net_ns
from simulator.machine.kernel.net import interface as links
from simulator.machine.kernel.resource import processors
from simulator.machine.kernel.task import At, Task, TaskState
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import dpath, mounting, propagation
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.kernel.vfs.mount import CHILDREN, Mount
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import sunos

CITE = "uts/common/os/zone.c"
_WORDS = frozenset(("name", "root", "privs", "rctls", "flags", "brand", "fs-allowed", "pset"))
_OPERATOR = ("@domain", context.LIFTED)
"""How the model's own words begin: whose the zone is, and which of its rules are lifted."""


@sunos("zone_create")
def zone_create(trap: Trap, given: Any = None) -> int:
    """zone_create(): EPERM EINVAL EEXIST EBUSY ENOENT ENOTDIR. The value is the zone's id."""
    trap.need(Privilege.ZONE_CONFIG)
    asked = decode.structure(given, "zone definition")
    decode.need_numbers(asked, ("flags", "pset"), "zone definition")
    for word in asked:
        if word not in _WORDS and not word.startswith(_OPERATOR):
            zone.invalid(trap, N_("A zone's definition has no such word."))
    if trap.task.root != trap.store.row(Task, INIT).root:
        raise NotModelled("a zone that is made inside a chroot (ENOTSUP)")
    name = _name(trap, asked.get("name"))
    root = _root(trap, str(asked.get("root", "/")))
    if zone.named(trap.store, name) is not None:
        trap.fail(Errno.EEXIST, N_("A zone of this name exists already."), CITE)
    _need_alone(trap, root)
    row = _made(trap, asked, name, root)
    trap.store.put(row)
    return row.number


@sunos("zone_boot")
def zone_boot(trap: Trap, number: int) -> int:
    """zone_boot(): EPERM EINVAL. zsched starts the zone's init; a zone boots once."""
    trap.need(Privilege.ZONE_CONFIG)
    row = zone.need(trap, number)
    if zone.state(row) != "ready":
        zone.invalid(trap, N_("The zone is not in the state ready."))
    start_init(trap, row)
    return 0


@sunos("zone_enter")
def zone_enter(trap: Trap, number: int) -> int:
    """zone_enter(): EPERM EINVAL. The caller gets the zone's root, limit set and everything else.

    There is no call that leads out again, and none from one zone into another.
    """
    trap.need(Privilege.ZONE_CONFIG)
    if not zone.is_global(trap.task):
        zone.invalid(trap, N_("Only a process of the global zone can enter a zone."))
    row = zone.need(trap, number)
    if zone.state(row) not in ("ready", "booting", "running"):
        zone.invalid(trap, N_("The zone is being shut down."))
    if zone.limit_set(row) & ~privset.permitted(trap.cred):
        trap.deny(
            Errno.EPERM,
            "privileges",
            N_("The zone's limit set holds more than the caller's permitted set."),
            CITE,
        )
    enter(trap, row)
    return 0


@sunos("zone_shutdown")
def zone_shutdown(trap: Trap, number: int) -> int:
    """zone_shutdown(): EPERM EINVAL. Every process of the zone is killed."""
    trap.need(Privilege.ZONE_CONFIG)
    row = zone.need(trap, number)
    kill_all(trap, row)
    zone.write(trap, row, state="down")
    return 0


@sunos("zone_destroy")
def zone_destroy(trap: Trap, number: int) -> int:
    """zone_destroy(): EPERM EINVAL EBUSY. The id is free again."""
    trap.need(Privilege.ZONE_CONFIG)
    row = zone.need(trap, number)
    if zone.state(row) != "down":
        trap.fail(Errno.EBUSY, N_("The zone has not been shut down."), CITE)
    forget(trap, row)
    return 0


def enter(trap: Trap, row: Context) -> None:
    """What zone_enter() and zsched do to a process: root, credential, task, spaces."""
    root = cast("At | None", row.root) or paths.walk(trap, str(row.params["path"]))
    ns = trap.task.ns
    ipc, net = (row.params.get(name) for name in ("@ipc", "@net"))
    if isinstance(ipc, int):
        ns = msgspec.structs.replace(ns, ipc=NsId(ipc))
    if isinstance(net, int):
        ns = msgspec.structs.replace(ns, net=NsId(net))
    limit = zone.limit_set(row)
    cred = msgspec.structs.replace(
        trap.cred,
        bounding=trap.cred.bounding & limit,
        permitted=trap.cred.permitted & limit,
        effective=trap.cred.effective & limit,
        inheritable=trap.cred.inheritable & limit,
    )
    trap.update(root=root, cwd=root, context=ContextId(row.id), ns=ns, cred=cred)


def start_init(trap: Trap, row: Context) -> None:
    """zone_start_init(): the zone's init, which waits for what its processes leave behind."""
    child = fork(trap)
    zone.write(trap, row, state="running", init=child.id)
    row = trap.store.row(Context, row.id)
    born = Trap(trap.store, trap.family, child)
    enter(born, row)
    born.update(
        comm="init",
        argv=("/sbin/init",),
        env=(),
        parent=INIT,
        pgid=child.id,
        sid=child.id,
        state=TaskState.SLEEPING,
        domain=row.domain,
    )


def kill_all(trap: Trap, row: Context) -> None:
    """killall(): every process of the zone."""
    zone.write(trap, row, state="shutting_down", init=0)
    for task in zone.living(trap.store, ContextId(row.id)):
        exits.end(trap.store, Pid(task.id), SIGKILL)


def forget(trap: Trap, row: Context) -> None:
    """What remains of a zone goes: its logical interfaces and its id."""
    for one in trap.store.all(links.Interface):
        if one.context == row.id:
            trap.store.drop(links.Interface, one.id)
    trap.store.put(msgspec.structs.replace(row, removed=True, addresses=()))


def take_away(trap: Trap, row: Context) -> None:
    """zoneadmd's part, after a zone has halted itself: nothing stays mounted in its root.

    The kernel calls it through a door (zone_ki_call_zoneadmd()); ``trap`` is of the global zone.
    """
    root = cast("At | None", row.root)
    for mount in sorted(trap.store.all(Mount), key=lambda one: -one.id):
        at = At(MountId(mount.id), mount.root)
        if root is None or mount.ns is None or mount.id == root.mount:
            continue
        if dpath.is_reachable(trap, at, root):
            propagation.cut(trap, MountId(mount.id), lazy=True)
    forget(trap, row)


def _made(trap: Trap, asked: Mapping[str, Any], name: str, root: At) -> Context:
    store = trap.store
    owner = Domain(str(asked.get("@domain", trap.task.domain)))
    lifted = {word: 1 for word in asked if word.startswith(context.LIFTED)}
    free = {word.removeprefix(context.LIFTED) for word in lifted}
    rctls = decode.structure(asked.get("rctls") or {}, "resource controls")
    decode.need_numbers(rctls, rctls, "resource controls")
    exclusive = bool(int(asked.get("flags", 0)) & ZCF_NET_EXCL)
    params: dict[str, int | str | tuple[str, ...]] = {
        "path": str(asked.get("root", "/")),
        "limitpriv": _privileges(trap, asked, zone.PRIVILEGES in free),
        "ip-type": "exclusive" if exclusive else "shared",
        "brand": str(asked.get("brand", "native")),
        "fs-allowed": str(asked.get("fs-allowed", "")),
        "host": "new" if zone.NODENAME not in free else "",
        "state": "ready",
        **{control: int(value) for control, value in rctls.items()},
        **lifted,
    }
    params["pset"] = int(asked.get("pset", 0))
    if params["pset"] >= processors.count(store):
        zone.invalid(trap, N_("There are not enough processors: the pool default keeps one."))
    params |= zone.processors(params, processors.count(store))
    if zone.IPC not in free:
        params["@ipc"] = _own_ipc(trap, owner, params)
    if exclusive and zone.NETWORK not in free:
        params["@net"] = net = new_net_ns(trap, store.row(NetNs, trap.task.ns.net).owner)
        store.put(msgspec.structs.replace(store.row(NetNs, net), domain=owner))
        for one in links.listed(store, net):
            links.set_up(store, msgspec.structs.replace(one, domain=owner), True)
    return Context(
        id=ContextId(store.new_id(Context)),
        kind="zone",
        number=store.new_id("zoneid"),
        name=name,
        parent=ROOT_CONTEXT,
        root=None if zone.ROOT in free else root,
        hostname="" if zone.NODENAME in free else name,
        params=params,
        domain=owner,
    )


def _own_ipc(trap: Trap, owner: Domain, params: Mapping[str, Any]) -> int:
    """System V objects have a zone each, and as many as its zone.max-*-ids (ipc_impl.h)."""
    store = trap.store
    ipc = new_ipc_ns(trap, store.row(IpcNs, trap.task.ns.ipc).owner)
    store.put(msgspec.structs.replace(store.row(IpcNs, ipc), domain=owner))
    for control, name in (("shm", "kernel.shmmni"), ("msg", "kernel.msgmni")):
        most = params.get(f"zone.max-{control}-ids")
        if most is not None:
            ipc_params.write(store, ipc, name, str(most))
    most = params.get("zone.max-sem-ids")
    if most is not None:
        words = ipc_params.read(store, ipc, "kernel.sem").split()
        words[ipc_params.SEMMNI] = str(most)
        ipc_params.write(store, ipc, "kernel.sem", "\t".join(words))
    return ipc


def _privileges(trap: Trap, asked: Mapping[str, Any], lifted: bool) -> tuple[str, ...]:
    if lifted:
        return privset.PRIVILEGES
    names = tuple(cast("list[str]", asked.get("privs") or ()))
    if not set(names) <= set(privset.PRIVILEGES):
        zone.invalid(trap, N_("There is no such privilege."))
    return names


def _name(trap: Trap, name: Any) -> str:
    if not isinstance(name, str) or not name or name == zone.GLOBAL or len(name) > 63:
        zone.invalid(trap, N_("A zone needs a name of its own."))
    return name


def _root(trap: Trap, path: str) -> At:
    root = paths.walk(trap, path)
    if not inodes.is_dir(inodes.load(trap, root.inode)):
        trap.fail(Errno.ENOTDIR, N_("A zone's root is a directory."), CITE)
    return root


def _need_alone(trap: Trap, root: At) -> None:
    """zone_is_nested(), zone_mount_count(): EBUSY."""
    if root == trap.store.row(Task, INIT).root:
        trap.fail(Errno.EBUSY, N_("The global zone's root can't be a zone's."), CITE)
    if any(row.root == root for row in zone.active(trap.store)):
        trap.fail(Errno.EBUSY, N_("Another zone has this root."), CITE)
    for mount in trap.store.rows_by(CHILDREN, root.mount):
        inside = mount.mountpoint is not None and dpath.is_reachable(
            trap, At(root.mount, mount.mountpoint), root
        )
        if inside and not mounting.is_root(trap, root):
            trap.fail(Errno.EBUSY, N_("Something is mounted inside already."), CITE)
