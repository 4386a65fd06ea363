"""util-vserver's own words: the files of /etc/vservers/NAME, and the options of its small tools.

``bcapabilities=NET_RAW`` is what a line in that file says, ``--bcap NET_RAW`` what vattribute(8)
takes; the tool ``vserver`` reads a guest's directory by the same table. Source: util-vserver
doc/configuration.xml, src/vattribute.c, scripts/{chcontext,chbind}, src/vlimit.c.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

import msgspec

from simulator.isolation.mechanisms.bounding_set import BoundingSet
from simulator.isolation.mechanisms.context_flags import DEFAULT, ContextFlags
from simulator.isolation.mechanisms.context_limits import ContextLimits
from simulator.isolation.mechanisms.disk_limits import DiskLimits
from simulator.isolation.mechanisms.guest_root import GuestMounts
from simulator.isolation.mechanisms.network_context import HideNetif, NetworkContext
from simulator.isolation.mechanisms.security_context import SecurityContext
from simulator.isolation.mechanisms.unification import UnifiedFiles, UnifiedImmutable
from simulator.isolation.technologies.base import SpecError, Technology, change, drop, put
from simulator.isolation.technologies.options.reading import (
    Option,
    OptionError,
    apply,
    getopt_long,
    number,
    unknown,
)
from simulator.machine.abi.constants import CAPABILITY_NAMES
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.cred import capability
from simulator.machine.kernel.net import address as ip

FLAGS = frozenset(
    [
        "private", "fakeinit", "virt_mem", "virt_uptime", "virt_load", "hide_vinfo", "sc_helper",
        "persistent",
    ]
)  # fmt: skip
"""Of lib/cflags-v13.c what the model's kernel acts on."""
OTHER_FLAGS = frozenset(
    [
        "lock", "nproc", "hideinfo", "ulimit", "namespace", "sched_hard", "sched_prio",
        "sched_pause", "virt_cpu", "virt_time", "hide_mount", "hide_netif", "reboot_kill",
        "fork_rss", "prolific", "igneg_nice", "igneg_ionice",
    ]
)  # fmt: skip
"""The rest of that table."""
CCAPS = frozenset(
    [
        "set_utsname",
        "set_rlimit",
        "raw_icmp",
        "syslog",
        "audit_control",
        "secure_mount",
        "secure_remount",
        "quota_ctl",
    ]
)
"""Of lib/ccaps-v13.c likewise."""
OTHER_CCAPS = frozenset(
    [
        "fs_security", "fs_trusted", "tiocsti", "oom_adjust", "binary_mount", "dev_mount",
        "admin_mapper", "admin_cloop", "kthread", "namespace",
    ]
)  # fmt: skip
CCAP_ALIASES = {
    "mount": "secure_mount",
    "remount": "secure_remount",
    "icmp": "raw_icmp",
    "ping": "raw_icmp",
    "utsname": "set_utsname",
    "rlimit": "set_rlimit",
}
"""The old words of lib/ccaps-v13.c."""
FLAG_ALIASES = {"info_private": "private", "info_init": "fakeinit"}
"""The old words of lib/cflags-v13.c for flags that the model has."""
NCAPS = frozenset(("raw_icmp", "raw_socket"))
NFLAGS = frozenset(("single_ip", "lback_remap", "hide_netif", "hide_lback", "persistent"))
PAGES = frozenset(("as", "rss", "memlock", "shmem"))
"""Limits that are counted in pages."""
RLIMITS = frozenset(("nproc", "nofile", *PAGES))
PAGE = 4096

M = TypeVar("M")
FileOption: TypeAlias = "Callable[..., Technology]"


def read(technology: Technology, words: list[str]) -> Technology:
    """A guest's configuration; ``SpecError`` for what util-vserver does not have."""
    options: list[str] = []
    for word in words:
        held = OPTIONS.get(options[-1]) if options else None
        if word.startswith("-") or (held is not None and held.value):
            options.append(word)
            continue
        name, _found, value = word.partition("=")
        technology = setting(technology, name, value)
    return getopt_long("vserver", OPTIONS, technology, options)


def setting(technology: Technology, name: str, value: str) -> Technology:
    """One file of /etc/vservers/NAME with its content."""
    for pattern, option in FILES.items():
        found = re.fullmatch(pattern, name)
        if found is not None:
            return apply("vserver", name, _bound(option, found.groups()), technology, value)
    raise SpecError(unknown("vserver", name, NAMES | OPTIONS))


def is_setting(name: str) -> bool:
    """Whether a file of this name says how a guest is isolated."""
    return any(re.fullmatch(pattern, name) for pattern in FILES)


def _bound(option: FileOption, groups: tuple[str, ...]) -> Option:
    return Option(lambda technology, value: option(technology, value, *groups))


def _words(value: str) -> list[str]:
    """The words of a file: one a line, comments left out; or separated by commas."""
    lines = (line.partition("#")[0] for line in value.replace(",", "\n").splitlines())
    return [word for line in lines for word in line.split()]


def merged(held: Iterable[str], words: Iterable[str], known: frozenset[str]) -> tuple[str, ...]:
    """Words added, or with ``~`` or ``!`` before them taken away (lib/listparser.hc)."""
    kept = list(held)
    for word in words:
        name = word.lstrip("~!").lower()
        name = FLAG_ALIASES.get(name, CCAP_ALIASES.get(name, name))
        if name not in known and name in OTHER_FLAGS | OTHER_CCAPS:
            raise OptionError(
                _("{name}: the simulated kernel lacks this parameter").format(name=name)
            )
        if name not in known:
            raise OptionError(
                _("there is no {name}; there are: {list}").format(
                    name=name, list=", ".join(sorted(known))
                )
            )
        kept = [one for one in kept if one != name]
        if word[0] not in "~!":
            kept.append(name)
    return tuple(kept)


def _held(technology: Technology, default: M, name: str) -> M:
    found = technology.get(name)
    return found if isinstance(found, type(default)) else default


def _bounding(technology: Technology) -> BoundingSet:
    every = BoundingSet(bcaps=(1 << 64) - 1, ccaps=())
    return _held(technology, every, "bounding-set")


def bcaps(technology: Technology, value: str) -> Technology:
    """``bcapabilities``, ``--bcap``: system capabilities added, or with ``~`` taken away."""
    own = _bounding(technology)
    mask = own.bcaps
    for word in _words(value):
        name = word.lstrip("~!").upper().removeprefix("CAP_")
        if f"CAP_{name}" not in CAPABILITY_NAMES:
            raise OptionError(_("there is no capability {name}").format(name=name))
        bit = capability(name)
        mask = mask & ~bit if word[0] in "~!" else mask | bit
    return put(technology, replace(own, bcaps=mask))


def _ccaps(technology: Technology, value: str) -> Technology:
    own = _bounding(technology)
    return put(technology, replace(own, ccaps=merged(own.ccaps, _words(value), CCAPS)))


def _flags(technology: Technology, value: str) -> Technology:
    own = _held(technology, ContextFlags(flags=()), "context-flags")
    words = [one for word in _words(value) for one in (DEFAULT if word == "default" else (word,))]
    return put(technology, replace(own, flags=merged(own.flags, words, FLAGS)))


def _network(technology: Technology) -> NetworkContext:
    return _held(technology, NetworkContext(), "network-context")


def _ncaps(technology: Technology, value: str) -> Technology:
    own = _network(technology)
    return put(technology, replace(own, ncaps=merged(own.ncaps, _words(value), NCAPS)))


def _nflags(technology: Technology, value: str) -> Technology:
    own = _network(technology)
    hides = "hide-netif" in technology.ids
    held = (*own.flags, "hide_netif") if hides else own.flags
    wanted = merged(held, _words(value), NFLAGS)
    technology = put(technology, replace(own, flags=tuple(w for w in wanted if w != "hide_netif")))
    if "hide_netif" in wanted:
        return put(technology, HideNetif(number=own.number))
    return drop(technology, "hide-netif", share=True)


def _ip(technology: Technology, value: str, _index: str = "0") -> Technology:
    """``interfaces/N/ip``: the first one given replaces the default address."""
    text = value.partition("/")[0].rpartition(":")[2] if value.count(":") < 2 else value
    if ip.parse(text) is None:
        raise OptionError(_("{word} is no address").format(word=text))
    own = _network(technology)
    default = NetworkContext().addresses
    kept = () if own.addresses == default else own.addresses
    return put(technology, replace(own, addresses=(*kept, text)))


def _device(technology: Technology, value: str, _index: str = "0") -> Technology:
    return put(technology, replace(_network(technology), device=value.strip()))


def _no_device(technology: Technology, _value: str, _index: str = "0") -> Technology:
    return put(technology, replace(_network(technology), device=""))


NUMBERED = (
    "security-context",
    "bounding-set",
    "context-flags",
    "context-limits",
    "disk-limits",
)
"""Mechanisms that speak of the context by its number."""


def context(technology: Technology, value: str) -> Technology:
    """``context``, ``--xid``: the number of the security context (and of the network's)."""
    wanted = number(value)
    if not 1 < wanted <= 65535:
        raise OptionError(_("from {low} to {high}").format(low=2, high=65535))
    for name in (*NUMBERED, "network-context", "hide-netif"):
        held: Any = technology.get(name)
        if held is not None:
            technology = put(technology, replace(held, number=wanted))
    return technology


def _rlimit(technology: Technology, value: str, name: str, _kind: str | None = None) -> Technology:
    """``rlimits/NAME.hard``; memory in pages."""
    if name not in RLIMITS:
        raise OptionError(
            _("there is no {name}; there are: {list}").format(
                name=name, list=", ".join(sorted(RLIMITS))
            )
        )
    own = _held(technology, ContextLimits(), "context-limits")
    context_of = _held(technology, SecurityContext(), "security-context")
    kept = dict(own.limits)
    if value.strip() in ("inf", "infinite"):
        kept.pop(name, None)
    else:
        kept[name] = number(value) * (PAGE if name in PAGES else 1)
    return put(technology, replace(own, limits=tuple(kept.items()), number=context_of.number))


def _dlimit(technology: Technology, value: str, _index: str, name: str) -> Technology:
    """``dlimits/N/space_total`` in kB, ``inodes_total``."""
    own = _held(technology, DiskLimits(), "disk-limits")
    if name == "space_total":
        return put(technology, replace(own, space=number(value) * 1024))
    if name == "inodes_total":
        return put(technology, replace(own, inodes=number(value)))
    return technology


def _nodename(technology: Technology, value: str) -> Technology:
    guest = msgspec.structs.replace(technology.guest, hostname=value.strip())
    return change(technology, guest=guest)


def _no_namespace(technology: Technology, _value: str) -> Technology:
    return drop(technology, "mount-ns")


def _style(technology: Technology, value: str) -> Technology:
    """``apps/init/style``: ``plain`` runs an init that the guest knows as pid 1."""
    if value.strip() not in ("plain", "sysv"):
        raise OptionError(_("plain or sysv was expected"))
    own = _held(technology, SecurityContext(), "security-context")
    return put(technology, replace(own, init=value.strip() == "plain"))


def _insecure(technology: Technology, _value: str) -> Technology:
    """``----insecure``: neither ``--secure`` nor ``--flag default``."""
    own = _held(technology, ContextFlags(), "context-flags")
    kept = tuple(flag for flag in own.flags if flag not in DEFAULT)
    return put(drop(technology, "bounding-set"), replace(own, flags=kept))


def _secure(technology: Technology, _value: str) -> Technology:
    return put(technology, BoundingSet())


def _unify(technology: Technology, _value: str) -> Technology:
    return put(put(technology, UnifiedFiles()), UnifiedImmutable())


def _fstab(technology: Technology, value: str) -> Technology:
    """``fstab``: what is mounted for the guest, a line each (";" does for a new line here)."""
    rows: list[tuple[str, str, str, str]] = []
    for line in value.replace(";", "\n").splitlines():
        fields = line.partition("#")[0].split()
        if not fields:
            continue
        if len(fields) < 3:
            raise OptionError(_("SOURCE PLACE TYPE OPTIONS was expected"))
        options = fields[3] if len(fields) > 3 and fields[3] != "defaults" else ""
        rows.append((fields[0], fields[1], fields[2], options))
    return put(technology, GuestMounts(fstab=tuple(rows)))


FILES: dict[str, FileOption] = {
    "context": context,
    "ncontext": context,
    "bcapabilities": bcaps,
    "ccapabilities": _ccaps,
    "flags": _flags,
    "ncapabilities": _ncaps,
    "nflags": _nflags,
    "uts/nodename": _nodename,
    r"interfaces/(\w+)/ip": _ip,
    r"interfaces/(\w+)/dev": _device,
    r"interfaces/(\w+)/nodev": _no_device,
    r"rlimits/([a-z]+)(\.hard|\.soft|\.min)?": _rlimit,
    r"dlimits/(\w+)/(\w+)": _dlimit,
    "apps/init/style": _style,
    "fstab": _fstab,
    "nonamespace": _no_namespace,
    "apps/vunify": _unify,
}
"""The files of a guest's directory that say how it is isolated (doc/configuration.xml)."""

NAMES = {
    name.replace(r"(\w+)", "0", 1).replace(r"(\w+)", "space_total").replace("([a-z]+)", "nproc"): 1
    for name in (pattern.replace(r"(\.hard|\.soft|\.min)?", ".hard") for pattern in FILES)
}
"""The same as a person writes them."""

OPTIONS: dict[str, Option] = {
    "--secure": Option(_secure, value=False),
    "--insecure": Option(_insecure, value=False),
    "--bcap": Option(bcaps),
    "--cap": Option(bcaps),
    "--ccap": Option(_ccaps),
    "--flag": Option(_flags),
    "--ncap": Option(_ncaps),
    "--ip": Option(_ip),
    "--xid": Option(context),
    "--ctx": Option(context),
    "--hostname": Option(_nodename),
    **{f"--{name}": Option(lambda t, v, name=name: _rlimit(t, v, name)) for name in RLIMITS},
}
"""vattribute(8), chcontext(8), chbind(8) and vlimit(8)."""
