"""The aspects of the machine that the play screen can show on both sides."""

from collections.abc import Sequence

from simulator.classroom.tui.present.files import files
from simulator.classroom.tui.present.identity import identity
from simulator.classroom.tui.present.line import Line
from simulator.classroom.tui.present.network import network
from simulator.classroom.tui.present.processes import processes
from simulator.classroom.tui.present.usage import usage
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.family import Family
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import World, Write

VIEWS: tuple[tuple[str, str], ...] = (
    ("processes", N_("processes")),
    ("files", N_("files and mounts")),
    ("network", N_("network and IPC")),
    ("identity", N_("users and limits")),
    ("usage", N_("processors, memory, disk")),
)
"""The name of each view and its title."""


def view(
    name: str, world: World, family: Family, viewer: Pid, writes: Sequence[Write] = ()
) -> list[Line]:
    """The lines of a view as ``viewer`` sees it; ``writes`` are what the step changed."""
    if world.get(Task, viewer) is None:
        return [Line(text=_("not there yet"), domain="kernel")]
    match name:
        case "processes":
            return processes(world, family, viewer)
        case "files":
            return files(world, family, viewer, writes)
        case "network":
            return network(world, family, viewer)
        case "usage":
            return usage(world, family, viewer)
        case _other:
            return identity(world, family, viewer)
