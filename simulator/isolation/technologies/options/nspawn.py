"""systemd-nspawn(1)'s options, as getopt_long(3) reads them."""

from collections.abc import Callable

import msgspec

from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.init import Init
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.no_new_privs import NoNewPrivs
from simulator.isolation.mechanisms.readonly_paths import ReadonlyPaths
from simulator.isolation.mechanisms.readonly_root import ReadonlyRoot
from simulator.isolation.mechanisms.seccomp_nspawn import NspawnFilter
from simulator.isolation.mechanisms.user_ns import UserNs
from simulator.isolation.mechanisms.volumes import Volume, Volumes
from simulator.isolation.technologies.base import Technology, change, drop, put
from simulator.isolation.technologies.defaults import nspawn as defaults
from simulator.isolation.technologies.options.reading import (
    Option,
    OptionError,
    getopt_long,
    number,
)
from simulator.machine.abi.constants import CAPABILITY_NAMES
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.cred import ALL_CAPABILITIES, capability


def read(technology: Technology, words: list[str]) -> Technology:
    """The container with these options; ``SpecError`` for one that systemd-nspawn lacks."""
    return getopt_long("systemd-nspawn", TABLE, technology, words)


def _mask(value: str) -> int:
    if value == "all":
        return ALL_CAPABILITIES
    found = 0
    for name in value.upper().split(","):
        if name not in CAPABILITY_NAMES:
            raise OptionError(_("no such capability"))
        found |= capability(name)
    return found


def _held(technology: Technology) -> int:
    held = technology.get("capabilities")
    return held.keep if isinstance(held, Capabilities) else ALL_CAPABILITIES


def _capability(technology: Technology, value: str) -> Technology:
    return put(technology, Capabilities(_held(technology) | _mask(value)))


def _drop_capability(technology: Technology, value: str) -> Technology:
    return put(technology, Capabilities(_held(technology) & ~_mask(value)))


def _boolean(value: str) -> bool:
    words = {"yes": True, "true": True, "on": True, "1": True}
    words |= {"no": False, "false": False, "off": False, "0": False}
    if value not in words:
        raise OptionError(_("yes or no was expected"))
    return words[value]


def _network(technology: Technology, _value: str) -> Technology:
    technology = put(technology, NetNs(bridge="", ipv6=True))
    technology = put(technology, ReadonlyPaths(defaults.READ_ONLY, ("/proc/sys/net",)))
    return put(technology, Capabilities(_held(technology) | capability("CAP_NET_ADMIN")))


def _users(technology: Technology, value: str) -> Technology:
    """``--private-users=BASE:COUNT``; ``no`` is the default."""
    if value == "no":
        return drop(technology, "user-ns")
    base, _colon, count = value.partition(":")
    outside = number(base)
    image = msgspec.structs.replace(technology.image, uid_shift=outside)
    return put(change(technology, image=image), UserNs(outside, number(count or "65536")))


def _bind(read_only: bool) -> Callable[[Technology, str], Technology]:
    def bound(technology: Technology, value: str) -> Technology:
        source, _colon, rest = value.partition(":")
        target = rest.partition(":")[0] or source
        if not source.startswith("/") or not target.startswith("/"):
            raise OptionError(_("an absolute path was expected"))
        held = technology.get("volumes")
        volumes = held if isinstance(held, Volumes) else Volumes()
        binds = (*volumes.binds, Volume(source, target, read_only))
        return put(technology, Volumes(binds, volumes.tmpfs))

    return bound


def _filter(technology: Technology, value: str) -> Technology:
    """Calls added to the filter's list; after a ``~`` taken from it."""
    held = technology.get("seccomp")
    filter_ = held if isinstance(held, NspawnFilter) else NspawnFilter()
    calls = frozenset(value.removeprefix("~").replace(",", " ").split())
    if any(name.startswith("@") for name in calls):
        raise OptionError(_("names of system calls were expected"))
    if value.startswith("~"):
        return put(technology, NspawnFilter(filter_.also - calls, filter_.never | calls))
    return put(technology, NspawnFilter(filter_.also | calls, filter_.never - calls))


def _no_new_privileges(technology: Technology, value: str) -> Technology:
    if _boolean(value):
        return put(technology, NoNewPrivs())
    return drop(technology, "no-new-privs")


def _hostname(technology: Technology, value: str) -> Technology:
    return change(technology, guest=msgspec.structs.replace(technology.guest, hostname=value))


def _keep_unit(technology: Technology, _value: str) -> Technology:
    """No scope of its own: no group, and nothing that would keep a list of devices."""
    return drop(technology, "device-list", "cgroup-limits")


def _register(technology: Technology, value: str) -> Technology:
    _boolean(value)
    return technology


TABLE: dict[str, Option] = {
    "--capability": Option(_capability),
    "--drop-capability": Option(_drop_capability),
    "--private-network": Option(_network, value=False),
    "--private-users": Option(_users),
    "--read-only": Option(lambda one, _value: put(one, ReadonlyRoot()), value=False),
    "--bind": Option(_bind(read_only=False)),
    "--bind-ro": Option(_bind(read_only=True)),
    "--hostname": Option(_hostname),
    "--no-new-privileges": Option(_no_new_privileges),
    "--system-call-filter": Option(_filter),
    "--as-pid2": Option(lambda one, _value: put(one, Init("(sd-stubinit)")), value=False),
    "--register": Option(_register),
    "--keep-unit": Option(_keep_unit, value=False),
}
