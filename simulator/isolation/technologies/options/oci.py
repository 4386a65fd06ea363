"""An OCI ``config.json`` as changes to what ``runc spec`` writes: ``root.readonly=false``.

The names are those of the runtime specification; lists are written with commas, an empty list as
nothing: ``linux.maskedPaths=``.
"""

from collections.abc import Callable
from dataclasses import replace

import msgspec

from simulator.isolation.mechanisms.base import Mechanism
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.cgroup_ns import CgroupNs
from simulator.isolation.mechanisms.ipc_ns import IpcNs
from simulator.isolation.mechanisms.masked_paths import MaskedPaths
from simulator.isolation.mechanisms.mount_ns import MountNs
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.no_new_privs import NoNewPrivs
from simulator.isolation.mechanisms.pid_ns import PidNs
from simulator.isolation.mechanisms.readonly_paths import ReadonlyPaths
from simulator.isolation.mechanisms.readonly_root import ReadonlyRoot
from simulator.isolation.mechanisms.rlimits import Rlimits
from simulator.isolation.mechanisms.uts_ns import UtsNs
from simulator.isolation.technologies.base import (
    SpecError,
    Technology,
    change,
    drop,
    put,
)
from simulator.isolation.technologies.options.reading import (
    Apply,
    Option,
    OptionError,
    apply,
    number,
    unknown,
)
from simulator.machine.abi.constants import BY_NAME
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.cred import mask

NAMESPACES: dict[str, tuple[str, Mechanism]] = {
    "mount": ("mount-ns", MountNs()),
    "uts": ("uts-ns", UtsNs()),
    "ipc": ("ipc-ns", IpcNs()),
    "pid": ("pid-ns", PidNs()),
    "network": ("net-ns", NetNs(bridge="", ipv6=True)),
    "cgroup": ("cgroup-ns", CgroupNs()),
}
"""``linux.namespaces[].type`` and what it stands for in the model."""


def read(technology: Technology, words: list[str]) -> Technology:
    """The container of the changed configuration; ``SpecError`` for a key that it has not."""
    for word in words:
        name, found, value = word.partition("=")
        option = TABLE.get(name)
        if option is None:
            raise SpecError(unknown(technology.id, name, TABLE))
        if not found:
            raise SpecError(
                _("{product}: {name} needs a value").format(product=technology.id, name=name)
            )
        technology = apply(technology.id, name, option, technology, value)
    return technology


def _listed(value: str) -> list[str]:
    return [word for word in value.split(",") if word]


def _switch(name: str, make: Callable[[], Mechanism]) -> Apply:
    def switch(technology: Technology, value: str) -> Technology:
        if value not in ("true", "false"):
            raise OptionError(_("true or false was expected"))
        return put(technology, make()) if value == "true" else drop(technology, name)

    return switch


def _namespaces(technology: Technology, value: str) -> Technology:
    wanted = _listed(value)
    strange = [kind for kind in wanted if kind not in NAMESPACES]
    if strange or "mount" not in wanted:
        raise OptionError(
            _("mount and any of {list} were expected").format(list=", ".join(NAMESPACES))
        )
    for kind, (name, mechanism) in NAMESPACES.items():
        if kind not in wanted:
            technology = drop(technology, name, share=True)
        elif technology.get(name) is None or kind == "cgroup":
            technology = put(technology, mechanism)
    if "uts" not in wanted:
        guest = msgspec.structs.replace(technology.guest, hostname="")
        technology = change(technology, guest=guest)
    return technology


def _capabilities(technology: Technology, value: str) -> Technology:
    try:
        return put(technology, Capabilities(mask(value.replace(",", " "))))
    except KeyError:
        raise OptionError(_("capabilities such as CAP_KILL,CAP_CHOWN were expected")) from None


def _paths(make: Callable[[tuple[str, ...]], Mechanism], name: str) -> Apply:
    def paths(technology: Technology, value: str) -> Technology:
        listed = _listed(value)
        if not all(path.startswith("/") for path in listed):
            raise OptionError(_("absolute paths were expected"))
        return put(technology, make(tuple(listed))) if listed else drop(technology, name)

    return paths


def _guest(field: str, convert: Callable[[str], object]) -> Apply:
    def setting(technology: Technology, value: str) -> Technology:
        changes = {field: convert(value)}
        return change(technology, guest=msgspec.structs.replace(technology.guest, **changes))

    return setting


def _rlimits(technology: Technology, value: str) -> Technology:
    limits: list[tuple[int, int, int]] = []
    for word in _listed(value):
        name, _found, rest = word.partition(":")
        soft, _found, hard = rest.partition(":")
        resource = BY_NAME.get(name)
        if not name.startswith("RLIMIT_") or not isinstance(resource, int):
            raise OptionError(_("such as RLIMIT_NOFILE:1024:2048 was expected"))
        limits.append((resource, number(soft), number(hard or soft)))
    return put(technology, Rlimits(tuple(limits))) if limits else drop(technology, "rlimits")


def _limit(field: str) -> Apply:
    def limit(technology: Technology, value: str) -> Technology:
        held = technology.get("cgroup-limits")
        limits = held if isinstance(held, CgroupLimits) else CgroupLimits(group="/{name}")
        return put(technology, replace(limits, **{field: number(value)}))

    return limit


TABLE: dict[str, Option] = {
    "hostname": Option(_guest("hostname", str)),
    "process.user.uid": Option(_guest("uid", number)),
    "process.user.gid": Option(_guest("gid", number)),
    "process.cwd": Option(_guest("cwd", str)),
    "process.noNewPrivileges": Option(_switch("no-new-privs", NoNewPrivs)),
    "process.capabilities": Option(_capabilities),
    "process.rlimits": Option(_rlimits),
    "root.readonly": Option(_switch("readonly-root", ReadonlyRoot)),
    "linux.namespaces": Option(_namespaces),
    "linux.maskedPaths": Option(_paths(MaskedPaths, "masked-paths")),
    "linux.readonlyPaths": Option(_paths(ReadonlyPaths, "readonly-paths")),
    "linux.resources.pids.limit": Option(_limit("pids")),
    "linux.resources.memory.limit": Option(_limit("memory")),
}
