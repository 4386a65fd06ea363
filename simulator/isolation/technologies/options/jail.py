"""jail(8)'s parameters, as they are written on its command line: ``name=value`` or ``name``.

And, of the machine around the jail, what limits it: a line of rctl.conf(5), or of loader.conf(5).
"""

import msgspec

from simulator.isolation.mechanisms.devfs_rules import DEVFSRULES_JAIL, DevfsRules
from simulator.isolation.mechanisms.prison import Prison, Setting
from simulator.isolation.technologies.base import SpecError, Technology, change, put
from simulator.isolation.technologies.options import rctl
from simulator.isolation.technologies.options.reading import (
    Option,
    OptionError,
    apply,
    number,
    unknown,
)
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.net import address as ip

ALLOW = [
    "set_hostname",
    "sysvipc",
    "raw_sockets",
    "chflags",
    "mount",
    "quotas",
    "read_msgbuf",
    "socket_af",
    "mlock",
    "reserved_ports",
    "nfsd",
    "unprivileged_proc_debug",
    "suser",
]
ALLOW_MOUNT = [
    "devfs",
    "fdescfs",
    "fusefs",
    "nullfs",
    "procfs",
    "linprocfs",
    "linsysfs",
    "tmpfs",
    "zfs",
]
MODES = ("disable", "inherit", "new")


def read(technology: Technology, words: list[str]) -> Technology:
    """The jail with its parameters; ``SpecError`` for one that jail(8) does not have."""
    technology, words = rctl.take(technology, words)
    for word in words:
        name, found, value = word.partition("=")
        flag = name.replace("allow.no", "allow.", 1).replace(".no", ".", 1)
        if not found and name not in TABLE and flag in TABLE:
            name, value = flag, "0"
        option = TABLE.get(name)
        if option is None:
            raise SpecError(unknown("jail", name, {**TABLE, **rctl.FORMS}))
        if not found and not value:
            value = "1"
        technology = apply("jail", name, option, technology, value)
    _check(technology)
    return technology


def _check(technology: Technology) -> None:
    """Refuse parameters that no kernel, or not this model's, can put together."""
    prison = technology.get("prison")
    params = dict(prison.params) if isinstance(prison, Prison) else {}
    listed = [name for name in ("ip4.addr", "ip6.addr") if params.get(name)]
    if params.get("vnet") and listed:
        raise SpecError(
            _("jail: vnet and {name} exclude each other; leave one out").format(name=listed[0])
        )
    modes = {params.get(name) for name in ("sysvshm", "sysvsem", "sysvmsg")}
    if {"new", "inherit"} <= modes:
        raise SpecError(
            _("jail: the model keeps sysvshm, sysvsem and sysvmsg together: all new or all inherit")
        )


def _set(technology: Technology, name: str, value: Setting) -> Technology:
    prison = technology.get("prison")
    params = dict(prison.params) if isinstance(prison, Prison) else {}
    return put(technology, Prison(tuple({**params, name: value}.items())))


def _flag(name: str) -> Option:
    def switch(technology: Technology, value: str) -> Technology:
        if value not in ("0", "1", "true", "false"):
            raise OptionError(_("0 or 1 was expected"))
        return _set(technology, name, int(value in ("1", "true")))

    return Option(switch)


def _number(name: str, low: int, high: int) -> Option:
    def count(technology: Technology, value: str) -> Technology:
        wanted = number(value)
        if not low <= wanted <= high:
            raise OptionError(_("from {low} to {high}").format(low=low, high=high))
        return _set(technology, name, wanted)

    return Option(count)


def _mode(name: str, kinds: tuple[str, ...]) -> Option:
    def mode(technology: Technology, value: str) -> Technology:
        if value not in MODES:
            raise OptionError(_("one of {list} was expected").format(list=", ".join(MODES)))
        if value == "inherit":
            shared = technology.shared.union(kinds)
            technology = change(technology, shared=shared)
        return _set(technology, name, value)

    return Option(mode)


def _addresses(name: str) -> Option:
    """``interface|address/prefix``, as jail(8) takes them, the address alone being enough."""

    def listed(technology: Technology, value: str) -> Technology:
        own: list[str] = []
        for word in filter(None, value.split(",")):
            text = word.rpartition("|")[2].partition("/")[0]
            if ip.parse(text) is None or (":" in text) != (name == "ip6.addr"):
                raise OptionError(_("{word} is no address of this family").format(word=word))
            own.append(text)
        return _set(technology, name, tuple(own))

    return Option(listed)


def _vnet(technology: Technology, value: str) -> Technology:
    """A network of its own instead of a list of addresses: the two exclude each other."""
    if value not in ("0", "1", "new", "inherit"):
        raise OptionError(_("new or inherit was expected"))
    if value in ("0", "inherit"):
        return _set(technology, "vnet", 0)
    for listed in ("ip4.addr", "ip6.addr"):
        technology = _set(technology, listed, ())
    return _set(technology, "vnet", 1)


def _hostname(technology: Technology, value: str) -> Technology:
    return change(technology, guest=_replaced(technology, value))


def _replaced(technology: Technology, hostname: str):
    return msgspec.structs.replace(technology.guest, hostname=hostname)


def _path(technology: Technology, value: str) -> Technology:
    if not value.startswith("/"):
        raise OptionError(_("an absolute path was expected"))
    return change(technology, image=msgspec.structs.replace(technology.image, root=value))


def _devfs(technology: Technology, value: str) -> Technology:
    return put(technology, DevfsRules(number(value)))


def _mount_devfs(technology: Technology, value: str) -> Technology:
    rules = technology.get("devfs-rules")
    ruleset = rules.ruleset if isinstance(rules, DevfsRules) else DEVFSRULES_JAIL
    return put(technology, DevfsRules(ruleset, mounted=value in ("1", "true")))


TABLE: dict[str, Option] = {
    **{f"allow.{name}": _flag(f"allow.{name}") for name in ALLOW},
    **{f"allow.mount.{name}": _flag(f"allow.mount.{name}") for name in ALLOW_MOUNT},
    "path": Option(_path),
    "host.hostname": Option(_hostname),
    "ip4.addr": _addresses("ip4.addr"),
    "ip6.addr": _addresses("ip6.addr"),
    "ip4": _mode("ip4", ("socket", "port", "interface")),
    "ip6": _mode("ip6", ("socket", "port", "interface")),
    "vnet": Option(_vnet),
    "sysvshm": _mode("sysvshm", ("shm",)),
    "sysvsem": _mode("sysvsem", ("sem",)),
    "sysvmsg": _mode("sysvmsg", ("msg",)),
    "enforce_statfs": _number("enforce_statfs", 0, 2),
    "children.max": _number("children.max", 0, 999_999),
    "securelevel": _number("securelevel", -1, 3),
    "devfs_ruleset": Option(_devfs),
    "mount.devfs": Option(_mount_devfs),
    "persist": _flag("persist"),
}
