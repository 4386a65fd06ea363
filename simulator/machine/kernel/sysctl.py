"""Settings of the running kernel: what /proc/sys and sysctl(2) read and write.

A setting starts at its family's value; only one that was written has a row.
"""

from typing import TYPE_CHECKING

from simulator.machine.state.store import Row, Store, World

if TYPE_CHECKING:
    from simulator.machine.kernel.family import Family


class Sysctl(Row, frozen=True, kw_only=True):
    """A setting that somebody changed; ``id`` is its dotted name."""

    value: str


def read(world: World, family: "Family", name: str) -> str:
    """The value of a machine-wide setting; a name the kernel lacks is a bug (KeyError)."""
    written = world.get(Sysctl, name)
    return written.value if written is not None else family.sysctls[name]


def number(world: World, family: "Family", name: str) -> int:
    """A setting that is one number; 0 where this kernel has no such setting."""
    written = world.get(Sysctl, name)
    return int(written.value if written is not None else family.sysctls.get(name, "0"))


def write(store: Store, name: str, value: str) -> None:
    """Change a machine-wide setting."""
    store.put(Sysctl(id=name, value=value))
