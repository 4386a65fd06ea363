"""Running as somebody else: chroot(1)'s ``--userspec``, and the same for no isolation at all."""

import msgspec

from simulator.isolation.technologies.base import Technology, change
from simulator.isolation.technologies.options.reading import Option, getopt_long, number


def read(technology: Technology, words: list[str]) -> Technology:
    """``--userspec=USER[:GROUP]``, numbers."""
    return getopt_long(technology.id, TABLE, technology, words)


def _user(technology: Technology, value: str) -> Technology:
    user, _found, group = value.partition(":")
    uid = number(user)
    gid = number(group) if group else uid
    return change(technology, guest=msgspec.structs.replace(technology.guest, uid=uid, gid=gid))


_USER = Option(_user)
TABLE: dict[str, Option] = {"--userspec": _USER, "-u": _USER, "--user": _USER}
