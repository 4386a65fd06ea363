"""LXC's tools: lxc-create(1), lxc-start(1), lxc-attach(1) and the others, and what they read."""

from simulator.isolation.control.toolset import Toolset
from simulator.isolation.technologies import lxc_files

TOOLSET = Toolset(
    product="lxc",
    kernels=frozenset({"linux"}),
    programs=(),
    directories=(("/var/lib/lxc", 0o711),),
    files=lxc_files.FILES,
)
