"""What a prison may be told, and what it gets when nothing is said: the parameters of jail(8).

``settle`` turns what jail_set(2) was given into the full set of values, within what the parent
prison has itself. Source: sys/kern/kern_jail.c (kern_jail_set, pr_flag_allow, JAIL_DEFAULT_*).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, cast

import msgspec

from simulator.machine.abi.constants import AF_INET, AF_INET6
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import ContextId
from simulator.machine.kernel import prison
from simulator.machine.kernel.context import LIFTED, ROOT_CONTEXT, Context
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.trap import NotModelled
from simulator.machine.state.store import Store

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

Value: TypeAlias = "int | str | tuple[str, ...]"
Values: TypeAlias = dict[str, Value]

JAIL_MAX = 999_999
"""The highest jid, and how many prisons prison0 may have."""
ENFORCE_STATFS = 2
"""JAIL_DEFAULT_ENFORCE_STATFS: a prison sees the mount that its root is on, and no other."""

ALLOW_DEFAULTS: dict[str, int] = {
    "allow.set_hostname": 1,
    "allow.reserved_ports": 1,
    "allow.unprivileged_proc_debug": 1,
    "allow.suser": 1,
    **dict.fromkeys(
        (
            "allow.sysvipc",
            "allow.raw_sockets",
            "allow.chflags",
            "allow.mount",
            "allow.quotas",
            "allow.read_msgbuf",
            "allow.socket_af",
            "allow.mlock",
            "allow.nfsd",
            "allow.mount.devfs",
            "allow.mount.fdescfs",
            "allow.mount.fusefs",
            "allow.mount.nullfs",
            "allow.mount.procfs",
            "allow.mount.linprocfs",
            "allow.mount.linsysfs",
            "allow.mount.tmpfs",
            "allow.mount.zfs",
        ),
        0,
    ),
}
"""JAIL_DEFAULT_ALLOW, and everything that has to be asked for."""

IPC_KINDS = ("shm", "sem", "msg")
MODES = ("disable", "new", "inherit")
_NUMBERS = ("securelevel", "children.max", "enforce_statfs", "devfs_ruleset")
_NAMED = ("jid", "name", "path", "host.hostname", "host", "persist", "vnet", "ip4.addr", "ip6.addr")
KNOWN = frozenset(
    (*ALLOW_DEFAULTS, *_NUMBERS, *_NAMED, "ip4", "ip6", *(f"sysv{kind}" for kind in IPC_KINDS))
)

NOT_MODELLED = frozenset(
    (
        "allow.vmm", "cpuset.id", "host.domainname", "host.hostid", "host.hostuuid", "ip4.saddrsel",
        "ip6.saddrsel", "linux", "linux.osname", "linux.osrelease", "linux.oss_version",
        "osreldate", "osrelease",
    )
)  # fmt: skip
"""Parameters that FreeBSD 13 has and the model lacks: what they do is not said, nor refused."""


def follow(child: Context, parent: Mapping[str, Value]) -> Values:
    """The parameters of a prison inside one that has become stricter."""
    values: Values = dict(child.params)
    for name in ALLOW_DEFAULTS:
        values[name] = int(bool(values[name]) and bool(parent[name]))
    for name in ("securelevel", "enforce_statfs"):
        values[name] = max(_int(values[name]), _int(parent[name]))
    values["children.max"] = min(
        _int(values["children.max"]), max(_int(parent["children.max"]) - 1, 0)
    )
    values["devfs_ruleset"] = parent["devfs_ruleset"]
    return values


def hand_down(store: Store, row: Context) -> None:
    """Have every prison inside ``row``, which has become stricter, follow it."""
    for child in prison.descendants(store, ContextId(row.id)):
        values = follow(child, store.row(Context, child.parent).params)
        store.put(msgspec.structs.replace(child, params=values))


def _int(value: Value) -> int:
    return value if isinstance(value, int) else 0


def settle(
    trap: "Trap", parent: Context, given: Mapping[str, Any], was: Context | None = None
) -> Values:
    """Every parameter of a prison inside ``parent``: given, as it was, or the default.

    EINVAL for a name or a value that does not exist, EPERM for more than the parent has.
    """
    values: Values = dict(was.params) if was is not None else _inherited(parent)
    for name, value in given.items():
        if name.startswith(LIFTED):
            _need_host(trap, parent)
        elif name in NOT_MODELLED:
            raise NotModelled(f"the parameter {name} of a prison")
        elif name not in KNOWN:
            invalid(trap, N_("A prison has no such parameter."))
        values[name] = tuple(cast("list[str]", value)) if isinstance(value, list | tuple) else value
    if was is not None:
        _need_same_modes(trap, was, values)
    _settle_allow(trap, parent, values)
    _settle_numbers(trap, parent, values)
    for version in (4, 6):
        _settle_addresses(trap, parent, values, version)
    _settle_ipc(trap, given, values)
    return values


def _need_same_modes(trap: "Trap", was: Context, values: Values) -> None:
    """A prison that runs keeps its kind of network."""
    if any(values[name] != was.params[name] for name in ("ip4", "ip6", "vnet")):
        invalid(trap, N_("How a prison gets its addresses can't be changed after its creation."))


def addresses(values: Mapping[str, Value]) -> tuple[str, ...]:
    """What the prison is held to: nothing where its rule is lifted or it inherits."""
    if values.get(LIFTED + "prison-addresses"):
        return ()
    listed: list[str] = []
    for version in (4, 6):
        if values[f"ip{version}"] == "new":
            listed.extend(cast("tuple[str, ...]", values[f"ip{version}.addr"]))
    return tuple(listed)


def invalid(trap: "Trap", why: str) -> NoReturn:
    """EINVAL for a mistake of the caller."""
    trap.fail(Errno.EINVAL, why, "jail(2)")


def refuse(trap: "Trap", why: str) -> NoReturn:
    """EPERM: a prison hands out no more than it has."""
    trap.deny(Errno.EPERM, "prison", why, "jail(2)")


def _inherited(parent: Context) -> Values:
    """Experiments on the parent hold for its children too."""
    values: Values = {
        name: value for name, value in parent.params.items() if name.startswith(LIFTED)
    }
    values |= ALLOW_DEFAULTS
    values |= {
        "securelevel": prison.number(parent, "securelevel", -1),
        "children.max": 0,
        "enforce_statfs": max(ENFORCE_STATFS, prison.number(parent, "enforce_statfs", 0)),
        "devfs_ruleset": prison.number(parent, "devfs_ruleset", 0),
        "host": "new",
        "persist": 0,
        "vnet": 0,
    }
    for name in ALLOW_DEFAULTS:
        if not prison.allows(parent, name):
            values[name] = 0
    return values


def _need_host(trap: "Trap", parent: Context) -> None:
    if parent.id != ROOT_CONTEXT:
        invalid(trap, N_("A prison has no such parameter."))


def _settle_allow(trap: "Trap", parent: Context, values: Values) -> None:
    for name in ALLOW_DEFAULTS:
        values[name] = int(bool(values.get(name)))
        if values[name] and not prison.allows(parent, name):
            refuse(trap, N_("A prison can't allow what it is not allowed itself."))


def _settle_numbers(trap: "Trap", parent: Context, values: Values) -> None:
    numbers = {name: values[name] for name in _NUMBERS}
    if any(not isinstance(value, int) for value in numbers.values()):
        invalid(trap, N_("The parameter is a number."))
    level, children, statfs, ruleset = (cast("int", numbers[name]) for name in _NUMBERS)
    if not 0 <= statfs <= 2 or not 0 <= ruleset <= 65535 or children < 0:
        invalid(trap, N_("The parameter has no such value."))
    above = prison.number(parent, "devfs_ruleset", 0)
    if (
        level < prison.number(parent, "securelevel", -1)
        or children >= prison.number(parent, "children.max", JAIL_MAX)
        or statfs < prison.number(parent, "enforce_statfs", 0)
        or (above and ruleset != above)
    ):
        refuse(trap, N_("A prison can't be less restricted than the one around it."))


def _settle_addresses(trap: "Trap", parent: Context, values: Values, version: int) -> None:
    """Without a word about a family a prison has none of it; ``inherit`` is the parent's."""
    mode, listed = f"ip{version}", f"ip{version}.addr"
    given = values.get(listed, ())
    if values["vnet"]:
        if given:
            invalid(trap, N_("A prison with a network of its own has no list of addresses."))
        values[mode], values[listed] = "inherit", ()
        return
    own = (given,) if isinstance(given, str) else cast("tuple[str, ...]", given or ())
    wanted = AF_INET if version == 4 else AF_INET6
    if any(ip.parse(text) is None or ip.family_of(text) != wanted for text in own):
        invalid(trap, N_("This is no address of the family."))
    values.setdefault(mode, "new" if own else "disable")
    if values[mode] not in MODES:
        invalid(trap, N_("The parameter has no such value."))
    if values[mode] == "disable" or parent_lacks(parent, mode):
        values[mode], own = "disable", ()
    elif parent.id != ROOT_CONTEXT and parent.params[mode] == "new":
        theirs = cast("tuple[str, ...]", parent.params[listed])
        if values[mode] == "inherit":
            values[mode], own = "new", theirs
        elif not set(own) <= set(theirs):
            refuse(trap, N_("A prison can hand out its own addresses only."))
    values[listed] = own


def parent_lacks(parent: Context, mode: str) -> bool:
    """Whether the surrounding prison has no address of the family at all."""
    return parent.id != ROOT_CONTEXT and parent.params.get(mode) == "disable"


def _settle_ipc(trap: "Trap", given: Mapping[str, Any], values: Values) -> None:
    """``allow.sysvipc`` is the old word for ``inherit`` in all three."""
    old = "inherit" if values["allow.sysvipc"] else "disable"
    for kind in IPC_KINDS:
        name = f"sysv{kind}"
        if name not in given and (name not in values or "allow.sysvipc" in given):
            values[name] = old
        if values[name] not in MODES:
            invalid(trap, N_("The parameter has no such value."))
