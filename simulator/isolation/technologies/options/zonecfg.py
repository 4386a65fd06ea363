"""A zone's configuration as zonecfg(1M) has it: global properties and resources with properties.

What each may hold is data here; ``technology_of`` turns a configuration into mechanisms. Source:
cmd/zonecfg/zonecfg.c, lib/libzonecfg, zonecfg(1M).
"""

import difflib
import re
from collections.abc import Mapping

import msgspec

from simulator.isolation.mechanisms.sparse_root import INHERITED, SharedReadOnly, SparseRoot
from simulator.isolation.mechanisms.zone import Net, Zone
from simulator.isolation.mechanisms.zone_devices import ZoneDevices
from simulator.isolation.mechanisms.zone_filesystems import Filesystem, ZoneFilesystems
from simulator.isolation.mechanisms.zone_limitpriv import limit_set
from simulator.isolation.technologies.base import Technology, drop, put
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.net import address as ip


class ConfigError(Exception):
    """A property, resource or value that zonecfg does not take; one line."""


class Resource(msgspec.Struct, frozen=True):
    """One resource of a configuration: its type and its properties."""

    type: str
    properties: Mapping[str, str]


class Config(msgspec.Struct, frozen=True):
    """A configuration: global properties, and resources in the order in which they were added."""

    properties: Mapping[str, str]
    resources: tuple[Resource, ...] = ()

    def last(self, kind: str) -> Resource | None:
        """The resource of that type that was added last."""
        return next((one for one in reversed(self.resources) if one.type == kind), None)

    def of(self, kind: str) -> tuple[Resource, ...]:
        """All resources of one type."""
        return tuple(one for one in self.resources if one.type == kind)


class Kind(msgspec.Struct, frozen=True):
    """What a type of resource has: the properties it needs, those it may have, and how often."""

    needs: tuple[str, ...]
    may: tuple[str, ...] = ()
    many: bool = True


GLOBAL: tuple[str, ...] = (
    "zonename",
    "zonepath",
    "brand",
    "autoboot",
    "bootargs",
    "pool",
    "limitpriv",
    "scheduling-class",
    "ip-type",
    "hostid",
    "fs-allowed",
)
"""Global properties, in the order in which ``info`` shows them."""

ALIASES: Mapping[str, str] = {
    "max-lwps": "zone.max-lwps",
    "max-processes": "zone.max-processes",
    "max-shm-memory": "zone.max-shm-memory",
    "max-shm-ids": "zone.max-shm-ids",
    "max-msg-ids": "zone.max-msg-ids",
    "max-sem-ids": "zone.max-sem-ids",
    "cpu-shares": "zone.cpu-shares",
}
"""Global properties that are resource controls by a shorter name."""

RESOURCES: Mapping[str, Kind] = {
    "inherit-pkg-dir": Kind(("dir",)),
    "fs": Kind(("dir", "special", "type"), ("raw", "options")),
    "net": Kind((), ("address", "physical", "defrouter")),
    "device": Kind(("match",)),
    "rctl": Kind(("name", "value")),
    "attr": Kind(("name", "type", "value")),
    "dataset": Kind(("name",)),
    "dedicated-cpu": Kind(("ncpus",), ("importance",), many=False),
    "capped-cpu": Kind(("ncpus",), many=False),
    "capped-memory": Kind((), ("physical", "swap", "locked"), many=False),
}

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "autoboot": ("true", "false"),
    "ip-type": ("shared", "exclusive"),
    "brand": ("native",),
}
_NUMERIC = re.compile(r"\d+(\.\d+)?")


def blank() -> Config:
    """``create -b``: SUNWblank, a whole root and nothing else."""
    return Config({"brand": "native", "autoboot": "false", "ip-type": "shared"})


def default() -> Config:
    """``create``: SUNWdefault, a sparse root."""
    shared = tuple(Resource("inherit-pkg-dir", {"dir": path}) for path in INHERITED)
    return Config(blank().properties, shared)


def set_property(config: Config, name: str, value: str) -> Config:
    """``set name=value`` in the global scope."""
    if name not in GLOBAL and name not in ALIASES:
        raise ConfigError(_unknown(name, (*GLOBAL, *ALIASES)))
    choices = _CHOICES.get(name)
    if choices and value not in choices:
        raise ConfigError(
            _("{name}: one of {list} was expected").format(name=name, list=", ".join(choices))
        )
    if name in ALIASES:
        amount(name, value)
    if name == "zonepath" and not value.startswith("/"):
        raise ConfigError(_("{path} is not an absolute path.").format(path=value))
    return msgspec.structs.replace(config, properties={**config.properties, name: value})


def need_resource(kind: str) -> Kind:
    """What a type of resource has; ``ConfigError`` for one that zonecfg does not know."""
    found = RESOURCES.get(kind)
    if found is None:
        raise ConfigError(_unknown(kind, tuple(RESOURCES)))
    return found


def add(config: Config, kind: str) -> Config:
    """``add resource``."""
    known = need_resource(kind)
    if not known.many and config.of(kind):
        raise ConfigError(_("The {resource} resource already exists.").format(resource=kind))
    made = Resource(kind, {})
    return msgspec.structs.replace(config, resources=(*config.resources, made))


def set_inner(config: Config, kind: str, name: str, value: str) -> Config:
    """``set name=value`` in the scope of the last resource of type ``kind``."""
    known = need_resource(kind)
    if name not in (*known.needs, *known.may):
        raise ConfigError(
            _unknown(f"{kind}:{name}", [f"{kind}:{n}" for n in (*known.needs, *known.may)])
        )
    last = config.last(kind)
    assert last is not None
    _check_inner(kind, name, value)
    return with_inner(config, kind, {**last.properties, name: value})


def with_inner(config: Config, kind: str, properties: Mapping[str, str]) -> Config:
    """The last resource of type ``kind`` with just these properties, unchecked."""
    last = config.last(kind)
    assert last is not None
    changed = Resource(kind, properties)
    resources = list(config.resources)
    resources[len(resources) - 1 - resources[::-1].index(last)] = changed
    return msgspec.structs.replace(config, resources=tuple(resources))


def missing(resource: Resource) -> str:
    """The first property that a resource still needs, or nothing."""
    needs = RESOURCES[resource.type].needs
    return next((name for name in needs if name not in resource.properties), "")


def amount(name: str, text: str) -> int:
    """A number with an optional scale K, M, G or T. ``ConfigError``."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmgt]?)b?", text.strip().lower())
    if match is None:
        raise ConfigError(
            _("{name} {value}: a number such as 100 or 64m was expected").format(
                name=name, value=repr(text)
            )
        )
    return int(float(match[1]) * 1024 ** " kmgt".index(match[2] or " "))


def rctls(config: Config) -> dict[str, int]:
    """The zone.* resource controls that the configuration comes to."""
    found = {
        control: amount(name, config.properties[name])
        for name, control in ALIASES.items()
        if name in config.properties
    }
    if "zone.max-processes" in found:
        found.setdefault("zone.max-lwps", 10 * found["zone.max-processes"])
    for one in config.of("capped-memory"):
        for name, control in (("swap", "zone.max-swap"), ("locked", "zone.max-locked-memory")):
            if name in one.properties:
                found[control] = amount(name, one.properties[name])
    for one in config.of("capped-cpu"):
        found["zone.cpu-cap"] = int(float(one.properties["ncpus"]) * 100)
    for one in config.of("rctl"):
        limit = re.search(r"limit=(\d+)", one.properties.get("value", ""))
        if limit is not None:
            found[one.properties["name"]] = int(limit[1])
    return found


def technology_of(technology: Technology, config: Config) -> Technology:
    """``technology`` as the configuration wants it. ``ConfigError``, ``PlanError``."""
    for one in config.resources:
        name = missing(one)
        if name:
            raise ConfigError(
                _("{resource}: required property {name} is not specified").format(
                    resource=one.type, name=name
                )
            )
    ip_type = config.properties.get("ip-type", "shared")
    nets = tuple(_net(one, ip_type) for one in config.of("net"))
    memory = config.last("capped-memory")
    physical = memory.properties.get("physical", "0") if memory else "0"
    old = technology.get("zone")
    kept = old.nets if isinstance(old, Zone) and not nets and ip_type == "shared" else nets
    limitpriv = config.properties.get("limitpriv") or "default"
    limit_set(limitpriv, ip_type)
    zone = Zone(
        limitpriv=limitpriv,
        ip_type=ip_type,
        brand=config.properties.get("brand", "native"),
        nets=kept,
        rctls=tuple(rctls(config).items()),
        physical=amount("physical", physical),
        ncpus=_dedicated(config),
        fs_allowed=config.properties.get("fs-allowed", ""),
    )
    technology = put(technology, zone)
    more = tuple(one.properties["match"].removeprefix("/dev/") for one in config.of("device"))
    technology = put(technology, ZoneDevices(more, ip_type == "exclusive"))
    shared = tuple(one.properties["dir"] for one in config.of("inherit-pkg-dir"))
    if shared:
        technology = put(put(technology, SparseRoot(shared)), SharedReadOnly())
    else:
        technology = drop(technology, "sparse-root", "sparse-root-readonly")
    handed = tuple(_filesystem(one) for one in config.of("fs"))
    return put(technology, ZoneFilesystems(handed)) if handed else technology


def _dedicated(config: Config) -> int:
    """dedicated-cpu: a number or a range, whose least the zone gets here. Excludes cpu-shares."""
    one = config.last("dedicated-cpu")
    if one is None:
        return 0
    if "cpu-shares" in config.properties:
        raise ConfigError(_("dedicated-cpu and cpu-shares exclude each other; leave one out"))
    least = one.properties["ncpus"].partition("-")[0]
    if not least.isdigit() or not int(least):
        raise ConfigError(_("{name}: a number was expected").format(name="dedicated-cpu:ncpus"))
    return int(least)


def _net(one: Resource, ip_type: str) -> Net:
    address = one.properties.get("address", "")
    physical = one.properties.get("physical", "")
    if ip_type == "exclusive" and address:
        raise ConfigError(_("net: address cannot be specified for an exclusive IP type"))
    if ip_type == "shared" and not address:
        raise ConfigError(_("net: address must be specified for a shared IP type"))
    return Net(address, physical)


def _filesystem(one: Resource) -> Filesystem:
    words = one.properties
    options = words.get("options", "").strip("[]")
    return Filesystem(words["dir"], words["special"], words["type"], options)


def _check_inner(kind: str, name: str, value: str) -> None:
    if kind == "net" and name == "address" and ip.parse(value.partition("/")[0]) is None:
        raise ConfigError(_("{word} is no address of this family").format(word=value))
    if kind == "capped-memory":
        amount(name, value)
    if kind == "capped-cpu" and not _NUMERIC.fullmatch(value):
        raise ConfigError(_("{name}: a number was expected").format(name=f"{kind}:{name}"))


def _unknown(name: str, known: "tuple[str, ...] | list[str]") -> str:
    near = difflib.get_close_matches(name, known, 1)
    hint = _(" (did you mean {near}?)").format(near=near[0]) if near else ""
    return _("there is no property or resource {name}{hint}; there are: {list}").format(
        name=name, hint=hint, list=" ".join(known)
    )
