"""FreeBSD's own tools for its jails: jail(8), jls(8), jexec(8), service(8), sysrc(8)."""

from simulator.isolation.control.freebsd.etc import (
    DEFAULT_TEXT,
    DEFAULTS,
    JAIL_SCRIPT,
    JAIL_TEXT,
)
from simulator.isolation.control.toolset import Toolset

TOOLSET = Toolset(
    product="freebsd",
    modules=(
        "freebsd.jail",
        "freebsd.jexec",
        "freebsd.listing",
        "freebsd.service",
        "freebsd.sysrc",
    ),
    kernels=frozenset({"freebsd"}),
    programs=("jail", "jexec", "jls", "service", "sysrc"),
    directories=(
        ("/etc/defaults", 0o755),
        ("/etc/rc.d", 0o755),
        ("/var", 0o755),
        ("/var/log", 0o755),
        ("/var/run", 0o755),
    ),
    files=((DEFAULTS, 0o644, DEFAULT_TEXT), (JAIL_SCRIPT, 0o555, JAIL_TEXT)),
)
