"""Health checks: a probe from time to time, by exec. moby ``daemon/health.go``."""

from typing import TYPE_CHECKING

from simulator.isolation.control.docker.engine import times
from simulator.isolation.control.docker.engine.container import Container, HealthResult, HealthState
from simulator.isolation.control.docker.engine.sync import go
from simulator.machine.userland.process import Process

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_INTERVAL = _TIMEOUT = 30 * times.SECOND
_START_INTERVAL = 5 * times.SECOND
_RETRIES = 3
_KEPT = 5
_LONGEST_OUTPUT = 4096


async def begin(sys: Process, engine: "Engine", container: Container) -> None:
    """Start probing a container that has just been started, if it is to be probed."""
    check = container.config.Healthcheck
    if check is None or not check.Test or check.Test[0] not in ("CMD", "CMD-SHELL"):
        container.state.Health = None
        return
    health = container.state.Health or HealthState(Log=[])
    health.Status, health.FailingStreak = "starting", 0
    container.state.Health = health
    generation = container.generation

    async def prober(own: Process) -> None:
        await _probe(own, engine, container, generation)

    await go(sys, prober)


async def _probe(sys: Process, engine: "Engine", container: Container, generation: int) -> None:
    check, health = container.config.Healthcheck, container.state.Health
    assert check is not None
    assert health is not None
    started = await times.now(sys)

    def over() -> bool:
        return container.generation != generation or not container.state.Running

    while True:
        interval = check.Interval or _INTERVAL
        in_start = await times.now(sys) - started < check.StartPeriod
        if health.Status == "starting" and in_start:
            interval = check.StartInterval or _START_INTERVAL
        if await container.changed.within(sys, over, interval):
            return
        if not container.state.Paused:
            result = await _ask(sys, engine, container)
            in_start = (times.parse(result.Start) or started) - started < check.StartPeriod
            await _take(sys, engine, container, health, result, in_start=in_start)


async def _ask(sys: Process, engine: "Engine", container: Container) -> HealthResult:
    from simulator.isolation.control.docker.engine import execs

    check = container.config.Healthcheck
    assert check is not None
    assert check.Test is not None
    words = check.Test[1:]
    if check.Test[0] == "CMD-SHELL":
        shell = container.config.Shell or ["/bin/sh", "-c"]
        words = [*shell, *words]
    begun = times.rfc3339(await times.now(sys))
    timeout = check.Timeout or _TIMEOUT
    code, output = await execs.capture(sys, engine, container, words, timeout)
    if code is None:
        told = f"Health check exceeded timeout ({times.duration(timeout)})"
        code, output = -1, f"{told}: ".encode() + output if output else told.encode()
    ended = times.rfc3339(await times.now(sys))
    text = output[:_LONGEST_OUTPUT].decode("utf-8", "replace")
    if len(output) > _LONGEST_OUTPUT:
        text += "..."
    return HealthResult(Start=begun, End=ended, ExitCode=code, Output=text)


async def _take(
    sys: Process,
    engine: "Engine",
    container: Container,
    health: HealthState,
    result: HealthResult,
    *,
    in_start: bool,
) -> None:
    check = container.config.Healthcheck
    assert check is not None
    before = health.Status
    health.Log = [*health.Log, result][-_KEPT:]
    if result.ExitCode == 0:
        health.FailingStreak = 0
        health.Status = "healthy"
    elif not (in_start and before == "starting"):
        health.FailingStreak += 1
        if health.FailingStreak >= (check.Retries or _RETRIES):
            health.Status = "unhealthy"
    if health.Status != before:
        await engine.tell(sys, container, f"health_status: {health.Status}")
        await container.changed.ring(sys)
