"""lxc-destroy(1): the container's directory goes, its root filesystem with it.

Source: lxc src/lxc/tools/lxc_destroy.c, lxccontainer.c (do_lxcapi_destroy_with_snapshots()).
"""

from collections.abc import Sequence

from simulator.isolation.control.lxc import cloning, container, snapshots, stopping, words
from simulator.isolation.control.lxc.container import Container
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_DO = "tools/lxc_destroy.c: do_destroy:"


@enter("lxc-destroy", collection=TOOLS)
async def lxc_destroy(sys: Process, argv: Sequence[str]) -> int:
    """Exit status 1 while it runs, and while clones or snapshots need it."""
    long = {"force": "f", "snapshots": "s"}
    line = await words.read(sys, argv, "fs", long, usage="lxc-destroy --name=NAME [-f]")
    if isinstance(line, int):
        return line
    one, place = line.one, "tools/lxc_destroy.c: main:"
    if not await container.may_control(sys, one, f"{place} 235"):
        return 1
    if not await container.defined(sys, one):
        return await container.said(sys, one.name, f"{place} 240", "Container is not defined")
    force = line.options.has("f")
    if line.options.has("s") and not await _no_snapshots(sys, one):
        return 0 if await _with_snapshots(sys, one) else 1
    return 0 if await _destroyed(sys, one, force=force) else 1


async def _destroyed(sys: Process, one: Container, *, force: bool) -> bool:
    """do_destroy()."""
    if await cloning.has_clones(sys, one):
        text = f"Destroying {one.name} failed: {one.name} has clones"
        await container.said(sys, one.name, f"{_DO} 76", text)
        return False
    if not await _no_snapshots(sys, one):
        text = f"Destroying {one.name} failed: {one.name} has snapshots"
        await container.said(sys, one.name, f"{_DO} 85", text)
        return False
    if await container.processes(sys, one):
        if not force:
            await container.said(sys, one.name, f"{_DO} 91", f"{one.name} is running")
            return False
        await stopping.killed(sys, one)
    # One that was ephemeral went when it stopped.
    if not await container.defined(sys, one) or await cloning.destroy(sys, one.name, one):
        return True
    await container.said(sys, one.name, f"{_DO} 110", f"Destroying {one.name} failed")
    return False


async def _no_snapshots(sys: Process, one: Container) -> bool:
    """Whether ``snaps`` is gone after rmdir(2); an empty one is left behind by the last."""
    try:
        await sys.call("rmdir", f"{one.directory}/snaps")
    except SysError as error:
        return error.errno is Errno.ENOENT
    return True


async def _with_snapshots(sys: Process, one: Container) -> bool:
    """Its snapshots first. Clones stay: the program looks for them by a name that it never reads
    from ``lxc_snapshots`` (do_destroy_with_snapshots(), ``lxcname``), and so finds none.
    """
    if not await snapshots.all_gone(sys, one):
        place = "lxccontainer.c: do_lxcapi_destroy_with_snapshots: 3083"
        await container.said(sys, one.name, place, "Error deleting all snapshots")
        return False
    if await container.processes(sys, one):
        place = "lxccontainer.c: container_destroy: 2928"
        await container.said(sys, one.name, place, f"container {one.name} is not stopped")
        return False
    return await cloning.destroy(sys, one.name, one)
