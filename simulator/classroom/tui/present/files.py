"""Where a task stands in the file tree, what it holds open, and the mounts it can reach."""

from collections.abc import Sequence

from simulator.classroom.tui.present.line import Line
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.family import Family
from simulator.machine.state.store import World, Write


def files(world: World, family: Family, viewer: Pid, writes: Sequence[Write]) -> list[Line]:
    """Placeholder until the rooms of the network stand."""
    return []
