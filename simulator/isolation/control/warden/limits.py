"""limit HANDLE mem|disk|bandwidth|cpu [VALUE ...], and what happens at the memory limit.

Source: warden/lib/warden/container/features/{mem_limit,cgroup,quota,net}.rb, src/oom/oom.c.
"""

from typing import Any

from simulator.isolation.control.warden import lifecycle
from simulator.isolation.control.warden.state import Container
from simulator.isolation.control.warden.wire import WardenError
from simulator.machine.abi.constants import O_WRONLY
from simulator.machine.userland.process import Process, SysError

_LIMIT, _BOTH = "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"


async def limit(container: Container, kind: str, values: list[Any]) -> Any:
    """Set a limit where ``values`` are given; what it is then. Raises ``WardenError``."""
    container.need("active", "stopped")
    match kind:
        case "mem":
            return await _memory(container, values)
        case "cpu":
            return await _shares(container, values)
        case "bandwidth":
            return await _bandwidth(container, values)
        case "disk":
            return None
        case _:
            raise WardenError("invalid argument")


async def _put(sys: Process, path: str, value: int) -> None:
    fd = await sys.open(path, O_WRONLY)
    try:
        await sys.write(fd, str(value).encode())
    finally:
        await sys.close(fd)


async def _memory(container: Container, values: list[Any]) -> int:
    """Both limits, in the order in which neither contradicts the other."""
    place, sys = container.group("memory"), container.sys
    if values:
        wanted = int(values[0])
        await _watch(container)
        now = int(await sys.text(f"{place}/{_LIMIT}"))
        names = (_BOTH, _LIMIT) if now < wanted else (_LIMIT, _BOTH)
        try:
            for name in names:
                await _put(sys, f"{place}/{name}", wanted)
        except SysError as error:
            raise WardenError(f"Failed setting memory limit: {error.message}") from None
        container.snapshot.resources["limit_memory"] = wanted
        await container.save()
    return int(await sys.text(f"{place}/{_LIMIT}"))


async def _watch(container: Container) -> None:
    """The OOM notifier, a process beside the container: it stops the whole of it."""
    if container.snapshot.resources.get("oom_notifier"):
        return
    container.snapshot.resources["oom_notifier"] = True
    place = container.group("memory")

    async def notifier(sys: Process) -> int:
        await sys.succeeds("setsid")
        event = await sys.value("eventfd2", 0, 0)
        control = await sys.open(f"{place}/memory.oom_control")
        fd = await sys.open(f"{place}/cgroup.event_control", O_WRONLY)
        await sys.write(fd, f"{event} {control}".encode())
        await sys.read(event, 8)
        mine = Container(sys, container.config, container.snapshot)
        try:
            await mine.reload()
        except SysError:
            return 0
        mine.snapshot.events.append("out of memory")
        await mine.save()
        if mine.snapshot.state == "active":
            await lifecycle.stop(mine)
        return 0

    await container.sys.spawn(notifier)


async def _shares(container: Container, values: list[Any]) -> int:
    path, sys = f"{container.group('cpu')}/cpu.shares", container.sys
    if values:
        try:
            await _put(sys, path, int(values[0]))
        except SysError as error:
            raise WardenError(f"Failed setting cpu shares: {error.message}") from None
        container.snapshot.resources["limit_cpu"] = int(values[0])
        await container.save()
    return int(await sys.text(path))


async def _bandwidth(container: Container, values: list[Any]) -> dict[str, int]:
    """Bytes a second and at once. The model's cables have no speed: the numbers are kept."""
    if len(values) == 2:
        container.snapshot.resources["bandwidth"] = [int(values[0]), int(values[1])]
        await container.save()
    rate, burst = container.snapshot.resources.get("bandwidth", [0, 0])
    return {"rate": rate, "burst": burst}
