"""bwrap(1)'s options: namespaces, and what its empty root is filled with, in order."""

from collections.abc import Callable

import msgspec

from simulator.isolation.mechanisms.base import Mechanism
from simulator.isolation.mechanisms.bubble_root import BubbleRoot, Kind, Operation
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.cgroup_ns import CgroupNs
from simulator.isolation.mechanisms.init import Init
from simulator.isolation.mechanisms.ipc_ns import IpcNs
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.pid_ns import PidNs
from simulator.isolation.mechanisms.user_ns import UserNs
from simulator.isolation.mechanisms.uts_ns import UtsNs
from simulator.isolation.technologies.base import SpecError, Technology, change, drop, put
from simulator.isolation.technologies.options.reading import (
    Option,
    OptionError,
    apply,
    unknown,
)
from simulator.machine.abi.constants import CAPABILITY_NAMES
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.cred import ALL_CAPABILITIES, capability

_NAMESPACES: dict[str, Callable[[], Mechanism]] = {
    "--unshare-user": lambda: UserNs(outside=0, count=1, deny_setgroups=True),
    "--unshare-ipc": IpcNs,
    "--unshare-pid": PidNs,
    "--unshare-net": lambda: NetNs(bridge="", ipv6=True),
    "--unshare-uts": UtsNs,
    "--unshare-cgroup": CgroupNs,
}
_BINDS: tuple[Kind, ...] = ("bind", "ro-bind", "dev-bind")
_MOUNTS: tuple[Kind, ...] = ("proc", "dev", "tmpfs")


def read(technology: Technology, words: list[str]) -> Technology:
    """The sandbox with these options; ``SpecError`` for one that bwrap(1) does not have."""
    pending = list(words)
    operations: list[Operation] = []
    while pending:
        word = pending.pop(0)
        kind = word.removeprefix("--")
        if kind in _BINDS:
            operations.append(Operation(kind, _path(pending, word), _path(pending, word)))
        elif kind in _MOUNTS:
            operations.append(Operation(kind, "", _path(pending, word)))
        elif word in TABLE:
            value = _value(pending, word) if TABLE[word].value else ""
            technology = apply("bwrap", word, TABLE[word], technology, value)
        else:
            raise SpecError(unknown("bwrap", word, {**TABLE, **_PATHS}))
    if not any(one.target == "/" for one in operations):
        operations.insert(0, Operation("bind", "{root}", "/"))
    technology = put(technology, BubbleRoot(tuple(operations)))
    reaped = technology.get("pid-ns") is not None and "--as-pid-1" not in words
    return put(technology, Init("bwrap")) if reaped else technology


_PATHS = dict.fromkeys(f"--{kind}" for kind in (*_BINDS, *_MOUNTS))


def _value(pending: list[str], word: str) -> str:
    if not pending:
        raise SpecError(_("{product}: {name} needs a value").format(product="bwrap", name=word))
    return pending.pop(0)


def _path(pending: list[str], word: str) -> str:
    value = _value(pending, word)
    if not value.startswith("/"):
        raise SpecError(
            _("{product}: {name} {value}: {reason}").format(
                product="bwrap",
                name=word,
                value=repr(value),
                reason=_("an absolute path was expected"),
            )
        )
    return value


def _all(technology: Technology, _value: str) -> Technology:
    for make in _NAMESPACES.values():
        technology = put(technology, make())
    return technology


def _share_net(technology: Technology, _value: str) -> Technology:
    return drop(technology, "net-ns", share=True)


def _hostname(technology: Technology, value: str) -> Technology:
    return change(technology, guest=msgspec.structs.replace(technology.guest, hostname=value))


def _directory(technology: Technology, value: str) -> Technology:
    return change(technology, guest=msgspec.structs.replace(technology.guest, cwd=value))


def _cap_drop(technology: Technology, value: str) -> Technology:
    held = technology.get("capabilities")
    keep = held.keep if isinstance(held, Capabilities) else ALL_CAPABILITIES
    if value == "ALL":
        return put(technology, Capabilities(0))
    if value not in CAPABILITY_NAMES:
        raise OptionError(_("no such capability"))
    return put(technology, Capabilities(keep & ~capability(value)))


def _as_it_is(technology: Technology, _value: str) -> Technology:
    return technology


def _session(technology: Technology, _value: str) -> Technology:
    return change(technology, guest=msgspec.structs.replace(technology.guest, session=True))


TABLE: dict[str, Option] = {
    **{
        name: Option(lambda technology, _value, make=make: put(technology, make()), value=False)
        for name, make in _NAMESPACES.items()
    },
    "--unshare-all": Option(_all, value=False),
    "--share-net": Option(_share_net, value=False),
    "--hostname": Option(_hostname),
    "--chdir": Option(_directory),
    "--cap-drop": Option(_cap_drop),
    "--new-session": Option(_session, value=False),
    "--die-with-parent": Option(_as_it_is, value=False),
    "--as-pid-1": Option(_as_it_is, value=False),
}
