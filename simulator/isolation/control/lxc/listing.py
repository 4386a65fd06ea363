"""lxc-ls(1), lxc-info(1) and lxc-cgroup(1)."""

from collections.abc import Sequence
from typing import cast

from simulator.isolation.control.lxc import container, words
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
_COUNTERS = {
    "cpuacct.usage": "CPU use",
    "memory.usage_in_bytes": "Memory use",
    "memory.kmem.usage_in_bytes": "KMem use",
}
"""Files of version 1 that hold one number."""
_USER, _KERNEL = ("anon", "file"), ("kernel_stack", "pagetables", "sock", "slab")
"""What of version 2's memory.stat is a program's and what is the kernel's for it."""
_UNITS = ("bytes", "KiB", "MiB", "GiB")


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
    path = options.value("P") or await container.default_path(sys)
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
        container.value_of(pairs, "lxc.group") or "-",
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
    reading, writing = cast("tuple[int, int]", await sys.data("pipe"))

    async def body(child: Process) -> int:
        fd = await child.open(f"/proc/{pid}/ns/net", O_RDONLY)
        await child.call("setns", fd, CLONE_NEWNET)
        socket = await child.value("socket", AF_INET, SOCK_DGRAM, 0)
        answer = await child.data("ioctl", socket, _SIOCGIFADDR, ("eth0", 0))
        await child.write(writing, str(answer[1]).encode())
        return 0

    async def quiet(child: Process) -> int:
        try:
            return await body(child)
        except SysError:
            return 1

    born = await sys.spawn(quiet)
    await sys.close(writing)
    text = (await sys.drain(reading)).decode()
    await sys.call("waitpid", born, 0)
    return text


@enter("lxc-info", collection=TOOLS)
async def lxc_info(sys: Process, argv: Sequence[str]) -> int:
    """Exit status 1 for a container that does not exist."""
    long = {"config": "c", "ips": "i", "pid": "p", "stats": "S", "state": "s"}
    usage = "lxc-info --name=NAME"
    line = await words.read(sys, argv, "c:ipSsH", long | {"no-humanize": "H"}, usage=usage)
    if isinstance(line, int):
        return line
    one = line.one
    running = await container.processes(sys, one)
    if not running and not await container.defined(sys, one):
        await sys.err(f"{one.name} doesn't exist\n")
        return 1
    asked = {letter for letter in "cipSs" if line.options.has(letter)}
    rows: list[tuple[str, str]] = [] if asked else [("Name", one.name)]
    if not asked or "s" in asked:
        rows.append(("State", await container.state(sys, one)))
    if running and (not asked or "p" in asked):
        rows.append(("PID", str(running[0])))
    if running and (not asked or "i" in asked):
        address = await address_of(sys, running[0])
        rows += [("IP", address)] if address else []
    if running and (not asked or "S" in asked):
        rows += await _stats(sys, one.name, humanize=not line.options.has("H"))
    # -S counts for five of the others: its lines are told apart by their names.
    asks = len(asked & set("isp")) + 5 * ("S" in asked)
    bare = line.options.has("H") and asks == 1
    await sys.out("".join(f"{v}\n" if bare else f"{k + ':':<15} {v}\n" for k, v in rows))
    pairs = await container.keys(sys, await sys.text_or_empty(one.config))
    for key in line.options.values.get("c", []):
        values = [value for name, value in pairs if name == key]
        await sys.out(f"{key} = {' '.join(values)}\n" if values else f"{key} invalid\n")
    return 0


async def _stats(sys: Process, name: str, *, humanize: bool) -> list[tuple[str, str]]:
    """print_stats(): processor time, what was read and written, memory, the kernel's part of it."""
    found: dict[str, str] = {}
    for place in await container.groups(sys, name):
        for label, count in (await _counted(sys, place)).items():
            if humanize:
                found[label] = f"{count / 1e9:.2f} seconds" if label == "CPU use" else _size(count)
            else:
                found[label] = str(count)
    order = ("CPU use", "BlkIO use", "Memory use", "KMem use")
    return [(label, found[label]) for label in order if label in found]


async def _counted(sys: Process, place: str) -> dict[str, int]:
    """What the files of one group tell; time in nanoseconds, the rest in bytes."""
    found: dict[str, int] = {}
    for file, label in _COUNTERS.items():
        text = (await sys.text_or_empty(f"{place}/{file}")).strip()
        if text.isdigit():
            found[label] = int(text)
    totals = (await sys.text_or_empty(f"{place}/blkio.throttle.io_service_bytes")).splitlines()
    if totals and totals[-1].startswith("Total "):
        found["BlkIO use"] = int(totals[-1].split()[1])
    times = await _fields(sys, f"{place}/cpu.stat")
    if "usage_usec" in times:
        found["CPU use"] = times["usage_usec"] * 1000
    if await sys.succeeds("stat", f"{place}/memory.current"):
        memory = await _fields(sys, f"{place}/memory.stat")
        for label, fields in (("Memory use", _USER), ("KMem use", _KERNEL)):
            found[label] = sum(memory.get(one, 0) for one in fields)
    return found


async def _fields(sys: Process, path: str) -> dict[str, int]:
    """A file of ``name number`` lines."""
    rows = [line.split() for line in (await sys.text_or_empty(path)).splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def _size(count: int) -> str:
    """``size_humanize()`` of lxc_info.c."""
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{count} bytes" if not unit else f"{value:.2f} {_UNITS[unit]}"


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
