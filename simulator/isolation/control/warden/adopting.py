"""Containers that ran before the daemon did: the session's own sandboxes.

Nobody has put a ``wshd`` into them that listens. The first job that is asked for brings one, as
``wsh`` would: by the namespaces and groups of the first process.
"""

from simulator.isolation.control.warden import state
from simulator.isolation.control.warden.config import Config
from simulator.isolation.control.warden.state import Container, Snapshot
from simulator.isolation.control.warden.wire import Lines, connect, listen
from simulator.isolation.technologies.defaults.warden import SUBSYSTEMS
from simulator.machine.abi.call import Call, Value
from simulator.machine.abi.constants import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
    O_CLOEXEC,
    O_RDONLY,
    O_WRONLY,
)
from simulator.machine.userland.process import Process

_SPACES = (
    ("pid", CLONE_NEWPID),
    ("ipc", CLONE_NEWIPC),
    ("uts", CLONE_NEWUTS),
    ("net", CLONE_NEWNET),
    ("mnt", CLONE_NEWNS),
)


async def adopt(sys: Process, config: Config) -> None:
    """recover_containers(): those that run without a snapshot get one, the dead are removed."""
    known = {one.snapshot.container_id for one in await state.every(sys, config)}
    names = [name for name in await sys.names(config.depot) if not name.startswith(".")]
    for ordinal, name in enumerate((one for one in names if one not in known), 1):
        container = Container(sys, config, Snapshot(name, name, ordinal, 0))
        tasks = await container.tasks()
        if not tasks:
            continue
        container.snapshot.pid = min(tasks)
        await container.save()


async def reach(container: Container) -> Lines:
    """A connection to the container's ``wshd``, brought there if need be. Raises ``SysError``."""
    sys, door = container.sys, f"{container.path}/run/wshd.sock"
    if not await sys.succeeds("stat", door):
        await _bring(container, door)
    return await connect(sys, door)


async def _bring(container: Container, path: str) -> None:
    """A child goes where the container's processes are and becomes its ``wshd``."""
    sys, first = container.sys, container.snapshot.pid
    for name in ("run", "jobs"):
        await sys.succeeds("mkdir", f"{container.path}/{name}", 0o755)
    door = await listen(sys, path, 0o700)
    # Opened out here: inside there is no such file, only /proc by which it can be named.
    program = await sys.open("/usr/sbin/warden-server", O_RDONLY)
    argv: list[Value] = ["wshd", "--continue", str(door)]

    async def child(own: Process) -> int:
        for subsystem in SUBSYSTEMS:
            fd = await own.open(f"{container.group(subsystem)}/tasks", O_WRONLY)
            await own.write(fd, b"0")
            await own.close(fd)
        for kind, flag in _SPACES:
            fd = await own.open(f"/proc/{first}/ns/{kind}", O_RDONLY | O_CLOEXEC)
            await own.call("setns", fd, flag)
        # Who is born behind setns(2) is in the pid namespace, and this process is not.
        pid, number = await own.bear(Call("fork"), "")
        await own.succeeds("@domain", number, container.snapshot.handle)
        await own.drive(pid, Call("setsid"), "", "")
        env: list[Value] = ["PATH=/sbin:/bin:/usr/sbin:/usr/bin"]
        await own.drive(pid, Call("execve", (f"/proc/self/fd/{program}", argv, env)), "", "")
        return 0

    await sys.call("wait4", await sys.spawn(child), 0)
    await sys.close(program)
    await sys.close(door)
