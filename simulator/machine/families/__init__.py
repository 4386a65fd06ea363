"""The kernels that can be booted, by name: today's of each family, and older or patched ones."""

import importlib
from collections.abc import Mapping

from simulator.machine.kernel.family import Family

KERNELS: Mapping[str, str] = {
    "linux": "linux:LINUX",
    "linux-2.6.24": "linux.eras:LINUX_2_6_24",
    "linux-3.8": "linux.eras:LINUX_3_8",
    "linux-2.6.32": "linux.distributions:DEBIAN_2_6_32",
    "linux-3.2": "linux.distributions:UBUNTU_3_2",
    "linux-3.8-aufs": "linux.distributions:UBUNTU_3_8",
    "linux-3.13": "linux.distributions:UBUNTU_3_13",
    "linux-4.4": "linux.distributions:UBUNTU_4_4",
    "linux-2.6.27-vs": "linux.vserver:VSERVER_2_6",
    "linux-2.4-vs": "linux.vserver:VSERVER_2_4",
    "linux-2.6.18-ovz": "linux.openvz:OPENVZ_2_6_18",
    "linux-2.6.32-ovz": "linux.openvz:OPENVZ_2_6_32",
    "freebsd": "freebsd:FREEBSD",
    "sunos": "sunos:SUNOS",
}
"""Where each is defined; a module is imported when its kernel is first booted."""


def kernel(name: str) -> Family:
    """The kernel called ``name``. Raises ``KeyError``."""
    module, _, value = KERNELS[name].partition(":")
    family = getattr(importlib.import_module(f"{__name__}.{module}"), value)
    assert isinstance(family, Family)
    return family
