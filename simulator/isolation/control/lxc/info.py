"""lxc-info(1): what a container is and uses.

Source: lxc src/lxc/tools/lxc_info.c.
"""

from collections.abc import Sequence

from simulator.isolation.control.lxc import container, words
from simulator.isolation.control.lxc.listing import address_of, answered
from simulator.isolation.technologies.options import lxc as options
from simulator.machine.abi.constants import CLONE_NEWNET, CLONE_NEWNS, MS_REC, MS_SLAVE, O_RDONLY
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_COUNTERS = {
    "cpuacct.usage": "CPU use",
    "memory.usage_in_bytes": "Memory use",
    "memory.kmem.usage_in_bytes": "KMem use",
}
"""Files of version 1 that hold one number."""
_USER, _KERNEL = ("anon", "file"), ("kernel_stack", "pagetables", "sock", "slab")
"""What of version 2's memory.stat is a program's and what is the kernel's for it."""
_NETWORK = (("rx_bytes", " TX bytes"), ("tx_bytes", " RX bytes"))
"""The host's end of the cable receives what the container sends."""
_ZERO = ("lxc.ephemeral", "lxc.start.auto", "lxc.start.delay", "lxc.start.order", "lxc.tty.max")
"""Numbers that are there when nobody has set them."""

Rows = list[tuple[str, str]]


@enter("lxc-info", collection=TOOLS)
async def lxc_info(sys: Process, argv: Sequence[str]) -> int:
    """Exit status 1 for a container that does not exist."""
    long = {"config": "c", "ips": "i", "pid": "p", "stats": "S", "state": "s"}
    usage = "lxc-info --name=NAME"
    line = await words.read(sys, argv, "c:ipSsH", long | {"no-humanize": "H"}, usage=usage)
    if isinstance(line, int):
        return line
    one = line.one
    if one.path != container.PATH and await sys.value("geteuid"):
        await sys.err(f"Insufficent privileges to control {one.name}\n")
        return 1
    running = await container.processes(sys, one)
    if not running and not await container.defined(sys, one):
        await sys.err(f"{one.name} doesn't exist\n")
        return 1
    keys = line.options.values.get("c", [])
    asked = {letter for letter in "ipSs" if line.options.has(letter)}
    every = not asked and not keys
    rows: Rows = [("Name", one.name)] if every else []
    if every or "s" in asked:
        rows.append(("State", await container.state(sys, one)))
    if running and (every or "p" in asked):
        rows.append(("PID", str(running[0])))
    if running and (every or "i" in asked):
        address = await address_of(sys, running[0])
        rows += [("IP", address)] if address else []
    exact = line.options.has("H")
    if running and (every or "S" in asked):
        rows += await _stats(sys, one.name, exact=exact)
        rows += await _network(sys, running[0], exact=exact)
    # -S counts for five of the others: its lines are told apart by their names.
    bare = exact and len(asked & set("isp")) + 5 * ("S" in asked) == 1
    await sys.out("".join(f"{v}\n" if bare else f"{k + ':':<15} {v}\n" for k, v in rows))
    await _configured(sys, one, keys, bare=exact and len(keys) == 1)
    return 0


async def _configured(
    sys: Process, one: container.Container, keys: Sequence[str], *, bare: bool
) -> None:
    pairs = await container.keys(sys, await sys.text_or_empty(one.config))
    for key in keys:
        values = [value for name, value in pairs if name == key]
        if not values and not options.known(key):
            await sys.err(f"{key} invalid\n")
            continue
        value = " ".join(values) or ("0" if key in _ZERO else "")
        await sys.out(f"{value}\n" if bare else f"{key} = {value}".rstrip() + "\n")


async def _network(sys: Process, pid: int, *, exact: bool) -> Rows:
    """print_net_stats(): the host's end of the container's cable, and what went over it."""
    name = await _cable(sys, pid)
    if not name:
        return []
    rows = [("Link", name)]
    total = 0
    for file, label in _NETWORK:
        text = await sys.text_or_empty(f"/sys/class/net/{name}/statistics/{file}")
        count = int(text.strip() or 0)
        total += count
        rows.append((label, str(count) if exact else size(count)))
    return [*rows, (" Total bytes", str(total) if exact else size(total))]


async def _cable(sys: Process, pid: int) -> str:
    """The name of the interface at the other end of the container's eth0; or nothing.

    A monitor remembers ``lxc.net.0.veth.pair``. Here the container's end tells the number, in a
    sysfs of that network namespace's own, as ip-netns(8) mounts it.
    """

    async def body(child: Process) -> str:
        fd = await child.open(f"/proc/{pid}/ns/net", O_RDONLY)
        await child.call("setns", fd, CLONE_NEWNET)
        await child.call("unshare", CLONE_NEWNS)
        await child.call("mount", "none", "/", "", MS_REC | MS_SLAVE, "")
        await child.call("mount", "none", "/sys", "sysfs", 0, "")
        return (await child.text("/sys/class/net/eth0/iflink")).strip()

    own = await sys.readlink("/proc/self/ns/net")
    try:
        if own == await sys.readlink(f"/proc/{pid}/ns/net"):
            return ""
    except SysError:
        return ""
    number = await answered(sys, body)
    for name in await sys.names("/sys/class/net"):
        if (await sys.text_or_empty(f"/sys/class/net/{name}/ifindex")).strip() == number != "":
            return name
    return ""


async def _stats(sys: Process, name: str, *, exact: bool) -> Rows:
    """print_stats(): processor time, what was read and written, memory, the kernel's part of it."""
    found: dict[str, str] = {}
    for place in await container.groups(sys, name):
        for label, count in (await _counted(sys, place)).items():
            if exact:
                found[label] = str(count)
            else:
                found[label] = f"{count / 1e9:.2f} seconds" if label == "CPU use" else size(count)
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


def size(count: int) -> str:
    """size_humanize(): two digits of whole numbers, nearly rounded."""
    if count > 1 << 30:
        return f"{count >> 30}.{(count & ((1 << 30) - 1)) // 10_737_419:02} GiB"
    for shift, unit, half in ((20, "MiB", 5243), (10, "KiB", 5)):
        if count > 1 << shift:
            more = count + half
            return f"{more >> shift}.{(more & ((1 << shift) - 1)) * 100 >> shift:02} {unit}"
    return f"{count} bytes"
