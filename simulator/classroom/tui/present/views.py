"""The aspects of the machine that the play screen can show on both sides."""

from collections.abc import Sequence

from simulator.classroom.tui.present.engine import happened
from simulator.classroom.tui.present.engine.disk import Disk
from simulator.classroom.tui.present.engine.happened import Happened
from simulator.classroom.tui.present.engine.layers import layers, overlay
from simulator.classroom.tui.present.engine.networks import bridges, endpoints
from simulator.classroom.tui.present.engine.volumes import fate, volumes
from simulator.classroom.tui.present.files import files
from simulator.classroom.tui.present.identity import identity
from simulator.classroom.tui.present.line import Line
from simulator.classroom.tui.present.network import network
from simulator.classroom.tui.present.processes import processes
from simulator.classroom.tui.present.usage import usage
from simulator.isolation.control.docker.engine.container import Record
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
    ("usage", N_("use of the machine")),
)
"""The name of each view and its title."""

SUBJECT_VIEWS: dict[str, str] = {
    "fs": "files",
    "devices": "files",
    "proc": "files",
    "network": "network",
    "ipc": "network",
    "users": "identity",
    "hostname": "identity",
    "resources": "usage",
}
"""The view that a scenario of a subject opens with; of the others, the processes."""

DEMONSTRATION_VIEWS: dict[str, str] = {
    "docker.anywhere": "layers",
    "docker.layers": "layers",
    "docker.copy-up": "layers",
    "docker.secret-layer": "layers",
    "docker.build-cache": "layers",
    "docker.commit": "layers",
    "docker.tags": "layers",
    "docker.mounts": "volumes",
    "docker.dies": "volumes",
    "docker.port": "bridges",
    "docker.port-twice": "bridges",
    "docker.names": "bridges",
    "docker.network-modes": "bridges",
    "docker.rules": "bridges",
    "docker.exit-codes": "events",
    "docker.life": "events",
    "docker.restart": "events",
    "docker.compose": "events",
    "docker.compose-health": "events",
    "docker.compose-order": "events",
    "docker.limits": "usage",
    "docker.hardening": "identity",
}
"""The view that a demonstration opens with, where it is about one of an engine's things."""

ENGINE_VIEWS: tuple[tuple[str, str, str], ...] = (
    ("layers", N_("images and layers"), N_("its overlay")),
    ("bridges", N_("networks of containers"), N_("its networks")),
    ("volumes", N_("volumes"), N_("what dies with it")),
    ("events", N_("events"), N_("its events")),
)
"""Where a Docker Engine runs: a view's name, and its titles on the host's side and the container's.
"""


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


def engine_view(
    name: str,
    world: World,
    container: Record | None,
    *,
    inside: bool,
    told: Sequence[Happened] = (),
) -> list[Line]:
    """The lines of a view of the Engine: of all of it, or ``inside`` of one container. ``told`` is
    what it told its listeners.
    """
    match name, inside:
        case "layers", False:
            return layers(world)
        case "layers", True:
            return overlay(world, container)
        case "bridges", False:
            return bridges(world)
        case "bridges", True:
            return endpoints(container)
        case "events", False:
            return happened.lines(told, Disk(world).containers())
        case "events", True:
            return happened.inside(told, container)
        case _other, False:
            return volumes(world)
        case _other, True:
            return fate(world, container)
