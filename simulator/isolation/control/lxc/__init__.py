"""LXC's tools: lxc-create(1), lxc-start(1), lxc-attach(1) and the others, and what they read."""

from simulator.isolation.control.toolset import Toolset
from simulator.isolation.technologies.defaults import lxc_files

TOOLSET = Toolset(
    product="lxc",
    modules=(
        "lxc.attaching",
        "lxc.autostart",
        "lxc.copying",
        "lxc.destroying",
        "lxc.info",
        "lxc.listing",
        "lxc.making",
        "lxc.settings",
        "lxc.snapshots",
        "lxc.starting",
        "lxc.stopping",
        "lxc.waiting",
    ),
    kernels=frozenset({"linux"}),
    programs=(
        "init.lxc",
        "lxc-attach",
        "lxc-autostart",
        "lxc-cgroup",
        "lxc-config",
        "lxc-copy",
        "lxc-create",
        "lxc-destroy",
        "lxc-execute",
        "lxc-freeze",
        "lxc-info",
        "lxc-ls",
        "lxc-snapshot",
        "lxc-start",
        "lxc-stop",
        "lxc-unfreeze",
        "lxc-wait",
    ),
    directories=(("/var/lib/lxc", 0o711),),
    files=lxc_files.FILES,
)
