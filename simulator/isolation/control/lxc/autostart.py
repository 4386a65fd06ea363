"""lxc-autostart(1): start, stop, kill or reboot the containers that are meant to, in their order.

Source: lxc src/lxc/tools/lxc_autostart.c.
"""

from collections.abc import Sequence

from simulator.isolation.control.lxc import container, starting, stopping, words
from simulator.isolation.control.lxc.container import Container
from simulator.machine.userland.options import Options
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_LONG = {
    "kill": "k",
    "list": "L",
    "reboot": "r",
    "shutdown": "s",
    "all": "a",
    "ignore-auto": "A",
    "groups": "g",
    "timeout": "t",
}
_MAIN = "tools/lxc_autostart.c: lxc_autostart_main:"
_TIMEOUT = "60"
_FAILED = {"s": (424, "shutting down"), "k": (439, "killing"), "r": (454, "rebooting")}
_NOT_STARTED = (471, "starting")

Pairs = list[tuple[str, str]]


@enter("lxc-autostart", collection=TOOLS)
async def lxc_autostart(sys: Process, argv: Sequence[str]) -> int:
    """Exit status 1 when every container failed, 2 when some did."""
    line = await words.read(sys, argv, "kLrsaAg:t:", _LONG, usage="lxc-autostart", nameless=True)
    if isinstance(line, int):
        return line
    has = line.options.has
    if not await words.numbers(sys, line.options, "t"):
        return 1
    defined = await _defined(sys, line.one.path)
    defined.sort(key=lambda pair: (integer(pair[1], "lxc.start.order"), pair[0].name))
    if has("s") or has("k"):
        defined.reverse()
    if has("g") and has("a"):
        text = "Specifying -a (all) with -g (groups) doesn't make sense. All option overrides"
        await container.said(sys, "", f"{_MAIN} 347", text)
    left = list(defined)
    failed = 0
    for group in _groups(line.options.values.get("g", [""])):
        for one, pairs in tuple(left):
            if not has("A") and integer(pairs, "lxc.start.auto") != 1:
                continue
            if not has("a") and not _belongs(group, container.listed(pairs, "lxc.group")):
                continue
            left.remove((one, pairs))
            failed += not await _handled(sys, one, pairs, line.options)
    if not failed:
        return 0
    return 1 if failed == len(defined) else 2


async def _defined(sys: Process, path: str) -> list[tuple[Container, Pairs]]:
    """list_defined_containers(): those whose configuration can be read."""
    found: list[tuple[Container, Pairs]] = []
    try:
        names = await sys.names(path)
    except SysError:
        return found
    for name in names:
        one = Container(name, path)
        try:
            pairs = await container.keys(sys, await sys.text(one.config))
        except (SysError, ValueError):
            continue
        found.append((one, pairs))
    return found


def integer(pairs: Pairs, key: str) -> int:
    """get_config_integer()."""
    text = container.value_of(pairs, key, "0")
    return int(text) if text.lstrip("-").isdecimal() else 0


def _groups(words_of: list[str]) -> list[str]:
    """accumulate_list(): every ``-g``, cut at commas; an empty word is who has no group.

    A group of which one in the list is the beginning counts as being there already, and so does
    every group after the empty word: ``-g onboot,`` works, ``-g ,onboot`` leaves onboot out.
    """
    found: list[str] = []
    for text in words_of:
        for word in text.split(","):
            if not any(word.startswith(one) for one in found):
                found.append(word)
    return found


def _belongs(group: str, groups: list[str]) -> bool:
    """list_contains_entry(): the beginning of the group's name is enough."""
    if not groups:
        return not group
    return any(group.startswith(one) for one in groups)


async def _handled(sys: Process, one: Container, pairs: Pairs, options: Options) -> bool:
    """Do to a container what is asked for, or list it; False after a complaint."""
    task = next((letter for letter in "skr" if options.has(letter)), "")
    if bool(await container.processes(sys, one)) != bool(task):
        return True
    delay = integer(pairs, "lxc.start.delay")
    if options.has("L"):
        await sys.out(f"{one.name}\n" if task in ("s", "k") else f"{one.name} {delay}\n")
        return True
    if not await _done(sys, one, task, int(options.value("t", _TIMEOUT))):
        number, verb = _FAILED.get(task, _NOT_STARTED)
        await container.said(sys, "", f"{_MAIN} {number}", f"Error {verb} container: {one.name}")
        return False
    if task not in ("s", "k") and delay:
        await sys.call("nanosleep", (delay, 0))
    return True


async def _done(sys: Process, one: Container, task: str, seconds: int) -> bool:
    if task == "s":
        if not await stopping.shut_down(sys, one, seconds):
            await stopping.killed(sys, one)
        return True
    if task == "k":
        await stopping.killed(sys, one)
        return True
    if task == "r":
        return await stopping.rebooted(sys, one)
    return await starting.start(sys, one)
