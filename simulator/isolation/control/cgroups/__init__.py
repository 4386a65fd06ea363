"""libcgroup's tools: cgcreate, cgset, cgget, cgexec, cgclassify, cgdelete, lscgroup, lssubsys."""

from simulator.isolation.control.cgroups import listing, making, running, setting
from simulator.isolation.control.toolset import Toolset

assert listing
assert making
assert running
assert setting  # imported for the programs that enter themselves

TOOLSET = Toolset(
    product="cgroups",
    kernels=frozenset({"linux", "linux-2.6.24", "linux-3.8", "linux-3.13-ubuntu"}),
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
