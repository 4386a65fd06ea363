"""Stopping, killing, pausing, removing.

moby ``stop.go``, ``kill.go``, ``pause.go``, ``delete.go``.
"""

from typing import TYPE_CHECKING

from simulator.isolation.control.docker.api.errors import (
    ApiError,
    BadRequest,
    Conflict,
    NotModified,
)
from simulator.isolation.control.docker.engine import files, running, strangers
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.engine.verifying import signal_number
from simulator.machine.abi.constants import O_WRONLY, SIGKILL, SIGTERM
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

STOP_TIMEOUT = 10
_PATIENCE = 10


async def stop(
    sys: Process, engine: "Engine", container: Container, signal: str, seconds: int | None
) -> None:
    """A signal, then after ``seconds`` SIGKILL. Raises ``NotModified``."""
    if not container.state.Running:
        raise NotModified("")
    number = signal_number(signal or container.config.StopSignal or "SIGTERM") or SIGTERM
    thaw = await _exit_on_next(sys, engine, container, number)
    if container.state.Restarting:  # nothing runs: it is enough that nothing is started
        await container.changed.until(sys, lambda: not container.state.Running)
        await engine.tell(sys, container, "stop")
        return
    if seconds is None:
        seconds = container.config.StopTimeout
    if seconds is None:
        seconds = STOP_TIMEOUT
    await engine.tell(sys, container, "kill", signal=str(number))
    await sys.succeeds("kill", container.state.Pid, number)
    if thaw:
        await freeze(sys, container, frozen=False)
    await strangers.see_to_ends(sys, engine)
    if not await running.wait_end(sys, container, seconds):
        await engine.tell(sys, container, "kill", signal=str(SIGKILL))
        await sys.succeeds("kill", container.state.Pid, SIGKILL)
        await strangers.see_to_ends(sys, engine)
        await running.wait_end(sys, container, _PATIENCE)
    await engine.tell(sys, container, "stop")


async def kill(
    sys: Process, engine: "Engine", container: Container, text: str, term: str = ""
) -> None:
    """One signal; ``term`` is how it was asked for. Raises ``BadRequest``, ``Conflict``."""
    begun = f"cannot kill container: {term or container.id}: "
    number = signal_number(text) if text else int(SIGKILL)
    if number is None and text.isdigit() and int(text):
        raise BadRequest(f"{begun}the linux daemon does not support signal {text}")
    if number is None:
        raise BadRequest(f"{begun}invalid signal: {text}")
    if not container.state.Running:
        raise Conflict(f"{begun}container {container.id} is not running")
    thaw = await _exit_on_next(sys, engine, container, number)
    if container.state.Restarting:
        return
    await engine.tell(sys, container, "kill", signal=str(number))
    await sys.succeeds("kill", container.state.Pid, number)
    if thaw:
        await freeze(sys, container, frozen=False)
    await strangers.see_to_ends(sys, engine)
    if number == SIGKILL:
        await running.wait_end(sys, container, _PATIENCE)


async def _exit_on_next(sys: Process, engine: "Engine", container: Container, number: int) -> bool:
    """Note that somebody sent it a signal; whether it must be thawed to hear of it.

    After that no policy brings it back, unless its image names another signal for stopping (moby
    ``kill.go`` killWithSignal()).
    """
    own = container.config.StopSignal
    meant = not own or number in (SIGKILL, signal_number(own))
    container.stopping = container.stopping or meant
    container.record.HasBeenManuallyStopped = True
    await engine.checkpoint(sys, container)
    await container.changed.ring(sys)
    return meant and container.state.Paused


async def pause(sys: Process, engine: "Engine", container: Container) -> None:
    """The freezer. Raises ``Conflict``."""
    if not container.state.Running:
        raise Conflict(f"container {container.id} is not running")
    if container.state.Paused:
        raise Conflict(f"Container {container.id} is already paused")
    if container.state.Restarting:
        raise Conflict(
            f"Container {container.id} is restarting, wait until the container is running"
        )
    await freeze(sys, container, frozen=True)
    container.state.Paused = True
    if container.state.Health is not None:  # as soon as nobody looks (CloseMonitorChannel())
        container.state.Health.Status = "unhealthy"
    await engine.checkpoint(sys, container)
    await engine.tell(sys, container, "pause")


async def unpause(sys: Process, engine: "Engine", container: Container) -> None:
    """Raises ``Conflict``."""
    if not container.state.Paused:
        raise ApiError(f"Container {container.id} is not paused")
    await freeze(sys, container, frozen=False)
    container.state.Paused = False
    await engine.checkpoint(sys, container)
    await engine.tell(sys, container, "unpause")
    await container.changed.ring(sys)


async def freeze(sys: Process, container: Container, *, frozen: bool) -> None:
    """Write to the control group's freezer, of either version."""
    v1 = await files.exists(sys, "/sys/fs/cgroup/freezer")
    if v1:
        path = f"/sys/fs/cgroup/freezer/docker/{container.id}/freezer.state"
        text = b"FROZEN" if frozen else b"THAWED"
    else:
        path = f"/sys/fs/cgroup/docker/{container.id}/cgroup.freeze"
        text = b"1" if frozen else b"0"
    fd = await sys.open(path, O_WRONLY)
    await sys.write(fd, text)
    await sys.close(fd)


async def remove(
    sys: Process,
    engine: "Engine",
    container: Container,
    *,
    force: bool = False,
    volumes: bool = False,
) -> None:
    """Remove it with its layer, and its anonymous volumes if wanted. Raises ``Conflict``."""
    state = container.state
    if state.RemovalInProgress:
        raise Conflict(f"removal of container {container.id} is already in progress")
    if state.Running:
        if not force:
            if state.Paused:
                raise _cannot(container, "container is paused and must be unpaused first")
            raise _cannot(
                container,
                f"container is {state.status}: stop the container before removing or force remove",
            )
        container.stopping = True
        await kill(sys, engine, container, "")
        await running.wait_end(sys, container, -1)
    async with container.lock.held(sys):
        if container.removed:
            return
        state.RemovalInProgress = True
        await sys.succeeds("umount2", f"{container.layer}/merged", 2)
        for path in (container.layer, f"{container.layer}-init", container.root):
            await files.remove_tree(sys, path)
        container.removed = True
        del engine.containers[container.id]
        engine.names.pop(container.name, None)
        if volumes:
            await _volumes(sys, engine, container)
    await engine.tell(sys, container, "destroy")
    await container.changed.ring(sys)
    for channel in tuple(container.streams.readers):
        await channel.close(sys)


def _cannot(container: Container, why: str) -> ApiError:
    return Conflict(f'cannot remove container "{container.name}": {why}')


def users_of(engine: "Engine", volume: str) -> list[str]:
    """The containers that have a volume mounted."""
    return [
        one.id
        for one in engine.containers.values()
        if any(point.Name == volume for point in one.record.Mounts)
    ]


async def _volumes(sys: Process, engine: "Engine", container: Container) -> None:
    for point in container.record.Mounts:
        volume = engine.volumes.all.get(point.Name)
        if volume is None or not volume.anonymous or users_of(engine, volume.Name):
            continue
        await engine.volumes.remove(sys, volume)
        told = {"driver": volume.Driver}
        await engine.events.emit(sys, "volume", "destroy", volume.Name, told)


async def rename(sys: Process, engine: "Engine", container: Container, name: str) -> None:
    """Another name. Raises ``BadRequest``, ``Conflict``."""
    if not name:
        raise BadRequest("Neither old nor new names may be empty")
    old = container.name
    if name.removeprefix("/") == old:
        raise BadRequest("Renaming a container with the same name as its current name")
    try:
        new = await engine.reserve_name(sys, name, container.id)
    except ApiError as error:
        message = f"Error when allocating new name: {error.message}"
        raise ApiError(message, error.status) from None
    container.record.Name = new
    try:
        await engine.save(sys, container)
    except SysError:
        container.record.Name = old
        del engine.names[new]
        raise
    engine.names.pop(old, None)
    await engine.tell(sys, container, "rename", oldName=f"/{old}")
