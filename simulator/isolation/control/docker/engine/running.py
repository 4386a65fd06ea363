"""Starting a container, and what follows when it ends. moby ``start.go``, ``monitor.go``.

The daemon puts the layers together, gives addresses, plans the launch; a shim carries it out. One
worker copies each output, one waits for the shim's word that the container has ended.
"""

from typing import TYPE_CHECKING, cast

import msgspec

from simulator.isolation.control.docker.api.errors import (
    ApiError,
    BadRequest,
    Conflict,
    NotModified,
)
from simulator.isolation.control.docker.engine import (
    dns,
    files,
    health,
    launching,
    logs,
    mounts,
    networking,
    oom,
    publishing,
    shim,
    times,
)
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.engine.devices import REFUSED
from simulator.isolation.control.docker.engine.shim import Report
from simulator.isolation.control.docker.engine.streams import Piece
from simulator.isolation.control.docker.engine.sync import go
from simulator.machine.abi.constants import MNT_DETACH, O_CLOEXEC, SIGKILL
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_BLOCK = 32768
_FIRST_DELAY = 100_000_000
_LONGEST_DELAY = 60_000_000_000


async def start(sys: Process, engine: "Engine", container: Container) -> None:
    """Start it. Raises ``NotModified`` when it runs, ``ApiError`` in runc's words."""
    async with container.lock.held(sys):
        state = container.state
        if state.Paused:
            raise Conflict("cannot start a paused container, try unpause instead")
        if state.Running:
            raise NotModified("")
        if state.RemovalInProgress or state.Dead:
            raise Conflict("container is marked for removal and cannot be started")
        container.record.HasBeenManuallyStopped = False
        container.record.RestartCount = 0
        container.stopping, container.delay = False, 0
        try:
            await _start(sys, engine, container)
            return
        except ApiError as error:
            failure = error
    if container.host.AutoRemove:
        from simulator.isolation.control.docker.engine import removing

        await removing.remove(sys, engine, container, volumes=True)
    raise failure


async def _start(sys: Process, engine: "Engine", container: Container) -> None:
    state = container.state
    try:
        report, report_fd = await _launch(sys, engine, container)
    except (ApiError, SysError) as error:
        failure = error if isinstance(error, ApiError) else ApiError(str(error))
        await _clean_up(sys, engine, container)
        if not state.ExitCode:
            state.ExitCode = 128
        state.Error = failure.message
        await engine.checkpoint(sys, container)
        await container.changed.ring(sys)
        await container.streams.end_output(sys)
        raise failure from None
    container.generation += 1
    state.Running, state.Pid, state.ExitCode, state.Error = True, report.number, 0, ""
    state.Restarting = False
    state.OOMKilled = False
    state.StartedAt = times.rfc3339(await times.now(sys))
    await engine.checkpoint(sys, container)
    await oom.begin(sys, engine, container)
    await engine.tell(sys, container, "start")
    await container.changed.ring(sys)

    async def waiter(own: Process) -> None:
        ended = await reported(own, report_fd)
        await own.close(report_fd)
        await ended_with(own, engine, container, ended.status if ended is not None else SIGKILL)

    await go(sys, waiter)
    await health.begin(sys, engine, container)


async def _launch(sys: Process, engine: "Engine", container: Container) -> tuple[Report, int]:
    """The shim's word that it runs, and the pipe for its next. Raises ``ApiError``."""
    await mounts.mount_volumes(sys, engine, container)
    await mounts.make_sources(sys, container)
    await networking.allocate(sys, engine, container)
    await publishing.publish(sys, engine, container)
    await mount_layers(sys, container)
    await mounts.tell(sys, engine, container, "mount")
    await mounts.check_propagation(sys, container)
    job, ours = await launching.prepare(sys, engine, container)
    report_read, report_write = await pipe(sys)
    begin, may_begin = await pipe(sys) if dns.needed(container) else (-1, -1)
    job = job._replace(report=report_write, begin=begin)
    await sys.spawn(shim.body(job))
    await sys.close(report_write)
    for fd in {fd for fd in (*job.stdio, begin) if fd >= 0}:
        await sys.close(fd)
    await _copy(sys, container, ours)
    report = await reported(sys, report_read)
    if report is not None and report.created:
        await dns.serve(sys, engine, container, report.number)
        await sys.write(may_begin, b"\n")
        report = await reported(sys, report_read)
    if may_begin >= 0:
        await sys.close(may_begin)
    if report is None or report.error:
        await sys.close(report_read)
        await container.streams.close_stdin(sys)
        container.state.ExitCode = report.code if report is not None else 128
        raise failed(report)
    return report, report_read


def failed(report: Report | None) -> ApiError:
    """The error of a launch, as the daemon words runc's."""
    why = report.error if report is not None else "the shim ended"
    message = f"{REFUSED}unable to start container process: {why}: unknown"
    code = report.code if report is not None else 128
    return BadRequest(message) if code in (126, 127) else ApiError(message)


async def pipe(sys: Process) -> tuple[int, int]:
    """A pipe: the reading and the writing end."""
    return cast("tuple[int, int]", await sys.data("pipe2", O_CLOEXEC))


async def reported(sys: Process, fd: int) -> Report | None:
    """The next line of a shim; None at its end."""
    line = b""
    while not line.endswith(b"\n"):
        byte = await sys.read(fd, 1 if line else 4096)
        if not byte:
            return None
        line += byte
    return msgspec.json.decode(line.splitlines()[0], type=Report)


async def mount_layers(sys: Process, container: Container) -> None:
    """The storage driver's mount of a container's layers at ``merged`` (overlay2 ``Get``)."""
    base = container.layer
    lower = ":".join(container.record.Layers)
    options = f"lowerdir={lower},upperdir={base}/diff,workdir={base}/work"
    try:
        await sys.call("mount", "overlay", f"{base}/merged", "overlay", 0, options)
    except SysError as error:
        why = error.message[:1].lower() + error.message[1:]
        raise ApiError(f"error creating overlay mount to {base}/merged: {why}") from None


async def _copy(sys: Process, container: Container, ours: dict[int, int]) -> None:
    """Workers that bring what is printed to the log and to whoever is attached."""
    streams = container.streams
    streams.open_outputs = len(ours)
    if not ours:
        return
    log = await logs.open_log(sys, container)
    left = [len(ours)]

    def copier(stream: int, fd: int):
        async def body(own: Process) -> None:
            while data := await _read(own, fd):
                if log >= 0:
                    await logs.write(own, log, stream, data)
                await streams.publish(own, Piece(stream, data))
            if not streams.terminal:
                await own.succeeds("close", fd)
            left[0] -= 1
            if not left[0] and log >= 0:
                await own.succeeds("close", log)
            await streams.end_output(own)

        return body

    for stream, fd in ours.items():
        await go(sys, copier(stream, fd))


async def _read(sys: Process, fd: int) -> bytes:
    try:
        return await sys.read(fd, _BLOCK)
    except SysError:  # EIO: the terminal's last slave was closed
        return b""


async def ended_with(sys: Process, engine: "Engine", container: Container, word: int) -> None:
    """It has ended with a wait status: tidy up, tell, and start it again if that was asked."""
    streams = container.streams
    await streams.drained.until(sys, lambda: streams.open_outputs <= 0)
    await container.lock.acquire(sys)
    state = container.state
    code = 128 + (word & 0x7F) if word & 0x7F else word >> 8 & 0xFF
    now = await times.now(sys)
    lasted = now - (times.parse(state.StartedAt) or now)
    await streams.close_stdin(sys)
    await oom.end(sys, engine, container)
    await _clean_up(sys, engine, container)
    again = comes_again(container, code, lasted)
    container.record.RestartCount += again
    state.Running, state.Paused, state.Pid = again, False, 0
    state.Restarting = again
    state.ExitCode, state.FinishedAt = code, times.rfc3339(now)
    if state.Health is not None:
        state.Health.Status = "unhealthy"
    await engine.checkpoint(sys, container)
    attributes = {"exitCode": str(code), "execDuration": str(lasted // times.SECOND)}
    await engine.tell(sys, container, "die", **attributes)
    await container.lock.release(sys)
    await container.changed.ring(sys)
    if container.host.AutoRemove:
        from simulator.isolation.control.docker.engine import removing

        await removing.remove(sys, engine, container, force=True, volumes=True)
    elif again:
        await _restart(sys, engine, container)


def comes_again(container: Container, code: int, lasted: int) -> bool:
    """Whether its restart policy brings it back, and after how long (``restartmanager.go``)."""
    policy = container.host.RestartPolicy
    if policy.Name in ("", "no") or container.stopping or container.removed:
        return False
    if container.state.RemovalInProgress:
        return False
    if lasted >= 10 * times.SECOND:
        container.delay = 0
    doubled = container.delay * 2 or _FIRST_DELAY
    container.delay = min(doubled, _LONGEST_DELAY)
    if policy.Name == "always":
        return True
    if policy.Name == "unless-stopped":
        return not container.record.HasBeenManuallyStopped
    most = policy.MaximumRetryCount
    return code != 0 and (not most or container.record.RestartCount < most)


async def _restart(sys: Process, engine: "Engine", container: Container) -> None:
    """After the delay, unless somebody does not want it any more."""

    def unwanted() -> bool:
        return container.stopping or container.removed

    failed = await container.changed.within(sys, unwanted, container.delay)
    if not failed:
        async with container.lock.held(sys):
            if not unwanted():
                try:
                    await _start(sys, engine, container)
                    return
                except ApiError:
                    failed = True
    if container.removed:
        return
    container.state.Running = container.state.Restarting = False
    await engine.checkpoint(sys, container)
    await container.changed.ring(sys)
    if container.host.AutoRemove:
        from simulator.isolation.control.docker.engine import removing

        await removing.remove(sys, engine, container, force=True, volumes=True)


async def _clean_up(sys: Process, engine: "Engine", container: Container) -> None:
    """Give back what a running container has: its mount, its addresses, its control group."""
    await publishing.unpublish(sys, container)
    await dns.end(sys, container)
    await sys.succeeds("umount2", f"{container.layer}/merged", MNT_DETACH)
    await networking.release(sys, engine, container)
    await mounts.unmount_volumes(sys, engine, container)
    await mounts.tell(sys, engine, container, "unmount")
    for group in await groups(sys, container.id):
        await sys.succeeds("rmdir", group)
    for ident in container.execs:
        engine.execs.pop(ident, None)
    container.execs.clear()


async def groups(sys: Process, ident: str) -> list[str]:
    """The directories of a container's control groups."""
    if not await files.exists(sys, "/sys/fs/cgroup/memory"):
        return [f"/sys/fs/cgroup/docker/{ident}"]
    kinds = await files.names(sys, "/sys/fs/cgroup")
    return [f"/sys/fs/cgroup/{kind}/docker/{ident}" for kind in kinds]


async def kill(sys: Process, container: Container, signal: int) -> None:
    """Send its first process a signal. Raises ``Conflict`` when it does not run."""
    if not container.state.Running or not container.state.Pid:
        raise Conflict(f"container {container.id} is not running")
    await sys.succeeds("kill", container.state.Pid, signal)


async def wait_end(sys: Process, container: Container, seconds: float) -> bool:
    """Whether it has ended within so long; a negative number waits for ever."""

    def over() -> bool:
        return not container.state.Running or container.state.Restarting or container.removed

    if seconds < 0:
        await container.changed.until(sys, over)
        return True
    return await container.changed.within(sys, over, int(seconds * times.SECOND))
