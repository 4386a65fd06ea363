"""lxc-start(1) and lxc-execute(1), and the init that the latter puts into a container."""

from collections.abc import Sequence

import msgspec

from simulator.isolation.control import files
from simulator.isolation.control.launch import Refused, launch
from simulator.isolation.control.lxc import container, words
from simulator.isolation.control.lxc.container import Container
from simulator.isolation.mechanisms.base import PlanError
from simulator.isolation.technologies.base import SpecError, Technology, change, plan
from simulator.isolation.technologies.options import lxc as options
from simulator.machine.abi.constants import (
    SIGKILL,
)
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_LONG = {
    "daemon": "d",
    "foreground": "F",
    "rcfile": "f",
    "define": "s",
    "pidfile": "p",
    "console": "c",
    "console-log": "L",
    "close-all-fds": "C",
}


@enter("lxc-start", collection=TOOLS)
async def lxc_start(sys: Process, argv: Sequence[str]) -> int:
    """Exit status 0 when it runs, 1 when it does not."""
    usage = "lxc-start --name=NAME -- COMMAND"
    line = await words.read(sys, argv, "dFf:s:p:c:L:C", _LONG, usage=usage)
    if isinstance(line, int):
        return line
    one, place = line.one, "tools/lxc_start.c: main:"
    if not await container.may_control(sys, one, f"{place} 270"):
        return 1
    if not line.options.has("f") and not await container.defined(sys, one):
        return await container.said(sys, one.name, f"{place} 266", "No container config specified")
    if await container.processes(sys, one):
        return await container.said(sys, one.name, f"{place} 279", "Container is already running")
    wanted = await _wanted(sys, one, line)
    if wanted is None:
        return 1
    if line.rest:
        wanted = _running(wanted, line.rest)
    pid = await begin(sys, one, wanted)
    if pid is None:
        await container.said(sys, one.name, f"{place} 306", "The container failed to start")
        return 1
    if line.options.has("p"):
        await files.write(sys, line.options.value("p"), f"{pid}\n")
    return await _waited(sys, one, pid) if line.options.has("F") else 0


@enter("lxc-execute", collection=TOOLS)
async def lxc_execute(sys: Process, argv: Sequence[str]) -> int:
    """One command in a container, below an init of LXC's own; its exit status."""
    usage = "lxc-execute --name=NAME -- COMMAND"
    line = await words.read(sys, argv, "df:s:u:g:", _LONG | {"uid": "u"}, usage=usage)
    if isinstance(line, int):
        return line
    one, place = line.one, "tools/lxc_execute.c: main:"
    if not line.options.has("f") and not await container.defined(sys, one):
        text = "Executing a container with no configuration file may crash the host"
        return await container.said(sys, one.name, f"{place} 179", text)
    wanted = await _wanted(sys, one, line)
    if wanted is None:
        return 1
    command = line.rest or list(wanted.guest.argv)
    pid = await begin(sys, one, _running(wanted, command))
    if pid is None:
        return await container.said(sys, one.name, f"{place} 211", "Failed run an application")
    return 0 if line.options.has("d") else await _waited(sys, one, pid)


async def start(sys: Process, one: Container) -> bool:
    """``c->start()`` of another tool; False after a complaint."""
    wanted = await _read(sys, one, one.config)
    return wanted is not None and await begin(sys, one, wanted) is not None


async def _wanted(sys: Process, one: Container, line: words.Line) -> Technology | None:
    """What the configuration and ``-s KEY=VAL`` ask for; None after a complaint."""
    path = line.options.value("f", one.config)
    wanted = await _read(sys, one, path, line.options.values.get("s", []))
    if wanted is not None:
        return wanted
    if line.options.has("f"):
        await container.said(sys, one.name, "tools/lxc_start.c: main: 255", "Failed to load rcfile")
    else:
        await sys.err(f"Failed to load config for {one.name}\n")
        text = "Failed to create lxc_container"
        await container.said(sys, one.name, "tools/lxc_start.c: main: 261", text)
    return None


async def _read(
    sys: Process, one: Container, path: str, more: Sequence[str] = ()
) -> Technology | None:
    """The container that a file and the words after it ask for; None after a complaint."""
    pairs: list[tuple[str, str]] = []
    try:
        text = await sys.text(path)
        pairs = await container.keys(sys, text)
        for word in more:
            key, _equals, value = word.partition("=")
            pairs.append((key.strip(), value.strip()))
        strange = next((key for key, _value in pairs if not options.known(key)), None)
        if strange is None:
            return container.built(pairs)
        text = f'Unknown configuration key "{strange}"'
        await container.said(sys, one.name, "confile.c: parse_line: 2925", text)
    except ValueError as error:
        text = f"Invalid argument - Invalid configuration line: {error}"
        await container.said(sys, one.name, "confile.c: parse_line: 2903", text)
        await _unread(sys, one, path, str(error))
    except SpecError:
        await _unread(sys, one, path, _misfit(pairs))
    except SysError as error:
        text = f'{error.message} - Failed to open file "{path}"'
        await container.said(sys, one.name, "parse.c: lxc_file_for_each_line_mmap: 79", text)
    return None


async def _unread(sys: Process, one: Container, path: str, line: str) -> None:
    text = f'Failed to parse config file "{path}" at line "{line}"'
    await container.said(sys, one.name, "parse.c: lxc_file_for_each_line_mmap: 129", text)


def _misfit(pairs: list[tuple[str, str]]) -> str:
    """The first line that can't be read by itself."""
    for key, value in pairs:
        try:
            container.built([(key, value)])
        except SpecError:
            return f"{key} = {value}"
    return ""


def _running(technology: Technology, argv: list[str]) -> Technology:
    """With another first program; a bare name is looked for in /bin."""
    path = argv[0] if argv[0].startswith("/") else f"/bin/{argv[0]}"
    guest = msgspec.structs.replace(technology.guest, argv=(path, *argv[1:]))
    return change(technology, guest=guest)


async def begin(sys: Process, one: Container, technology: Technology) -> int | None:
    """Launch it: the pid of its first process, or None after saying what failed."""
    await container.forget(sys, one.name)
    root = technology.image.root
    if root and not await sys.succeeds("access", root, 0):
        text = f'No such file or directory - Failed to access to "{root}". Check it is present'
        await container.said(sys, one.name, "conf.c: lxc_rootfs_init: 295", text)
        text = f'Failed to handle rootfs pinning for container "{one.name}"'
        await container.said(sys, one.name, "start.c: __lxc_start: 2041", text)
        return None
    ordinal = 3
    while await sys.succeeds("access", f"/sys/class/net/veth{ordinal}", 0):
        ordinal += 1
    facts = frozenset({"cgroup2"} if await container.unified(sys) else ())
    try:
        started = await launch(sys, one.name, plan(technology, one.name, ordinal, facts))
    except (Refused, PlanError) as error:
        text = f'Failed to spawn container "{one.name}": {error}'
        await container.said(sys, one.name, "start.c: __lxc_start: 2107", text)
        for pid in await container.processes(sys, one):
            await sys.succeeds("kill", pid, SIGKILL)
        await container.forget(sys, one.name)
        return None
    return started.number


async def _waited(sys: Process, one: Container, pid: int) -> int:
    """Until it ends: its exit status."""
    status = (await sys.call("waitpid", pid, 0)).data
    await container.forget(sys, one.name)
    if not isinstance(status, int):
        return 1
    return status >> 8 & 0xFF if not status & 0x7F else 128 + (status & 0x7F)
