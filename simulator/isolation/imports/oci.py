"""An OCI ``config.json`` as changes to what ``runc spec`` writes (runtime-spec config.md)."""

from collections.abc import Iterator
from typing import Any

from simulator.isolation.imports.base import Found, Wish
from simulator.isolation.imports.reading import at, objects, strings, text
from simulator.isolation.technologies.options.oci import NAMESPACES
from simulator.machine.abi.i18n import N_

_JOINS = N_("a namespace that exists already: who else is in it the file does not say")
_UNREAD = N_("the filter itself is not read; runc's own default has none")
_BOUND = N_("a file of the host inside: the model's runc mounts what runc spec lists")
_UNLISTED = (
    "domainname", "hooks", "process.user.additionalGids", "process.user.umask",
    "process.oomScoreAdj", "process.scheduler", "process.ioPriority", "linux.uidMappings",
    "linux.gidMappings", "linux.devices", "linux.sysctl", "linux.intelRdt", "linux.mountLabel",
    "linux.rootfsPropagation", "linux.personality", "linux.timeOffsets",
    "linux.resources.memory.swap", "linux.resources.memory.reservation",
    "linux.resources.devices", "linux.resources.rdma", "linux.resources.unified",
)  # fmt: skip
_USUAL_DEVICES = [{"allow": False, "access": "rwm"}]
"""What runc spec writes: none but those that every container has."""


def read(config: Any, _name: str = "") -> Found:
    """The container that the file describes."""
    return Found("config.json", "runc", text(config.get("hostname")), tuple(_wishes(config)))


def _wishes(config: Any) -> Iterator[Wish]:
    process, linux = config.get("process"), config.get("linux")
    yield from _namespaces(linux)
    for key in ("uid", "gid"):
        value = at(process, "user", key)
        if isinstance(value, int):
            yield _key(f"process.user.{key}", str(value))
    held = at(process, "capabilities", "bounding")
    if held is not None or isinstance(process, dict):
        yield _key("process.capabilities", ",".join(strings(held)))
    for key in ("process.noNewPrivileges", "root.readonly"):
        value = at(config, *key.split("."))
        yield _key(key, "true" if value is True else "false")
    limits = objects(at(process, "rlimits"))
    listed = ",".join(f"{one.get('type')}:{one.get('soft')}:{one.get('hard')}" for one in limits)
    yield _key("process.rlimits", listed)
    for key in ("maskedPaths", "readonlyPaths"):
        yield _key(f"linux.{key}", ",".join(strings(at(linux, key))))
    for key in ("pids.limit", "memory.limit"):
        value = at(linux, "resources", *key.split("."))
        if isinstance(value, int) and value > 0:
            yield _key(f"linux.resources.{key}", str(value))
    yield from _left(config)


def _key(name: str, value: str) -> Wish:
    return Wish(name, (f"{name}={value}",))


def _namespaces(linux: Any) -> Iterator[Wish]:
    found = objects(at(linux, "namespaces"))
    kinds = [text(one.get("type")) for one in found]
    known = [kind for kind in NAMESPACES if kind in kinds]
    yield _key("linux.namespaces", ",".join(known))
    for one in found:
        if text(one.get("type")) not in NAMESPACES:
            yield Wish(f"linux.namespaces {one.get('type')}")
        elif one.get("path"):
            yield Wish(f"linux.namespaces {one.get('type')} {one.get('path')}", why=_JOINS)


def _left(config: Any) -> Iterator[Wish]:
    """What the specification has and the SPEC has not."""
    if at(config, "linux", "seccomp"):
        yield Wish("linux.seccomp", why=_UNREAD)
    for key in ("apparmorProfile", "selinuxLabel"):
        if at(config, "process", key):
            yield Wish(f"process.{key} {at(config, 'process', key)}")
    for mount in objects(config.get("mounts")):
        if mount.get("type") == "bind" or {"bind", "rbind"} & set(strings(mount.get("options"))):
            yield Wish(f"mounts {mount.get('destination')}", why=_BOUND)
    for group in ("cpu", "blockIO", "hugepageLimits", "network"):
        if at(config, "linux", "resources", group):
            yield Wish(f"linux.resources.{group}")
    for key in _UNLISTED:
        value = at(config, *key.split("."))
        if value and value != -1 and value != _USUAL_DEVICES:
            yield Wish(key)
