"""``zonecfg export``, or the file of /etc/zones, as properties of a zone."""

from simulator.isolation.control.solaris.language import Editor, Fault
from simulator.isolation.imports.base import NO_WALL, Found, ImportFault, Wish
from simulator.isolation.technologies.options import zone_xml
from simulator.isolation.technologies.options.zonecfg import (
    Config,
    ConfigError,
    Resource,
    blank,
    default,
)
from simulator.machine.abi.i18n import N_

_ROOT = N_("the model has a tree of its own")
_NO_WALL = ("autoboot", "bootargs", "scheduling-class", "hostid", "pool")


def read(content: str, _name: str = "") -> Found:
    """The zone that the subcommands make, line by line."""
    if content.lstrip().startswith("<"):
        if "<!ENTITY" in content:
            raise ImportFault("/etc/zones: <!ENTITY")
        try:
            return _found("/etc/zones", zone_xml.parse(content))
        except (ConfigError, ValueError, SyntaxError) as error:
            raise ImportFault(str(error)) from None
    editor = Editor("", None)
    left: list[Wish] = []
    for line in content.splitlines():
        try:
            editor.run(line)
        except Fault as error:
            left.append(Wish(line, why=str(error)))
    if editor.config is None:
        raise ImportFault("zonecfg: No such zone configured")
    return _found("zonecfg export", editor.config, tuple(left))


def _found(product: str, config: Config, left: tuple[Wish, ...] = ()) -> Found:
    whole = not config.of("inherit-pkg-dir")
    base = blank() if whole else default()
    wishes = [Wish("create -b", ("create", "-b"))] if whole else []
    for key, value in config.properties.items():
        if value and key != "zonename" and base.properties.get(key) != value:
            wishes.append(_property(key, value))
    wishes += [_resource(one) for one in config.resources if one not in base.resources]
    name = config.properties.get("zonename", "")
    return Found(product, "zone", name, (*wishes, *left))


def _property(key: str, value: str) -> Wish:
    if key == "zonepath":
        return Wish(f"zonepath={value}", why=_ROOT)
    if key in _NO_WALL:
        return Wish(f"{key}={value}", why=NO_WALL)
    return Wish(f"{key}={value}", (f"{key}={value}",))


def _resource(one: Resource) -> Wish:
    words = tuple(f"{one.type}:{key}={value}" for key, value in one.properties.items())
    item = " ".join((one.type, *one.properties.values()))
    if one.type == "attr":
        return Wish(item, why=NO_WALL)
    return Wish(item, words)
