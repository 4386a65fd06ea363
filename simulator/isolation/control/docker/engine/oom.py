"""Being told when the OOM killer ends something in a container. containerd ``pkg/oom``, moby
``monitor.go``.

With version 2 of control groups a worker reads an inotify(7) on ``memory.events``, with version 1
an eventfd(2) on ``memory.oom_control``; either only wakes it, what happened is then read.
"""

from typing import TYPE_CHECKING

from simulator.isolation.control.docker.engine import files
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.engine.sync import go, stop
from simulator.machine.abi.constants import EFD_CLOEXEC, O_CLOEXEC, O_RDONLY, O_WRONLY
from simulator.machine.userland.process import Process, SysError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_IN_MODIFY = 0x2
_EVENT = 64


async def begin(sys: Process, engine: "Engine", container: Container) -> None:
    """Watch a container that runs: one with a limit, for only that makes an OOM of its own."""
    if container.host.Memory <= 0 or container.oom_watch[0]:
        return
    try:
        fd = await _watch(sys, container)
    except SysError:  # it has ended already, and its group with it
        return

    async def watcher(own: Process) -> None:
        while await own.read(fd, _EVENT):
            await note(own, engine, container)

    container.oom_watch = (await go(sys, watcher), fd)
    await note(sys, engine, container)


async def _watch(sys: Process, container: Container) -> int:
    version_1, group = await _group(sys, container)
    if not version_1:
        fd = await sys.value("inotify_init1", O_CLOEXEC)
        await sys.call("inotify_add_watch", fd, f"{group}/memory.events", _IN_MODIFY)
        return fd
    fd = await sys.value("eventfd2", 0, EFD_CLOEXEC)
    control = await sys.open(f"{group}/memory.oom_control", O_RDONLY | O_CLOEXEC)
    door = await sys.open(f"{group}/cgroup.event_control", O_WRONLY | O_CLOEXEC)
    await sys.write(door, f"{fd} {control}".encode())
    await sys.close(door)
    await sys.close(control)
    return fd


async def _group(sys: Process, container: Container) -> tuple[bool, str]:
    old = await files.exists(sys, "/sys/fs/cgroup/memory")
    return old, f"/sys/fs/cgroup/{'memory/' if old else ''}docker/{container.id}"


async def note(sys: Process, engine: "Engine", container: Container) -> None:
    """Look how often it has happened; ``oom`` is told when that is oftener than before."""
    async with container.oom_lock.held(sys):
        if not container.oom_watch[0]:
            return
        version_1, group = await _group(sys, container)
        name = "memory.oom_control" if version_1 else "memory.events"
        text = await sys.text_or_empty(f"{group}/{name}")
        times = int(dict(line.split() for line in text.splitlines()).get("oom_kill", "0"))
        if times <= container.ooms:
            return
        container.ooms = times
        container.state.OOMKilled = True
        await engine.checkpoint(sys, container)
        await engine.tell(sys, container, "oom")


async def end(sys: Process, engine: "Engine", container: Container) -> None:
    """It has ended: what is still to be told of it, then no more."""
    await note(sys, engine, container)
    worker, fd = container.oom_watch
    container.oom_watch, container.ooms = (0, -1), 0
    if worker:
        await stop(sys, worker)
        await sys.succeeds("close", fd)
