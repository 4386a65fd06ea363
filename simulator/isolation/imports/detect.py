"""Which product a file belongs to, by what it holds."""

import re
from typing import Any

import msgspec

from simulator.isolation.imports import docker, jail, lxc, oci, openvz, zone
from simulator.isolation.imports.base import Found, Imported, ImportFault, assemble
from simulator.isolation.imports.reading import at, objects
from simulator.machine.abi.i18n import gettext as _

LARGEST = 4 << 20
"""Most bytes of a configuration: a container's own is a few thousand."""

_KINDS = "docker inspect, OCI config.json, LXC config, jail.conf, zonecfg export, CTID.conf"
_TEXTS = (
    (re.compile(r"^\s*lxc\.[a-z_.0-9]+\s*=", re.MULTILINE), lxc.read),
    (re.compile(r"^\s*create\b|\A\s*<\?xml|\A\s*<zone\b", re.MULTILINE), zone.read),
    (re.compile(r"""^\s*(?:[\w.*-]+|"[^"\n]*"|'[^'\n]*')\s*\{""", re.MULTILINE), jail.read),
    (re.compile(r"^[A-Z_0-9]+=\"?", re.MULTILINE), openvz.read),
)


def imported(content: bytes, name: str = "") -> Imported:
    """The configuration as a SPEC; ``name`` chooses one of several. Raises ``ImportFault``."""
    if len(content) > LARGEST:
        raise ImportFault(_("larger than {size} MB").format(size=LARGEST >> 20))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ImportFault(_("no text; one of {list} was expected").format(list=_KINDS)) from None
    return assemble(_read(text, name))


def _read(text: str, name: str) -> Found:
    if text.lstrip()[:1] in ("{", "["):
        return _json(text, name)
    for pattern, read in _TEXTS:
        if pattern.search(text):
            return read(text, name)
    raise ImportFault(_("one of {list} was expected").format(list=_KINDS))


def _json(text: str, name: str) -> Found:
    try:
        value: Any = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError) as error:
        raise ImportFault(_("no JSON: {reason}").format(reason=error)) from None
    if isinstance(value, dict) and "ociVersion" in value:
        return oci.read(value, name)
    if at(value, "HostConfig") is not None or any("HostConfig" in one for one in objects(value)):
        return docker.read(value, name)
    raise ImportFault(_("one of {list} was expected").format(list=_KINDS))
