"""jail.conf(5): the parameters of one jail, wildcards and variables applied.

A command that gives the jail a rule of rctl(8) is a limit, and stands for that.
"""

import re

from simulator.isolation.control.freebsd import conf
from simulator.isolation.imports.base import NO_WALL, Found, ImportFault, Wish, absent
from simulator.isolation.technologies.options.jail import TABLE
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

_ROOT = N_("the model has a tree of its own")
_ELSEWHERE = N_("another file, which is not read")
_ON_THE_HOST = ("exec.prestart", "exec.created", "exec.prepare", "exec.poststart")
_RULES = re.compile(r"\brctl\s+-a\s+([^;&|,]+)")
_NO_WALL = ("exec.", "command", "depend", "interface", "jid", "host.hostuuid", "osrelease")


def read(content: str, name: str = "") -> Found:
    """The jail of this name, or the only one."""
    try:
        blocks = conf.parse(content, "jail.conf")
        names = conf.names(blocks)
        if not names or (name and name not in names):
            raise absent(name, names)
        if not name and len(names) > 1:
            listed = ", ".join(names)
            raise ImportFault(
                _("several containers: say which with --name, of {list}").format(list=listed)
            )
        chosen = name or names[0]
        found = conf.settings(blocks, chosen)
    except conf.ConfError as error:
        raise ImportFault(str(error)) from None
    found.pop("name", None)
    wishes = [_wish(key, ",".join(values)) for key, values in found.items()]
    wishes += [Wish(f".include {one.include}", why=_ELSEWHERE) for one in blocks if one.include]
    return Found("jail.conf", "jail", chosen, tuple(wishes))


def _wish(key: str, value: str) -> Wish:
    item = f"{key} = {value}" if value else key
    if key == "path":
        return Wish(item, why=_ROOT)
    rules = _RULES.findall(value) if key in _ON_THE_HOST else []
    if rules:
        return Wish(item, tuple(word for words in rules for word in words.split()))
    if key.startswith(_NO_WALL):
        return Wish(item, why=NO_WALL)
    plain = key.replace("allow.no", "allow.", 1).replace(".no", ".", 1)
    if key not in TABLE and plain not in TABLE:
        return Wish(item)
    return Wish(item, (f"{key}={value}" if value else key,))
