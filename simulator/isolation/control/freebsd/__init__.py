"""FreeBSD's own tools for its jails: jail(8), jls(8), jexec(8)."""

from simulator.isolation.control.freebsd import jail, jexec, listing
from simulator.isolation.control.toolset import Toolset

assert jail
assert jexec
assert listing  # imported for the programs that enter themselves

TOOLSET = Toolset(
    product="freebsd",
    kernels=frozenset({"freebsd"}),
    programs=("jail", "jexec", "jls"),
)
