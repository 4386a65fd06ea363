"""lxc-ls(1) and lxc-cgroup(1)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from simulator.isolation.control.lxc import container, settings, words
from simulator.isolation.control.lxc.container import Container
from simulator.machine.abi.constants import (
    AF_INET,
    CLONE_NEWNET,
    O_CREAT,
    O_RDONLY,
    O_WRONLY,
    SOCK_DGRAM,
)
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_SIOCGIFADDR = 0x8915
_HEAD = ("NAME", "STATE", "AUTOSTART", "GROUPS", "IPV4", "IPV6", "UNPRIVILEGED")


@enter("lxc-ls", collection=TOOLS)
async def lxc_ls(sys: Process, argv: Sequence[str]) -> int:
    """The containers that have a configuration."""
    long = {"fancy": "f", "line": "1", "running": "R", "active": "A", "stopped": "S"}
    long |= {"frozen": "Z", "defined": "D", "lxcpath": "P", "name": "n", "version": "0"}
    try:
        options = parse(argv, "f1RASZDP:n:0", long)
    except UsageError as error:
        await sys.err(f"{sys.name}: {error}\nUsage: lxc-ls [-P lxcpath] [-1] [-f] [--running]\n")
        return 1
    if options.has("0"):
        await sys.out(f"{words.VERSION}\n")
        return 0
    path = options.value("P") or await settings.value(sys, "lxc.lxcpath")
    found: list[tuple[Container, str]] = []
    for name in sorted(await _names(sys, path)):
        one = Container(name, path)
        if await container.defined(sys, one):
            found.append((one, await container.state(sys, one)))
    wanted = {letter: state for letter, state in _BY_STATE.items() if options.has(letter)}
    if wanted:
        found = [pair for pair in found if any(pair[1] in state for state in wanted.values())]
    if not found:
        return 0
    if options.has("f"):
        await _table(sys, [await _row(sys, one, state) for one, state in found])
    elif options.has("1"):
        await sys.out("".join(f"{one.name}\n" for one, _state in found))
    else:
        width = max(len(one.name) for one, _state in found) + 1
        await sys.out("".join(f"{one.name:<{width}} " for one, _state in found) + "\n")
    return 0


_BY_STATE = {
    "R": ("RUNNING",),
    "A": ("RUNNING", "FROZEN"),
    "S": ("STOPPED",),
    "Z": ("FROZEN",),
    "D": ("RUNNING", "FROZEN", "STOPPED"),
}


async def _names(sys: Process, path: str) -> list[str]:
    try:
        return await sys.names(path)
    except SysError:
        return []


async def _row(sys: Process, one: Container, state: str) -> tuple[str, ...]:
    pairs = await container.keys(sys, await sys.text_or_empty(one.config))
    running = await container.processes(sys, one)
    address = await address_of(sys, running[0]) if running else ""
    return (
        one.name,
        state,
        container.value_of(pairs, "lxc.start.auto", "0"),
        ", ".join(container.listed(pairs, "lxc.group")) or "-",
        address or "-",
        "-",
        "true" if container.value_of(pairs, "lxc.idmap") else "false",
    )


async def _table(sys: Process, rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    for row in (_HEAD, *rows):
        cells = (f"{cell:<{width}} " for cell, width in zip(row, widths, strict=True))
        await sys.out("".join(cells) + "\n")


async def address_of(sys: Process, pid: int) -> str:
    """The address of eth0 in a process's network namespace, asked from inside it; or nothing."""

    async def body(child: Process) -> str:
        fd = await child.open(f"/proc/{pid}/ns/net", O_RDONLY)
        await child.call("setns", fd, CLONE_NEWNET)
        socket = await child.value("socket", AF_INET, SOCK_DGRAM, 0)
        answer = await child.data("ioctl", socket, _SIOCGIFADDR, ("eth0", 0))
        return str(answer[1])

    return await answered(sys, body)


async def answered(sys: Process, question: Callable[[Process], Awaitable[str]]) -> str:
    """What a child finds out, which goes where its parent can't; nothing when it can't either."""
    reading, writing = cast("tuple[int, int]", await sys.data("pipe"))

    async def quiet(child: Process) -> int:
        try:
            await child.write(writing, (await question(child)).encode())
        except SysError:
            return 1
        return 0

    born = await sys.spawn(quiet)
    await sys.close(writing)
    text = (await sys.drain(reading)).decode()
    await sys.call("waitpid", born, 0)
    return text


@enter("lxc-cgroup", collection=TOOLS)
async def lxc_cgroup(sys: Process, argv: Sequence[str]) -> int:
    """Read a file of the container's group, or write it."""
    line = await words.read(sys, argv, usage="lxc-cgroup --name=NAME state-object [value]")
    if isinstance(line, int):
        return line
    one, place = line.one, "tools/lxc_cgroup.c: main:"
    if not line.rest:
        await sys.err("lxc-cgroup: could not parse command line\n")
        return 1
    if not await container.processes(sys, one):
        text = f"'{one.path}:{one.name}' is not running"
        return await container.said(sys, one.name, f"{place} 102", text)
    file, values = line.rest[0], line.rest[1:]
    for group in await container.groups(sys, one.name):
        path = f"{group}/{file}"
        if not await sys.succeeds("access", path, 0):
            continue
        try:
            if not values:
                await sys.out(await sys.text(path))
                return 0
            fd = await sys.open(path, O_WRONLY & ~O_CREAT)
            await sys.write(fd, " ".join(values).encode())
            await sys.close(fd)
            return 0
        except SysError:
            break
    verb = f"assign '{' '.join(values)}' value to" if values else "retrieve value of"
    text = f"Failed to {verb} '{file}' for '{one.path}:{one.name}'"
    return await container.said(sys, one.name, f"{place} {110 if values else 125}", text)
