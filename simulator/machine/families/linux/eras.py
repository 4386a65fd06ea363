"""Kernels that mark an era, unpatched: what each lacks follows from ``releases.py``."""

from dataclasses import replace

from simulator.machine.families.linux import of_release
from simulator.machine.kernel.fs.overlay.mount import OVERLAYFS

LINUX_2_6_24 = of_release((2, 6, 24))
"""January 2008: the first with control groups, and with no controller for memory among them."""

LINUX_3_8 = of_release((3, 8))
"""February 2013: user namespaces are complete, and Docker asks for no less."""

_TRUSTY = of_release((3, 13), "3.13.0-24-generic")
UBUNTU_3_13 = replace(
    _TRUSTY,
    title="Linux 3.13 (Ubuntu 14.04)",
    filesystems={**_TRUSTY.filesystems, OVERLAYFS.name: OVERLAYFS},
)
"""April 2014: Ubuntu's, which has overlayfs years before Linux itself."""
