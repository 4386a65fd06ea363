"""A container's ``config`` (lxc.container.conf(5)) as the same keys in the same order."""

from simulator.isolation.imports.base import NO_WALL, Found, ImportFault, Wish
from simulator.isolation.technologies.defaults.lxc_files import keys
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

_QUIET = ("lxc.hook.", "lxc.log.", "lxc.start.", "lxc.console.", "lxc.tty.", "lxc.signal.")
_ROOT = N_("the model has a tree of its own")


def read(content: str, _name: str = "") -> Found:
    """The container; one that maps ids is an unprivileged one."""
    try:
        found = keys(content)
    except ValueError as error:
        raise ImportFault(_("{word}: key = value was expected").format(word=error)) from None
    mapped = any(key in ("lxc.idmap", "lxc.id_map") for key, _value in found)
    named = {key: value for key, value in found}
    name = named.get("lxc.uts.name", named.get("lxc.utsname", ""))
    wishes = tuple(_wish(key, value) for key, value in found)
    return Found("lxc.container.conf", "lxc-unpriv" if mapped else "lxc", name, wishes)


def _wish(key: str, value: str) -> Wish:
    if key in ("lxc.rootfs", "lxc.rootfs.path", "lxc.rootfs.backend"):
        return Wish(key, why=_ROOT)
    if key.startswith(_QUIET):
        return Wish(key, why=NO_WALL)
    return Wish(f"{key} = {value}", (f"{key}={value}",))
