"""The words of /etc/vservers/NAME.conf, as the tools of 2001-2003 read it: a shell's variables.

Source: util-vserver doc/intro.txt, scripts/legacy/vserver.
"""

import shlex
from dataclasses import replace

import msgspec

from simulator.isolation.mechanisms.bounding_set import OldBoundingSet
from simulator.isolation.mechanisms.network_context import OldNetworkContext
from simulator.isolation.mechanisms.old_context_limits import OldContextLimits
from simulator.isolation.mechanisms.security_context import OldSecurityContext
from simulator.isolation.technologies.base import SpecError, Technology, change, drop, put
from simulator.isolation.technologies.options.reading import (
    Option,
    OptionError,
    apply,
    number,
    unknown,
)
from simulator.machine.abi.constants import CAPABILITY_NAMES
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.cred import capability
from simulator.machine.kernel.net import address as ip


def read(technology: Technology, words: list[str]) -> Technology:
    """``S_CAPS="CAP_NET_RAW"``, ``IPROOT=192.0.2.9`` and so on; ``SpecError``."""
    for word in words:
        name, found, value = word.partition("=")
        option = TABLE.get(name)
        if option is None or not found:
            raise SpecError(unknown("vserver@2.4", name, TABLE))
        technology = apply("vserver@2.4", name, option, technology, value)
    return technology


def _caps(technology: Technology, value: str) -> Technology:
    """S_CAPS: what the ceiling keeps besides the secure set."""
    held = technology.get("bounding-set")
    own = held if isinstance(held, OldBoundingSet) else OldBoundingSet()
    mask = own.bcaps
    for word in value.split():
        name = word.upper().removeprefix("CAP_")
        if f"CAP_{name}" not in CAPABILITY_NAMES:
            raise OptionError(_("there is no capability {name}").format(name=name))
        mask |= capability(name)
    return put(technology, replace(own, bcaps=mask))


def _address(technology: Technology, value: str) -> Technology:
    """IPROOT: one address; 0.0.0.0 is no restriction."""
    text = value.partition("/")[0].rpartition(":")[2]
    if ip.parse(text) is None:
        raise OptionError(_("{word} is no address").format(word=text))
    if text == "0.0.0.0":
        return drop(technology, "network-context", share=True)
    return put(technology, OldNetworkContext(address=text))


def _hostname(technology: Technology, value: str) -> Technology:
    guest = msgspec.structs.replace(technology.guest, hostname=value)
    return change(technology, guest=guest)


def _context(technology: Technology, value: str) -> Technology:
    return put(technology, OldSecurityContext(number=number(value)))


def _flags(technology: Technology, value: str) -> Technology:
    """S_FLAGS: ``nproc`` makes ULIMIT's -u a limit of the whole context."""
    words = value.split()
    if "nproc" not in words:
        return drop(technology, "context-limits")
    return technology


def _ulimit(technology: Technology, value: str) -> Technology:
    """ULIMIT: ``-H -u 1000``."""
    words = shlex.split(value)
    if "-u" not in words[:-1]:
        raise OptionError(_("-H -u NUMBER was expected"))
    return put(technology, OldContextLimits(number(words[words.index("-u") + 1])))


TABLE: dict[str, Option] = {
    "S_CAPS": Option(_caps),
    "S_CONTEXT": Option(_context),
    "S_FLAGS": Option(_flags),
    "S_HOSTNAME": Option(_hostname),
    "IPROOT": Option(_address),
    "ULIMIT": Option(_ulimit),
}
