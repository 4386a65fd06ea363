"""libcgroup's tools: cgcreate, cgset, cgget, cgexec, cgclassify, cgdelete, lscgroup, lssubsys."""

from simulator.isolation.control.toolset import Toolset

TOOLSET = Toolset(
    product="cgroups",
    modules=("cgroups.listing", "cgroups.making", "cgroups.running", "cgroups.setting"),
    kernels=frozenset({"linux", "linux-2.6.24", "linux-3.8", "linux-3.13"}),
    programs=(
        "cgclassify",
        "cgcreate",
        "cgdelete",
        "cgexec",
        "cgget",
        "cgset",
        "lscgroup",
        "lssubsys",
    ),
)
