"""zonecfg(1M)'s properties: ``limitpriv=default,sys_time``, ``capped-memory:swap=256m``.

A global property is ``name=value``; a property of a resource is ``resource:name=value``, which adds
the resource (``net``, ``fs`` and ``device`` once more each time its first property comes again).
``create -b`` begins with a whole root instead of a sparse one.
"""

from dataclasses import replace

from simulator.isolation.mechanisms.base import PlanError
from simulator.isolation.mechanisms.zone import Zone
from simulator.isolation.mechanisms.zone_limitpriv import PrivilegeError
from simulator.isolation.technologies.base import SpecError, Technology, put
from simulator.isolation.technologies.options import zone_xml, zonecfg
from simulator.isolation.technologies.options.zonecfg import Config, ConfigError
from simulator.machine.abi.i18n import gettext as _


def read(technology: Technology, words: list[str]) -> Technology:
    """The zone with its properties; ``SpecError`` for one that zonecfg does not have."""
    config = zonecfg.default()
    pending = list(words)
    try:
        while pending:
            word = pending.pop(0)
            if word == "create":
                if pending and pending[0] == "-b":
                    pending.pop(0)
                    config = zonecfg.blank()
                continue
            name, equals, value = word.partition("=")
            if not equals:
                raise ConfigError(_("{word}: name=value was expected").format(word=word))
            config = _put(config, name, value)
        changed = zonecfg.technology_of(technology, config)
        return configured(changed, config)
    except PrivilegeError as error:
        raise SpecError(str(error)) from None
    except (ConfigError, PlanError) as error:
        text = str(error).removeprefix("zone: ")
        raise SpecError(_("zone: {reason}").format(reason=text)) from None


def configured(technology: Technology, config: Config) -> Technology:
    """``technology`` whose zone has its configuration written down where zonecfg keeps it."""
    zone = technology.get("zone")
    assert isinstance(zone, Zone)
    named = {"zonename": "{name}", "zonepath": technology.image.root, **config.properties}
    config = Config(named, config.resources)
    if not config.of("net"):
        for net in zone.nets:
            config = zonecfg.add(config, "net")
            config = zonecfg.with_inner(config, "net", {"address": net.address})
    return put(technology, replace(zone, configuration=zone_xml.text(config)))


def _put(config: Config, name: str, value: str) -> Config:
    resource, colon, inner = name.partition(":")
    if not colon:
        return zonecfg.set_property(config, name, value)
    known = zonecfg.need_resource(resource)
    last = config.last(resource)
    if last is None or (inner in last.properties and known.many):
        config = zonecfg.add(config, resource)
    return zonecfg.set_inner(config, resource, inner, value)
