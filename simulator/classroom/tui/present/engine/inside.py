"""Which container the sandbox's side of the glass shows."""

from simulator.classroom.tui.present.engine.disk import Disk
from simulator.isolation.control.docker.engine.container import Record
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.task import Task, TaskState
from simulator.machine.state.store import World


def shown(world: World, back: int = 0) -> Record | None:
    """The newest container, one that runs first; ``back`` counts from there, round and round."""
    found = Disk(world).containers()[::-1]
    found.sort(key=lambda one: not one.State.Running)
    return found[back % len(found)] if found else None


def first_process(world: World, container: Record) -> Pid | None:
    """Its oldest living process, by the kernel's number."""
    return next(
        (
            task.id
            for task in world.all(Task)
            if task.domain == container.ID and task.state is not TaskState.ZOMBIE
        ),
        None,
    )
