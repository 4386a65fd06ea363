"""Kernels that distributions shipped when LXC and Docker were young; what each lacks follows from
``releases.py``, what was patched in is added here.
"""

from dataclasses import replace

from simulator.machine.families.linux import of_release
from simulator.machine.kernel.family import Family
from simulator.machine.kernel.fs.overlay.aufs import AUFS
from simulator.machine.kernel.fs.overlay.mount import OVERLAYFS
from simulator.machine.kernel.fs.registry import FilesystemType


def _with(family: Family, title: str, *patched: FilesystemType) -> Family:
    """``family`` as the distribution built it, with filesystems that Linux itself has not."""
    more = {one.name: one for one in patched}
    return replace(family, title=title, filesystems={**family.filesystems, **more})


DEBIAN_2_6_32 = replace(of_release((2, 6, 32), "2.6.32-5-amd64"), title="Linux 2.6.32 (Debian 6)")
"""December 2009: what LXC 0.6.4 could run on, user and reboot namespaces being years away."""

UBUNTU_3_2 = _with(of_release((3, 2), "3.2.0-23-generic"), "Linux 3.2 (Ubuntu 12.04)", AUFS)
"""April 2012, with LXC 0.7.5: the last before a pid namespace could be rebooted by itself."""

UBUNTU_3_8 = _with(of_release((3, 8), "3.8.0-19-generic"), "Linux 3.8 (Ubuntu 13.04)", AUFS)
"""April 2013: Docker 0.1 asks for 3.8 and for aufs."""

UBUNTU_3_13 = _with(
    of_release((3, 13), "3.13.0-24-generic"), "Linux 3.13 (Ubuntu 14.04)", AUFS, OVERLAYFS
)
"""April 2014: below Docker 0.11 to 1.0, and below Warden: overlayfs years before Linux itself."""

UBUNTU_4_4 = _with(of_release((4, 4), "4.4.0-21-generic"), "Linux 4.4 (Ubuntu 16.04)", AUFS)
"""April 2016: Docker 1.10 filters system calls and can map ids."""
