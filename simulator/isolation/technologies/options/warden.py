"""Warden's own words: fields of its requests (``privileged: true``) and of its configuration."""

from collections.abc import Callable
from dataclasses import replace

import msgspec

from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.device_list import DeviceList
from simulator.isolation.mechanisms.pool_firewall import PoolFirewall
from simulator.isolation.mechanisms.rlimits import Rlimits
from simulator.isolation.mechanisms.uid_pool import UidPool
from simulator.isolation.mechanisms.volumes import Volume, Volumes
from simulator.isolation.technologies.base import SpecError, Technology, change, put
from simulator.isolation.technologies.defaults.warden import LIMITS
from simulator.isolation.technologies.options.reading import (
    Apply,
    Option,
    OptionError,
    apply,
    number,
    size,
    unknown,
)
from simulator.machine.abi.constants import BY_NAME
from simulator.machine.abi.i18n import gettext as _


def read(technology: Technology, words: list[str]) -> Technology:
    """``key: value`` as in YAML, or ``key=value``. ``SpecError`` for what Warden does not have."""
    pending = list(words)
    while pending:
        word = pending.pop(0)
        name, found, value = word.partition("=") if ":" not in word else word.partition(":")
        if word.partition("=")[0] in TABLE:
            name, found, value = word.partition("=")
        option = TABLE.get(name)
        if option is None:
            raise SpecError(unknown("warden", name, TABLE))
        if not value and found:
            value = pending.pop(0) if pending else ""
        if not value:
            raise SpecError(
                _("{product}: {name} needs a value").format(product="warden", name=name)
            )
        technology = apply("warden", name, option, technology, value)
    return technology


def _truth(value: str) -> bool:
    if value not in ("true", "false"):
        raise OptionError(_("true or false was expected"))
    return value == "true"


def _privileged(technology: Technology, value: str) -> Technology:
    return put(technology, UidPool(runs=not _truth(value)))


def _nested(technology: Technology, value: str) -> Technology:
    return put(technology, DeviceList(("a *:* rw",))) if _truth(value) else technology


def _host_access(technology: Technology, value: str) -> Technology:
    held = technology.get("pool-firewall")
    assert isinstance(held, PoolFirewall)
    return put(technology, replace(held, host_access=_truth(value)))


def _net_out(technology: Technology, value: str) -> Technology:
    network, _found, port = value.partition(":")
    held = technology.get("pool-firewall")
    assert isinstance(held, PoolFirewall)
    one = (network, number(port) if port else 0)
    return put(technology, replace(held, allowed=(*held.allowed, one)))


def _rootfs(technology: Technology, value: str) -> Technology:
    if not value.startswith("/"):
        raise OptionError(_("an absolute path was expected"))
    return change(technology, image=msgspec.structs.replace(technology.image, layer=value))


def _bind_mounts(technology: Technology, value: str) -> Technology:
    """``/source:/target[:ro|rw]``, several with commas."""
    binds: list[Volume] = []
    for word in value.split(","):
        source, _found, rest = word.partition(":")
        target, _found, mode = rest.partition(":")
        if not source.startswith("/") or not target.startswith("/") or mode not in ("", "ro", "rw"):
            raise OptionError(_("/source/path:/target/path[:ro] was expected"))
        binds.append(Volume(source, target, mode == "ro"))
    held = technology.get("volumes")
    volumes = held if isinstance(held, Volumes) else Volumes()
    return put(technology, Volumes((*volumes.binds, *binds), volumes.tmpfs))


def _limit(field: str, convert: Callable[[str], int]) -> Apply:
    def limit(technology: Technology, value: str) -> Technology:
        held = technology.get("cgroup-limits")
        assert isinstance(held, CgroupLimits)
        return put(technology, replace(held, **{field: convert(value)}))

    return limit


def _rlimit(name: str) -> Apply:
    def limit(technology: Technology, value: str) -> Technology:
        held = technology.get("rlimits")
        limits = held.limits if isinstance(held, Rlimits) else ()
        resource = BY_NAME[f"RLIMIT_{name.upper()}"]
        assert isinstance(resource, int)
        others = tuple(one for one in limits if one[0] != resource)
        return put(technology, Rlimits((*others, (resource, number(value), number(value)))))

    return limit


def _grace(technology: Technology, value: str) -> Technology:
    """When an unused container goes away: the sandbox of a session is always in use."""
    if value != "~":
        number(value)
    return technology


RLIMITS = (*LIMITS, "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "rss")
TABLE: dict[str, Option] = {
    "privileged": Option(_privileged),
    "bind_mounts": Option(_bind_mounts),
    "grace_time": Option(_grace),
    "rootfs": Option(_rootfs),
    "rootfs_path": Option(_rootfs),
    "limit_memory": Option(_limit("memory", size)),
    "limit_cpu": Option(_limit("shares", number)),
    "net_out": Option(_net_out),
    "allow_nested_warden": Option(_nested),
    "allow_host_access": Option(_host_access),
    **{f"rlimits.{name}": Option(_rlimit(name)) for name in RLIMITS},
}
