"""FreeBSD's own tools for its jails: jail(8), jls(8), jexec(8)."""

from simulator.isolation.control.toolset import Toolset

TOOLSET = Toolset(
    product="freebsd",
    modules=("freebsd.jail", "freebsd.jexec", "freebsd.listing"),
    kernels=frozenset({"freebsd"}),
    programs=("jail", "jexec", "jls"),
    directories=(("/var", 0o755), ("/var/log", 0o755)),
)
