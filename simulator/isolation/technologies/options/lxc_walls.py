"""lxc.container.conf(5): the keys that raise or lift walls other than mounts and limits."""

import re
from dataclasses import replace

import msgspec

from simulator.isolation.mechanisms import seccomp_lxc
from simulator.isolation.mechanisms.apparmor import Apparmor
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.no_new_privs import NoNewPrivs
from simulator.isolation.mechanisms.session_keyring import SessionKeyring
from simulator.isolation.mechanisms.time_ns import TimeNs
from simulator.isolation.mechanisms.user_ns import UserNs
from simulator.isolation.technologies.base import Technology, change, drop, put
from simulator.isolation.technologies.defaults import lxc as defaults
from simulator.isolation.technologies.options.reading import Option, OptionError, number
from simulator.machine.abi.constants import CAPABILITY_NAMES
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.cred import ALL_CAPABILITIES, mask
from simulator.machine.kernel.net import address as ip

_NAMESPACES = {
    "cgroup": "cgroup-ns",
    "ipc": "ipc-ns",
    "mnt": "mount-ns",
    "net": "net-ns",
    "pid": "pid-ns",
    "time": "time-ns",
    "user": "user-ns",
    "uts": "uts-ns",
}
"""Their names in /proc/PID/ns, and the mechanisms."""

_UNITS = {
    "h": 3600 * 10**9,
    "m": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 10**3,
    "ns": 1,
}


def _drop(technology: Technology, value: str) -> Technology:
    if not value:
        return drop(technology, "capabilities")
    return put(technology, Capabilities(_kept(technology) & ~_mask(value)))


def _keep(technology: Technology, value: str) -> Technology:
    """Either a list to drop or a list to keep: LXC does not start with both."""
    if not value:
        return technology
    held = technology.get("capabilities")
    if isinstance(held, Capabilities) and held.keep == defaults.CAPABILITIES:
        raise OptionError(
            _("either lxc.cap.drop or lxc.cap.keep, not both: write lxc.cap.drop= before it")
        )
    kept = _kept(technology) if held is not None else 0
    return put(technology, Capabilities(0 if value == "none" else kept | _mask(value)))


def _kept(technology: Technology) -> int:
    held = technology.get("capabilities")
    return held.keep if isinstance(held, Capabilities) else ALL_CAPABILITIES


def _mask(value: str) -> int:
    known = {name.removeprefix("CAP_") for name in CAPABILITY_NAMES}
    for name in value.upper().split():
        if name not in known:
            raise OptionError(_("{name} is no capability").format(name=name.lower()))
    return mask(value.upper())


def _apparmor(technology: Technology, value: str) -> Technology:
    if value in ("unconfined", "unchanged", ""):
        return drop(technology, "apparmor")
    if value not in defaults.PROFILES:
        listed = ", ".join((*defaults.PROFILES, "unconfined"))
        raise OptionError(_("one of {list} was expected").format(list=listed))
    return put(technology, Apparmor(value))


def _seccomp(technology: Technology, value: str) -> Technology:
    if not value:
        return drop(technology, "seccomp")
    if value != seccomp_lxc.NAME:
        raise OptionError(_("one of {list} was expected").format(list=seccomp_lxc.NAME))
    return put(technology, seccomp_lxc.common())


def _no_new_privs(technology: Technology, value: str) -> Technology:
    if value not in ("0", "1"):
        raise OptionError(_("0 or 1 was expected"))
    return put(technology, NoNewPrivs()) if value == "1" else drop(technology, "no-new-privs")


def _keyring(technology: Technology, value: str) -> Technology:
    """1 hands on the keyring of the operator's session. The manual page says that 0 does it, but
    not the program (confile.c, set_config_keyring_session(): ``keyring_disable_session``).
    """
    if value not in ("", "0", "1"):
        raise OptionError(_("0 or 1 was expected"))
    if value == "1":
        return drop(technology, "session-keyring")
    return put(technology, SessionKeyring())


def _net(technology: Technology, value: str) -> Technology:
    """``none`` shares the host's network on purpose; ``empty`` is loopback alone."""
    if value == "none":
        return drop(technology, "net-ns", share=True)
    if value == "empty":
        return put(technology, NetNs(bridge="", ipv6=True))
    if value == "veth":
        return put(technology, NetNs(bridge=defaults.BRIDGE, subnet=defaults.SUBNET, ipv6=True))
    raise OptionError(_("one of {list} was expected").format(list="none, empty, veth"))


def _link(technology: Technology, value: str) -> Technology:
    held = technology.get("net-ns")
    if not isinstance(held, NetNs) or not held.bridge:
        return technology
    return put(technology, replace(held, bridge=value))


def _idmap(technology: Technology, value: str) -> Technology:
    """``u 0 100000 65536`` and the same for ``g``: the model maps users and groups alike."""
    if not value:
        image = msgspec.structs.replace(technology.image, uid_shift=0)
        return drop(change(technology, image=image), "user-ns")
    match = re.fullmatch(r"([ug]|b) 0 (\d+) (\d+)", " ".join(value.split()))
    if match is None:
        raise OptionError(_("such as u 0 100000 65536 was expected; only maps of 0 are modelled"))
    wanted = UserNs(outside=int(match[2]), count=int(match[3]))
    held = technology.get("user-ns")
    if match[1] == "g" and isinstance(held, UserNs) and held != wanted:
        raise OptionError(_("the model maps users and groups alike"))
    image = msgspec.structs.replace(technology.image, uid_shift=wanted.outside)
    return put(change(technology, image=image), wanted)


def _keep_namespaces(technology: Technology, value: str) -> Technology:
    """Those of the host, on purpose."""
    return drop(technology, *_named(value), share=True)


def _clone_namespaces(technology: Technology, value: str) -> Technology:
    """Only those listed; the others are the host's."""
    wanted = set(_named(value))
    rest = [one for one in _NAMESPACES.values() if one not in wanted and technology.get(one)]
    return drop(technology, *rest, share=True)


def _named(value: str) -> list[str]:
    for word in value.split():
        if word not in _NAMESPACES:
            listed = ", ".join(_NAMESPACES)
            raise OptionError(_("one of {list} was expected").format(list=listed))
    return [_NAMESPACES[word] for word in value.split()]


def _share_namespace(technology: Technology, value: str) -> Technology:
    """``lxc.namespace.share.net = 1``: that of a process; the model knows the host's init."""
    kind, _equals, whose = value.partition("=")
    if number(whose) != 1:
        raise OptionError(_("only pid 1, the host's init, is modelled"))
    return _keep_namespaces(technology, kind)


def _offset(field: str) -> Option:
    def shifted(technology: Technology, value: str) -> Technology:
        match = re.fullmatch(r"(-?\d+)\s*(h|m|s|ms|us|ns)", value)
        if match is None:
            raise OptionError(_("such as 7200s was expected"))
        held = technology.get("time-ns")
        shift = held if isinstance(held, TimeNs) else TimeNs()
        return put(technology, replace(shift, **{field: int(match[1]) * _UNITS[match[2]]}))

    return Option(shifted)


def _address(technology: Technology, value: str) -> Technology:
    """``10.0.3.23/24 10.0.3.255``: the address of the first card, and its broadcast address."""
    address, _slash, prefix = value.partition(" ")[0].partition("/")
    size = prefix or "24"
    if ip.parse(address) is None or ":" in address or not size.isdigit() or int(size) > 32:
        raise OptionError(_("such as 10.0.3.23/24 was expected"))
    return _wired(technology, address=f"{address}/{size}")


def _gateway(technology: Technology, value: str) -> Technology:
    """An address, or ``auto``: that of the bridge."""
    if value != "auto" and ip.parse(value) is None:
        raise OptionError(_("an address or auto was expected"))
    return _wired(technology, gateway="10.0.3.1" if value == "auto" else value)


def _wired(technology: Technology, **changes: str) -> Technology:
    held = technology.get("net-ns")
    if not isinstance(held, NetNs):
        return technology
    address, gateway = changes.get("address", held.address), changes.get("gateway", held.gateway)
    return put(technology, replace(held, address=address, gateway=gateway))


TABLE: dict[str, Option] = {
    "lxc.cap.drop": Option(_drop),
    "lxc.cap.keep": Option(_keep),
    "lxc.apparmor.profile": Option(_apparmor),
    "lxc.seccomp.profile": Option(_seccomp),
    "lxc.keyring.session": Option(_keyring),
    "lxc.no_new_privs": Option(_no_new_privs),
    "lxc.net.type": Option(_net),
    "lxc.net.link": Option(_link),
    "lxc.net.ipv4.address": Option(_address),
    "lxc.net.ipv4.gateway": Option(_gateway),
    "lxc.idmap": Option(_idmap),
    "lxc.namespace.keep": Option(_keep_namespaces),
    "lxc.namespace.clone": Option(_clone_namespaces),
    "lxc.namespace.share": Option(_share_namespace),
    "lxc.time.offset.boot": _offset("boot"),
    "lxc.time.offset.monotonic": _offset("monotonic"),
}
