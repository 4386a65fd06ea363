"""jail(2), jail_set(2), jail_get(2), jail_attach(2), jail_remove(2).

Parameters are a dictionary of jail(8)'s own names. Source: sys/kern/kern_jail.c.
"""

from collections.abc import Mapping
from typing import Any, NoReturn, cast

import msgspec

from simulator.machine.abi.call import Data, Result, Returned
from simulator.machine.abi.constants import (
    AF_INET,
    AF_INET6,
    JAIL_ATTACH,
    JAIL_CREATE,
    JAIL_DYING,
    JAIL_UPDATE,
    SIGKILL,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import ContextId, Pid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel import prison, prison_params
from simulator.machine.kernel.context import LIFTED, ROOT_CONTEXT, Context
from simulator.machine.kernel.namespace import IpcNs, NetNs, NsProxy
from simulator.machine.kernel.namespaces.make import new_ipc_ns, new_net_ns
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.task import IN_CONTEXT, At
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.syscalls import decode, directories
from simulator.machine.syscalls.registry import freebsd

JAIL_API_VERSION = 2
_SET_FLAGS = JAIL_CREATE | JAIL_UPDATE | JAIL_ATTACH | JAIL_DYING
_MAKER = {"jid", "name", "path", "host.hostname"}


@freebsd("jail_set", since=(8, 0))
def jail_set(trap: Trap, given: Any = None, flags: int = 0) -> int:
    """jail_set(2): EEXIST EINVAL ENOENT EPERM. The value is the jid."""
    trap.need(Privilege.JAIL_CREATE)
    if flags & JAIL_ATTACH:
        trap.need(Privilege.JAIL_ATTACH)
    mine = prison.of(trap)
    if flags & JAIL_CREATE and not prison.number(mine, "children.max", prison_params.JAIL_MAX):
        prison_params.refuse(trap, N_("children.max of the caller's prison lets it make none."))
    if flags & ~_SET_FLAGS or not flags & (JAIL_CREATE | JAIL_UPDATE):
        prison_params.invalid(trap, N_("Either a prison is made or one is changed."))
    asked = decode.structure(given, "jail parameters")
    decode.need_numbers(asked, ("jid",), "jail parameters")
    found = _named(trap, asked)
    if found is None:
        if not flags & JAIL_CREATE:
            _no_such(trap, Errno.ENOENT)
        row = _create(trap, mine, asked, flags)
    elif not flags & JAIL_UPDATE:
        trap.fail(Errno.EEXIST, N_("A prison has this name or number already."), "jail(2)")
    else:
        row = _update(trap, found, asked)
        if not row.params["persist"] and not trap.store.by(IN_CONTEXT, row.id):
            # What held it was the flag alone (prison_deref()).
            row = msgspec.structs.replace(row, removed=True)
    trap.store.put(row)
    prison_params.hand_down(trap.store, row)
    if flags & JAIL_ATTACH:
        _attach(trap, row)
    return row.number


@freebsd("jail")
def jail(trap: Trap, given: Any = None) -> int:
    """jail(2): make a prison and enter it, in one call and the old words. EINVAL EPERM."""
    asked = decode.structure(given, "struct jail")
    if asked.get("version", JAIL_API_VERSION) not in (0, JAIL_API_VERSION):
        prison_params.invalid(trap, N_("There is no such version of struct jail."))
    words = {"path": "path", "hostname": "host.hostname", "jailname": "name"}
    params = {new: asked[old] for old, new in words.items() if asked.get(old)}
    for old, new in (("ip4", "ip4.addr"), ("ip6", "ip6.addr")):
        params[new] = tuple(asked.get(old) or ())
    return jail_set(trap, params, JAIL_CREATE | JAIL_ATTACH)


@freebsd("jail_attach", since=(5, 1))
def jail_attach(trap: Trap, jid: int) -> int:
    """jail_attach(2): EINVAL EPERM. There is no call that leads out again."""
    trap.need(Privilege.JAIL_ATTACH)
    row = prison.find_child(trap, jid=jid)
    if row is None:
        _no_such(trap, Errno.EINVAL)
    _attach(trap, row)
    return 0


@freebsd("jail_remove", since=(8, 0))
def jail_remove(trap: Trap, jid: int) -> int:
    """jail_remove(2): EINVAL EPERM. Every process in it is killed."""
    trap.need(Privilege.JAIL_CREATE)
    row = prison.find_child(trap, jid=jid)
    if row is None:
        _no_such(trap, Errno.EINVAL)
    for gone in (row, *prison.descendants(trap.store, ContextId(row.id))):
        for pid in trap.store.by(IN_CONTEXT, gone.id):
            exits.end(trap.store, Pid(cast("int", pid)), SIGKILL)
        trap.store.put(msgspec.structs.replace(gone, removed=True))
    return 0


@freebsd("jail_get", since=(8, 0))
def jail_get(trap: Trap, given: Any = None, flags: int = 0) -> Result:
    """jail_get(2): EINVAL ENOENT. By ``jid``, ``name`` or ``lastjid``; the data is every
    parameter of the prison.
    """
    if flags & ~JAIL_DYING:
        prison_params.invalid(trap, N_("jail_get has no such flag."))
    asked = decode.structure(given, "jail parameters")
    decode.need_numbers(asked, ("jid", "lastjid"), "jail parameters")
    if "lastjid" in asked:
        below = prison.descendants(trap.store, trap.task.context)
        later = [row for row in below if row.number > int(asked["lastjid"])]
        found = min(later, key=lambda row: row.number, default=None)
    else:
        found = _named(trap, asked)
    if found is None:
        _no_such(trap, Errno.ENOENT)
    trap.touch("process", found.domain, "name", f"prison {found.name}")
    return Returned(found.number, _told(trap, found))


def _told(trap: Trap, row: Context) -> dict[str, Data]:
    mine = prison.of(trap)
    cut = len(mine.name) + 1 if mine.id != ROOT_CONTEXT else 0
    shown: dict[str, Data] = {"jid": row.number, "name": row.name[cut:]}
    shown["host.hostname"] = row.hostname
    shown |= {
        name: value
        for name, value in row.params.items()
        if not name.startswith(LIFTED) and name not in shown
    }
    return shown


def _named(trap: Trap, asked: Mapping[str, Any]) -> Context | None:
    jid, name = asked.get("jid", 0), asked.get("name", "")
    if not isinstance(jid, int) or not isinstance(name, str) or jid < 0:
        prison_params.invalid(trap, N_("A prison is found by its number or its name."))
    return prison.find_child(trap, jid=jid, name=name) if jid or name else None


def _create(trap: Trap, mine: Context, asked: dict[str, Any], flags: int) -> Context:
    values = prison_params.settle(trap, mine, asked)
    if not values["persist"] and not flags & JAIL_ATTACH:
        prison_params.invalid(trap, N_("A new prison must persist or be entered."))
    _need_room(trap, mine)
    store = trap.store
    _need_no_clash(trap, prison_params.addresses(values))
    number = int(asked.get("jid") or store.new_id("jid"))
    name = str(asked.get("name") or number)
    if name.isdigit() and name != str(number):
        prison_params.invalid(trap, N_("A name that is a number is the prison's own number."))
    root = paths.walk(trap, str(asked.get("path", "/")))
    if not inodes.is_dir(inodes.load(trap, root.inode)):
        trap.fail(Errno.ENOTDIR, N_("A prison's root is a directory."), "jail(2)")
    if any(values[f"sysv{kind}"] == "new" for kind in prison_params.IPC_KINDS):
        _need_one_way(values)
    kept = {key: value for key, value in values.items() if key not in _MAKER}
    kept["path"] = str(asked.get("path", "/"))
    lifted = bool(kept.get(LIFTED + "prison-root"))
    return Context(
        id=ContextId(store.new_id(Context)),
        kind="prison",
        number=number,
        name=f"{mine.name}.{name}" if mine.id != ROOT_CONTEXT else name,
        parent=ContextId(mine.id),
        root=None if lifted else root,
        hostname=str(asked.get("host.hostname", "")),
        addresses=prison_params.addresses(values),
        params=kept,
        domain=trap.task.domain,
    )


def _need_no_clash(trap: Trap, wanted: tuple[str, ...]) -> None:
    """Two prisons may share an address only while each has no other: EADDRINUSE."""
    for row in prison.descendants(trap.store, ROOT_CONTEXT):
        for family in (AF_INET, AF_INET6) if not row.params["vnet"] else ():
            mine, theirs = (
                {text for text in listed if ip.family_of(text) == family}
                for listed in (wanted, row.addresses)
            )
            if mine & theirs and not len(mine) == len(theirs) == 1:
                trap.fail(
                    Errno.EADDRINUSE, N_("Another prison has one of the addresses."), "jail(2)"
                )


def _need_one_way(values: Mapping[str, Any]) -> None:
    if any(values[f"sysv{kind}"] == "inherit" for kind in prison_params.IPC_KINDS):
        raise NotModelled("one kind of System V IPC new and another inherited")


def _need_room(trap: Trap, mine: Context) -> None:
    """children.max, here and in every prison around: EPERM."""
    around: Context | None = mine
    while around is not None:
        inside = sum(1 for _ in prison.descendants(trap.store, ContextId(around.id)))
        if inside >= prison.number(around, "children.max", prison_params.JAIL_MAX):
            prison_params.refuse(
                trap, N_("The prison has as many children as it may (children.max).")
            )
        around = trap.store.row(Context, around.parent) if around.parent is not None else None


def _update(trap: Trap, row: Context, asked: dict[str, Any]) -> Context:
    """A prison that runs: its root stays, the rest follows its parameters."""
    if "path" in asked and asked["path"] != row.params["path"]:
        prison_params.invalid(trap, N_("A prison's path can't be changed."))
    given = {key: value for key, value in asked.items() if key not in _MAKER}
    parent = trap.store.row(Context, row.parent)
    values = prison_params.settle(trap, parent, given, row)
    return msgspec.structs.replace(
        row,
        hostname=str(asked.get("host.hostname", row.hostname)),
        addresses=prison_params.addresses(values),
        params=values,
    )


def _attach(trap: Trap, row: Context) -> None:
    """do_jail_attach(), pwd_chroot_chdir(): with no directory open, root and tag change at once."""
    directories.refuse_open_directories(trap)
    root: At = row.root or paths.walk(trap, str(row.params["path"]))
    lifted = row.root is None
    ns = _spaces(trap, row)
    if row.domain != trap.task.domain and not trap.store.by(IN_CONTEXT, row.id):
        row = msgspec.structs.replace(row, domain=trap.task.domain)
        trap.store.put(row)
    trap.update(
        root=root,
        cwd=root,
        top=trap.task.top if lifted else trap.task.top or root,
        context=ContextId(row.id),
        ns=ns,
        dumpable=False,
    )


def _spaces(trap: Trap, row: Context) -> NsProxy:
    """The prison's own System V objects (``sysvshm=new``) and network (``vnet``), made for its
    first process; the others share them.
    """
    ns = trap.task.ns
    first = next(iter(trap.store.rows_by(IN_CONTEXT, row.id)), None)
    if any(row.params[f"sysv{kind}"] == "new" for kind in prison_params.IPC_KINDS):
        owner = trap.store.row(IpcNs, ns.ipc).owner
        ns = msgspec.structs.replace(ns, ipc=first.ns.ipc if first else new_ipc_ns(trap, owner))
    if row.params["vnet"]:
        owner = trap.store.row(NetNs, ns.net).owner
        ns = msgspec.structs.replace(ns, net=first.ns.net if first else new_net_ns(trap, owner))
    return ns


def _no_such(trap: Trap, errno: Errno) -> NoReturn:
    trap.fail(errno, N_("The caller's prison has no such prison inside it."), "jail(2)")
