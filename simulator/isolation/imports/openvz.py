"""``/etc/vz/conf/CTID.conf`` (ctid.conf(5)) as parameters of ``vzctl set``."""

from simulator.isolation.control.openvz.config import parse, words
from simulator.isolation.imports.base import NO_WALL, Found, Wish
from simulator.machine.abi.i18n import N_

_ROOT = N_("the model has a tree of its own")
_PLACES = ("VE_ROOT", "VE_PRIVATE", "VE_LAYOUT", "DUMPDIR")
_NO_WALL = (
    "OSTEMPLATE",
    "ORIGIN_SAMPLE",
    "ONBOOT",
    "BOOTORDER",
    "NAMESERVER",
    "SEARCHDOMAIN",
    "DESCRIPTION",
    "NAME",
    "QUOTATIME",
    "DISABLED",
    "UUID",
)


def read(content: str, _name: str = "") -> Found:
    """The container of the file."""
    found = parse(content)
    wishes = [Wish("IP_ADDRESS", ("--ipdel", "all"))]
    for key, value in found.items():
        wishes += _wishes(key, value)
    return Found("CTID.conf", "openvz", found.get("HOSTNAME", found.get("NAME", "")), tuple(wishes))


def _wishes(key: str, value: str) -> list[Wish]:
    if key in _PLACES:
        return [Wish(key, why=_ROOT)]
    if key in _NO_WALL:
        return [Wish(key, why=NO_WALL)]
    listed = words({key: value})
    if not listed:
        return [Wish(f"{key}={value}")] if value else []
    pairs = zip(listed[::2], listed[1::2], strict=True)
    return [Wish(f"{key}={part}", (option, part)) for option, part in pairs]
