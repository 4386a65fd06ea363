"""Linux releases as values of a family."""

from simulator.machine.kernel.family import Family, Traits
from simulator.machine.kernel.security import Chain
from simulator.machine.syscalls.registry import linux, posix

LINUX = Family(
    id="linux",
    title="Linux 6.18",
    release=(6, 18),
    release_name="6.18.0",
    table=posix.calls | linux.calls,
    traits=Traits(),
    chain=Chain(()),
    filesystems={},
    errno_numbers={},
    sysctls={},
)
