"""From an executable to the coroutine that runs: what execve(2) leaves to userland."""

from collections.abc import Coroutine

from simulator.machine.abi.call import Result
from simulator.machine.abi.constants import PR_SET_NAME
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs.registry import virtual
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs import inode as inodes
from simulator.machine.userland import programs, registry, servers
from simulator.machine.userland.process import Main, Process, Request

assert programs, servers  # imported for the programs that enter themselves


def load(kernel: Kernel, process: Process) -> Coroutine[Request, Result, int]:
    """The program that task ``process.pid`` has executed, from its beginning."""
    task = kernel.store.row(Task, process.pid)
    argv = list(task.argv)
    process.env = dict(task.env)
    collection = registry.collection(_content(kernel, task))
    if collection is None:
        return _unknown(process)
    name = _basename(argv[0]) if argv else ""
    if name == "busybox" and len(argv) > 1:
        argv = argv[1:]
        name = _basename(argv[0])
    process.name = name
    process.collection = collection
    main = registry.program(name, collection)
    if main is None:
        return _no_applet(process, name)
    return _run(process, main, argv, rename=task.comm == _SELF)


_SELF = "exe"
"""The name that execve(2) of /proc/self/exe leaves; busybox puts its applet's in its place."""


async def _run(process: Process, main: Main, argv: list[str], *, rename: bool) -> int:
    if rename:
        await process.succeeds("prctl", PR_SET_NAME, process.name[:15])
    return await registry.run(process, main, argv)


def _content(kernel: Kernel, task: Task) -> bytes:
    if task.exe is None:
        return b""
    inode = task.exe.inode
    trap = Trap(kernel.store, kernel.family, task)
    if isinstance(inode, int):
        return inodes.load(trap, inode).content
    return virtual(inode).read(trap, inode)


def _basename(path: str) -> str:
    return path.rpartition("/")[2].removeprefix("-")


async def _no_applet(process: Process, name: str) -> int:
    await process.err(f"{name}: applet not found\n")
    return 127


async def _unknown(process: Process) -> int:
    await process.err(N_("this program is not one that the model can run") + "\n")
    return 127
