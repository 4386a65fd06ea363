"""vzctl's parameters, as ``vzctl create`` and ``vzctl set`` take them. vzctl(8)."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import msgspec

from simulator.isolation.mechanisms import ve_capabilities, ve_context
from simulator.isolation.mechanisms.beancounters import UNLIMITED, Beancounters
from simulator.isolation.mechanisms.cpuunits import CpuUnits
from simulator.isolation.mechanisms.simfs import Simfs
from simulator.isolation.mechanisms.ve_capabilities import VeCapabilities
from simulator.isolation.mechanisms.ve_context import VeContext
from simulator.isolation.mechanisms.ve_devices import VeDevices
from simulator.isolation.mechanisms.venet import Venet
from simulator.isolation.mechanisms.veth import Veth
from simulator.isolation.mechanisms.vzquota import Vzquota
from simulator.isolation.technologies.base import Technology, change, drop, put
from simulator.isolation.technologies.options import openvz_samples as defaults
from simulator.isolation.technologies.options.reading import (
    Option,
    OptionError,
    getopt_long,
    number,
)
from simulator.machine.abi.constants import BY_NAME
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.cred import mask
from simulator.machine.kernel.net import address as ip

PAGE = 4096
PAGES = frozenset(
    ("lockedpages", "privvmpages", "shmpages", "physpages", "vmguarpages", "oomguarpages",
     "swappages")
)  # fmt: skip
BYTES = frozenset(
    ("kmemsize", "tcpsndbuf", "tcprcvbuf", "othersockbuf", "dgramrcvbuf", "dcachesize")
)
PIECES = frozenset(
    ("numproc", "numtcpsock", "numflock", "numpty", "numsiginfo", "numothersock", "numfile",
     "numiptent")
)  # fmt: skip
FEATURES = ("sysfs", "nfs", "sit", "ipip", "ppp", "ipgre", "bridge", "nfsd", "fuse")
_UNITS = {"G": 1 << 30, "M": 1 << 20, "K": 1 << 10, "P": PAGE, "B": 1}

M = TypeVar("M")


def read(technology: Technology, words: list[str]) -> Technology:
    """The technology with vzctl's parameters; ``SpecError`` for one that vzctl does not have."""
    return getopt_long("openvz", TABLE, technology, words)


def amount(text: str, divisor: int) -> int:
    """parse_ul_sfx(): a number with a unit G, M, K, B or P, in units of ``divisor`` bytes.

    Pieces have ``divisor`` 0 and no unit.
    """
    if text == "unlimited":
        return UNLIMITED
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([GMKBPgmkbp]?)", text)
    if found is None or (found[2] and not divisor):
        raise OptionError(_("a number, barrier:limit, or unlimited was expected"))
    if not found[2]:
        return int(float(found[1]))
    return int(float(found[1]) * _UNITS[found[2].upper()] / divisor)


def pair(text: str, divisor: int) -> tuple[int, int]:
    """``barrier:limit``, or one number for both."""
    first, found, second = text.partition(":")
    low = amount(first, divisor)
    high = amount(second, divisor) if found else low
    return min(low, UNLIMITED), min(high, UNLIMITED)


def of(technology: Technology, kind: Callable[[], M]) -> M:
    """The mechanism of a kind with its settings, or one with the defaults."""
    fresh = kind()
    found = next((one for one in technology.mechanisms if type(one) is type(fresh)), None)
    return fresh if found is None else found  # pyright: ignore[reportReturnType]


def limited(technology: Technology, name: str, limits: tuple[int, int]) -> Technology:
    """With one beancounter's limits."""
    counters = of(technology, Beancounters)
    return put(technology, Beancounters(tuple({**dict(counters.limits), name: limits}.items())))


def _limit(name: str) -> Option:
    divisor = PAGE if name in PAGES else 1 if name in BYTES else 0

    def limit(technology: Technology, value: str) -> Technology:
        barrier, bound = pair(value, divisor)
        if name in ("physpages", "swappages") and ":" not in value:
            barrier = 0
        return limited(technology, name, (barrier, bound))

    return Option(limit)


def _config(technology: Technology, value: str) -> Technology:
    sample = defaults.SAMPLES.get(value)
    if sample is None:
        raise OptionError(_("one of {list} was expected").format(list=", ".join(defaults.SAMPLES)))
    return put(technology, Beancounters(sample))


def _ram(technology: Technology, value: str) -> Technology:
    return _vswap(technology, "physpages", amount(value, PAGE))


def _swap(technology: Technology, value: str) -> Technology:
    return _vswap(technology, "swappages", amount(value, PAGE))


_DERIVED = frozenset(("lockedpages", "oomguarpages", "vmguarpages", "physpages", "swappages"))


def _vswap(technology: Technology, name: str, pages: int) -> Technology:
    """--ram and --swap: what vzctl derives from the two follows them."""
    if technology.era:
        raise OptionError(_("this kernel has no VSwap; give --privvmpages"))
    old = dict(of(technology, Beancounters).limits)
    given = {"physpages": (0, UNLIMITED), "swappages": (0, 0), **old, name: (0, pages)}
    own = tuple((key, value) for key, value in old.items() if key not in _DERIVED)
    limits = defaults.vswap(given["physpages"][1], given["swappages"][1], own)
    return put(technology, Beancounters(limits))


def capability_mask(text: str, bits: int) -> int:
    """``name:on`` or ``name:off``, several with commas, applied to a mask."""
    for word in text.split(","):
        name, _found, switch = word.partition(":")
        known = name.upper()
        known = "AUDIT_CONTROL" if known == "VE_ADMIN" else known
        if f"CAP_{known}" not in BY_NAME or switch not in ("on", "off"):
            raise OptionError(_("NAME:on or NAME:off was expected"))
        bits = bits | mask(known) if switch == "on" else bits & ~mask(known)
    return bits


def _capability(technology: Technology, value: str) -> Technology:
    old = technology.get(ve_capabilities.ABOUT.id)
    caps = old if isinstance(old, VeCapabilities) else VeCapabilities()
    return put(technology, replace(caps, keep=capability_mask(value, caps.keep)))


def _features(technology: Technology, value: str) -> Technology:
    context = of(technology, VeContext)
    chosen = list(context.features)
    for word in value.split(","):
        name, _found, switch = word.partition(":")
        if name not in FEATURES or switch not in ("on", "off"):
            raise OptionError(
                _("NAME:on or NAME:off was expected, of {list}").format(list=", ".join(FEATURES))
            )
        chosen = [one for one in chosen if one != name] + [name] * (switch == "on")
    return put(technology, replace(context, features=tuple(chosen)))


def _devnodes(technology: Technology, value: str) -> Technology:
    """``--devnodes sda:rw``: the node and the right to it, as the host numbers it."""
    name, _found, rights = value.rpartition(":")
    known = _KNOWN_NODES.get(name)
    if known is None or not set(rights) <= set("rwq") or not rights:
        raise OptionError(
            _("NODE:r, w or q was expected, of {list}").format(list=", ".join(_KNOWN_NODES))
        )
    devices = of(technology, VeDevices)
    kind, major, minor = known
    rule = f"{kind} {major}:{minor} {''.join(one for one in rights if one != 'q')}m"
    shared = technology.shared | {"device"}
    technology = change(technology, shared=shared)
    nodes = (*devices.nodes, (name, kind, major, minor))
    return put(technology, VeDevices((*devices.rules, rule), nodes))


_KNOWN_NODES: dict[str, tuple[str, int, int]] = {
    "sda": ("b", 8, 0),
    "sda1": ("b", 8, 1),
    "mem": ("c", 1, 1),
    "net/tun": ("c", 10, 200),
    "fuse": ("c", 10, 229),
    "kmsg": ("c", 1, 11),
}


def _devices(technology: Technology, value: str) -> Technology:
    """``--devices b:8:0:rw``, ``c:10:all:rw``, ``all:rw``."""
    found = re.fullmatch(r"(?:([bc]):(\d+):(\d+|all)|all):([rwq]+|none)", value)
    if found is None:
        raise OptionError(_("b|c:MAJOR:MINOR|all:r, w, q or none was expected"))
    kind, major, minor, rights = found.groups()
    if rights == "none":
        return put(technology, VeDevices())
    access = "".join(one for one in rights if one != "q") + "m"
    numbers = f"{major or '*'}:{'*' if minor in (None, 'all') else minor}"
    rules = tuple(f"{one} {numbers} {access}" for one in ([kind] if kind else ["b", "c"]))
    devices = of(technology, VeDevices)
    technology = change(technology, shared=technology.shared | {"device"})
    return put(technology, VeDevices((*devices.rules, *rules), devices.nodes))


def _ipadd(technology: Technology, value: str) -> Technology:
    text = value.partition("/")[0]
    if ip.parse(text) is None:
        raise OptionError(_("{word} is no address of this family").format(word=value))
    venet = of(technology, Venet)
    own = () if venet == Venet() else venet.addresses
    return put(technology, Venet((*own, text)))


def _ipdel(technology: Technology, value: str) -> Technology:
    venet = of(technology, Venet)
    kept = () if value == "all" else tuple(one for one in venet.addresses if one != value)
    return put(technology, Venet(kept))


def _netif_add(technology: Technology, value: str) -> Technology:
    name = value.partition(",")[0]
    veth = technology.get("veth")
    names = (*veth.names, name) if isinstance(veth, Veth) else (name,)
    return put(technology, Veth(names))


def _diskspace(technology: Technology, value: str) -> Technology:
    return put(technology, replace(of(technology, Vzquota), space=pair(value, 1024)))


def _diskinodes(technology: Technology, value: str) -> Technology:
    return put(technology, replace(of(technology, Vzquota), inodes=pair(value, 0)))


def _diskquota(technology: Technology, value: str) -> Technology:
    if value not in ("yes", "no"):
        raise OptionError(_("yes or no was expected"))
    return technology if value == "yes" else drop(technology, "vzquota")


def _cpuunits(technology: Technology, value: str) -> Technology:
    units = number(value)
    if not 8 <= units <= 500_000:
        raise OptionError(_("from {low} to {high}").format(low=8, high=500_000))
    return put(technology, replace(of(technology, CpuUnits), units=units))


def _cpulimit(technology: Technology, value: str) -> Technology:
    return put(technology, replace(of(technology, CpuUnits), limit=number(value.removesuffix("%"))))


def _cpus(technology: Technology, value: str) -> Technology:
    return put(technology, replace(of(technology, CpuUnits), cpus=number(value)))


def _hostname(technology: Technology, value: str) -> Technology:
    guest = msgspec.structs.replace(technology.guest, hostname=value)
    return change(technology, guest=guest)


def _meminfo(technology: Technology, value: str) -> Technology:
    """``none``, ``pages:N`` or ``privvmpages:N``, of which N times the barrier is shown."""
    mode, _found, count = value.partition(":")
    barrier = dict(of(technology, Beancounters).limits).get("privvmpages", (0, 0))[0]
    if mode not in ("none", "pages", "privvmpages"):
        raise OptionError(_("none, pages:N or privvmpages:N was expected"))
    pages = {"none": 0, "pages": number(count or "0")}.get(mode, barrier * number(count or "1"))
    return put(technology, replace(of(technology, VeContext), meminfo=pages))


def _ctid(technology: Technology, value: str) -> Technology:
    veid = number(value)
    if veid <= ve_context.FIRST_VEID:
        raise OptionError(_("a number above {low} was expected").format(low=100))
    return put(technology, replace(of(technology, VeContext), veid=veid))


def _root(technology: Technology, value: str) -> Technology:
    return put(technology, Simfs(value))


def _private(technology: Technology, value: str) -> Technology:
    return change(technology, image=msgspec.structs.replace(technology.image, root=value))


def _netfilter(technology: Technology, value: str) -> Technology:
    if value not in ("disabled", "stateless", "stateful", "full"):
        raise OptionError(_("disabled, stateless, stateful or full was expected"))
    return technology


TABLE: dict[str, Option] = {
    **{f"--{name}": _limit(name) for name in sorted(PAGES | BYTES | PIECES)},
    "--config": Option(_config),
    "--ram": Option(_ram),
    "--swap": Option(_swap),
    "--capability": Option(_capability),
    "--features": Option(_features),
    "--devnodes": Option(_devnodes),
    "--devices": Option(_devices),
    "--ipadd": Option(_ipadd),
    "--ipdel": Option(_ipdel),
    "--netif_add": Option(_netif_add),
    "--diskspace": Option(_diskspace),
    "--diskinodes": Option(_diskinodes),
    "--diskquota": Option(_diskquota),
    "--cpuunits": Option(_cpuunits),
    "--cpulimit": Option(_cpulimit),
    "--cpus": Option(_cpus),
    "--hostname": Option(_hostname),
    "--meminfo": Option(_meminfo),
    "--netfilter": Option(_netfilter),
    "--private": Option(_private),
    "--root": Option(_root),
    "--ctid": Option(_ctid),
}
