"""LXC's tools: lxc-create(1), lxc-start(1), lxc-attach(1) and the others, and what they read."""

from simulator.isolation.control.toolset import Toolset
from simulator.isolation.technologies.defaults import lxc_files

TOOLSET = Toolset(
    product="lxc",
    modules=(
        "lxc.attaching",
        "lxc.copying",
        "lxc.listing",
        "lxc.making",
        "lxc.starting",
        "lxc.stopping",
    ),
    kernels=frozenset({"linux"}),
    programs=(
        "init.lxc",
        "lxc-attach",
        "lxc-cgroup",
        "lxc-copy",
        "lxc-create",
        "lxc-destroy",
        "lxc-execute",
        "lxc-freeze",
        "lxc-info",
        "lxc-ls",
        "lxc-start",
        "lxc-stop",
        "lxc-unfreeze",
    ),
    directories=(("/var/lib/lxc", 0o711),),
    files=lxc_files.FILES,
)
