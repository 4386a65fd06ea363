"""lxc-stop(1), lxc-freeze(1) and lxc-unfreeze(1)."""

from collections.abc import Sequence

from simulator.isolation.control.lxc import cloning, container, starting, words
from simulator.isolation.control.lxc.container import Container
from simulator.machine.abi.constants import O_WRONLY, SIGKILL
from simulator.machine.userland import signals
from simulator.machine.userland.options import Options
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import TOOLS, enter

_NOT_RUNNING = 2
"""lxc-stop(1): the container was not running."""
_TIMEOUT = "60"
_SECOND = 10**9


@enter("lxc-stop", collection=TOOLS)
async def lxc_stop(sys: Process, argv: Sequence[str]) -> int:
    """Exit status 0 stopped, 1 not, 2 was not running."""
    long = {"kill": "k", "reboot": "r", "nowait": "W", "timeout": "t", "nokill": "N"}
    line = await words.read(sys, argv, "krWt:N", long, usage="lxc-stop --name=NAME")
    if isinstance(line, int):
        return line
    if not await words.numbers(sys, line.options, "t"):
        return 1
    one, place, has = line.one, "tools/lxc_stop.c: main:", line.options.has
    seconds = 0 if has("W") else int(line.options.value("t", "0" if has("k") else _TIMEOUT))
    unfit = _unfit(line.options, seconds)
    if unfit is not None:
        return await container.said(sys, one.name, f"{place} {unfit[0]}", unfit[1])
    if not await container.may_control(sys, one, f"{place} 152"):
        return 1
    if not await container.processes(sys, one):
        await container.said(sys, one.name, f"{place} 168", f"{one.name} is not running")
        return _NOT_RUNNING
    if has("r"):
        return 0 if await rebooted(sys, one, seconds) else 1
    if not has("k") and (await shut_down(sys, one, seconds) or not seconds):
        return 0
    if has("N"):
        return 1
    await killed(sys, one)
    return 0


def _unfit(options: Options, seconds: int) -> tuple[int, str] | None:
    """What doesn't go together, and the line that says so."""
    if not options.has("k"):
        return (118, "Invalid timeout") if seconds < -1 else None
    if options.has("N"):
        return 117, "-k can't be used with --nokill"
    if options.has("r"):
        return 128, "-k can't be used with -r"
    return (133, "-k doesn't allow timeouts") if seconds else None


async def shut_down(sys: Process, one: Container, seconds: int) -> bool:
    """``lxc.signal.halt`` to the first process, SIGPWR unless the configuration says otherwise;
    whether it ended in time. No limit when ``seconds`` is negative, no waiting when it is 0.
    """
    await _signalled(sys, one, "lxc.signal.halt", "SIGPWR")
    if not await _ended(sys, one, seconds):
        return False
    await _over(sys, one)
    return True


async def rebooted(sys: Process, one: Container, seconds: int = 1) -> bool:
    """``lxc.signal.reboot`` to the first process, SIGINT unless the configuration says otherwise.

    A real init then asks the kernel for a restart, which ends it, and the monitor begins anew; the
    model's ends, and the tool is the one who begins.
    """
    await _signalled(sys, one, "lxc.signal.reboot", "SIGINT")
    if not await _ended(sys, one, seconds):
        return not seconds
    return await starting.start(sys, one)


async def _signalled(sys: Process, one: Container, key: str, usual: str) -> None:
    pairs = await container.keys(sys, await sys.text_or_empty(one.config))
    wanted = signals.number(container.value_of(pairs, key, usual)) or signals.number(usual)
    running = await container.processes(sys, one)
    if running:
        await sys.succeeds("kill", running[0], wanted)


async def _ended(sys: Process, one: Container, seconds: int) -> bool:
    """Whether it ends within so many seconds: looked at often in the first of them."""
    left, pause = seconds * _SECOND, _SECOND // 100
    while await container.processes(sys, one):
        if seconds >= 0 and left <= 0:
            return False
        await sys.call("nanosleep", divmod(pause, _SECOND))
        left, pause = left - pause, min(pause * 2, _SECOND)
    return True


async def _over(sys: Process, one: Container) -> None:
    """What the monitor does when the container has ended: its groups go, and who was ephemeral."""
    await container.forget(sys, one.name)
    pairs = await container.keys(sys, await sys.text_or_empty(one.config))
    if container.value_of(pairs, "lxc.ephemeral") == "1":
        await cloning.destroy(sys, one.name, one)


async def killed(sys: Process, one: Container) -> None:
    """SIGKILL to whoever is left, thawed so that it arrives; then the groups go."""
    freezer, _frozen, thawed = await container.freezer_of(sys, one.name)
    if await container.state(sys, one) == "FROZEN":
        await _write(sys, freezer, thawed)
    for pid in await container.processes(sys, one):
        await sys.succeeds("kill", pid, SIGKILL)
    await _over(sys, one)


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
