"""lxc-stop(1), lxc-freeze(1), lxc-unfreeze(1) and lxc-destroy(1)."""

from collections.abc import Sequence

from simulator.isolation.control.lxc import container, words
from simulator.isolation.control.lxc.container import Container
from simulator.machine.abi.constants import O_WRONLY, SIGKILL, SIGPWR
from simulator.machine.userland import signals
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import TOOLS, enter

_NOT_RUNNING = 2
"""lxc-stop(1): the container was not running."""


@enter("lxc-stop", collection=TOOLS)
async def lxc_stop(sys: Process, argv: Sequence[str]) -> int:
    """Exit status 0 stopped, 1 not, 2 was not running."""
    long = {"kill": "k", "reboot": "r", "nowait": "W", "timeout": "t", "nokill": "N"}
    line = await words.read(sys, argv, "krWt:N", long, usage="lxc-stop --name=NAME")
    if isinstance(line, int):
        return line
    if not await words.numbers(sys, line.options, "t"):
        return 1
    one, place = line.one, "tools/lxc_stop.c: main:"
    if line.options.has("k") and line.options.has("N"):
        return await container.said(sys, one.name, f"{place} 117", "-k can't be used with --nokill")
    if not await container.may_control(sys, one, f"{place} 152"):
        return 1
    running = await container.processes(sys, one)
    if not running:
        await container.said(sys, one.name, f"{place} 168", f"{one.name} is not running")
        return _NOT_RUNNING
    if not line.options.has("k"):
        await _asked(sys, one, running[0])
    await killed(sys, one)
    return 0


async def _asked(sys: Process, one: Container, first: int) -> None:
    """``lxc.signal.halt`` to the first process: SIGPWR unless the configuration says otherwise."""
    pairs = await container.keys(sys, await sys.text_or_empty(one.config))
    wanted = signals.number(container.value_of(pairs, "lxc.signal.halt", "SIGPWR"))
    await sys.succeeds("kill", first, wanted or SIGPWR)


async def killed(sys: Process, one: Container) -> None:
    """SIGKILL to whoever is left, thawed so that it arrives; then the groups go."""
    freezer, _frozen, thawed = await container.freezer_of(sys, one.name)
    if await container.state(sys, one) == "FROZEN":
        await _write(sys, freezer, thawed)
    for pid in await container.processes(sys, one):
        await sys.succeeds("kill", pid, SIGKILL)
    await container.forget(sys, one.name)
    pairs = await container.keys(sys, await sys.text_or_empty(one.config))
    if container.value_of(pairs, "lxc.ephemeral") == "1":
        await container.run(sys, "/bin/rm", "-rf", one.directory)


@enter("lxc-freeze", collection=TOOLS)
async def lxc_freeze(sys: Process, argv: Sequence[str]) -> int:
    """Every process of the container stops where it is."""
    return await _freezer(sys, argv, "freeze", 1)


@enter("lxc-unfreeze", collection=TOOLS)
async def lxc_unfreeze(sys: Process, argv: Sequence[str]) -> int:
    """They go on."""
    return await _freezer(sys, argv, "unfreeze", 2)


async def _freezer(sys: Process, argv: Sequence[str], verb: str, which: int) -> int:
    line = await words.read(sys, argv, usage=f"lxc-{verb} --name=NAME")
    if isinstance(line, int):
        return line
    one = line.one
    place = f"tools/lxc_{verb}.c: main: 82"
    if not await container.may_control(sys, one, place, f"{one.path}:{one.name}"):
        return 1
    if not await container.processes(sys, one):
        text = f"Failed to {verb} {one.path}:{one.name}"
        return await container.said(sys, one.name, f"tools/lxc_{verb}.c: main: 87", text)
    control = await container.freezer_of(sys, one.name)
    await _write(sys, control[0], control[which])
    return 0


async def _write(sys: Process, path: str, text: str) -> None:
    fd = await sys.open(path, O_WRONLY)
    await sys.write(fd, text.encode())
    await sys.close(fd)


@enter("lxc-destroy", collection=TOOLS)
async def lxc_destroy(sys: Process, argv: Sequence[str]) -> int:
    """The container's directory goes, its root filesystem with it."""
    long = {"force": "f", "snapshots": "s"}
    line = await words.read(sys, argv, "fs", long, usage="lxc-destroy --name=NAME [-f]")
    if isinstance(line, int):
        return line
    one, place = line.one, "tools/lxc_destroy.c: main:"
    if not await container.may_control(sys, one, f"{place} 235"):
        return 1
    if not await container.defined(sys, one):
        return await container.said(sys, one.name, f"{place} 240", "Container is not defined")
    if await container.processes(sys, one):
        if not line.options.has("f"):
            text = f"{one.name} is running"
            return await container.said(sys, one.name, "tools/lxc_destroy.c: do_destroy: 91", text)
        await killed(sys, one)
    pairs = await container.keys(sys, await sys.text_or_empty(one.config))
    root = container.value_of(pairs, "lxc.rootfs.path").rpartition(":")[2]
    if root and not root.startswith(f"{one.directory}/"):
        await container.run(sys, "/bin/rm", "-rf", root)
    return await container.run(sys, "/bin/rm", "-rf", one.directory)
