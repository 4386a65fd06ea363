"""Resource caps: rcapd(1M), which keeps zones below their capped memory, rcapadm(1M), rcapstat(1).

A cap is no limit of the kernel's. A daemon of the global zone looks from time to time, and pages a
zone out that is above it: the zone may be over its cap until the next look, and grows back by
touching its pages. Source: illumos cmd/rcap/{rcapd,rcapadm,rcapstat}.
"""

from collections.abc import Sequence
from typing import NamedTuple

from simulator.isolation.control import files
from simulator.isolation.control.getopt import misread
from simulator.isolation.control.solaris import store
from simulator.machine.abi.constants import O_RDWR, SIGKILL, ZONE_ATTR_PHYS_MCAP
from simulator.machine.userland.options import UsageError, parse
from simulator.machine.userland.process import Process
from simulator.machine.userland.programs.sun import processes
from simulator.machine.userland.registry import TOOLS, enter

CONF = "/etc/rcap.conf"
STATS = "/var/run/daemon/rcap.stat"
PID = "/var/run/daemon/rcapd.pid"
_USAGE = """usage: rcapadm
               [-E|-D]                               # enable/disable rcapd
               [-n]                                  # don't start/stop rcapd
               [-i <scan|sample|report|config>=value] # set intervals
               [-c <percent>]                        # memory cap
                                                     # enforcement
                                                     # threshold
               [-z <zonename> -m <maxvalue>]         # update zone memory cap
"""
_STAT_USAGE = "usage: rcapstat [-g] [-p | -z] [interval [count]]\n"
_INTERVALS = {"scan": 15, "config": 60, "report": 5, "sample": 5}
_NAMES = {
    "scan": "RCAPD_SCAN_INTERVAL",
    "config": "RCAPD_RECONFIGURATION_INTERVAL",
    "report": "RCAPD_REPORT_INTERVAL",
    "sample": "RCAPD_RSS_SAMPLE_INTERVAL",
}
_PRESSURE = "RCAPD_MEMORY_CAP_ENFORCEMENT_PRESSURE"
_KB = 1024


class Counted(NamedTuple):
    """What was paged out of a zone so far, in kilobytes: attempted, done, and how many times."""

    attempted: int = 0
    paged: int = 0
    times: int = 0


async def _settings(sys: Process) -> dict[str, int]:
    """rcap.conf over the defaults."""
    found = {_NAMES[name]: value for name, value in _INTERVALS.items()} | {_PRESSURE: 0}
    for line in (await sys.text_or_empty(CONF)).splitlines():
        name, _, value = line.partition(" ")
        if name in found and value.isdigit():
            found[name] = int(value)
    return found


async def _daemon(sys: Process) -> int:
    """The pid of rcapd; 0 when it does not run."""
    text = (await sys.text_or_empty(PID)).strip()
    return int(text) if text.isdigit() and await sys.succeeds("kill", int(text), 0) else 0


@enter("rcapadm", collection=TOOLS)
async def rcapadm(sys: Process, argv: Sequence[str]) -> int:
    """The status is 1 for a value that is none, 2 for wrong usage."""
    try:
        options = parse(argv, "EDni:c:z:m:")
    except UsageError as error:
        return await misread(sys, error, _USAGE, 2)
    if options.rest or (options.has("E") and options.has("D")):
        await sys.err(_USAGE)
        return 2
    if not await store.is_global(sys):
        return await sys.complain("this command can only be run from the global zone")
    if not options.given:
        await _show(sys)
        return 0
    if await sys.value("geteuid"):
        return await sys.complain("cannot modify settings: Permission denied")
    settings = await _settings(sys)
    for word in (one for text in options.values.get("i", []) for one in text.split(",")):
        name, _, value = word.partition("=")
        if name not in _NAMES or not value.isdigit():
            return await sys.complain(f"invalid suboption or value: {word}")
        settings[_NAMES[name]] = int(value)
    pressure = options.value("c", str(settings[_PRESSURE]))
    if not pressure.isdigit() or int(pressure) > 100:
        return await sys.complain(f"memory cap enforcement threshold {pressure} is out of range")
    settings[_PRESSURE] = int(pressure)
    text = "".join(f"{name} {value}\n" for name, value in settings.items())
    await files.write(sys, CONF, f"RCAPD_MODE project\n{text}")
    if options.has("n"):
        return 0
    running = await _daemon(sys)
    if options.has("D") and running:
        await sys.succeeds("kill", running, SIGKILL)
        await sys.succeeds("unlink", PID)
    if options.has("E") and not running:
        await sys.spawn(_rcapd)
    return 0


async def _show(sys: Process) -> None:
    settings = await _settings(sys)
    rows = (
        ("state", "enabled" if await _daemon(sys) else "disabled"),
        ("memory cap enforcement threshold", f"{settings[_PRESSURE]}%"),
        ("process scan rate (sec)", settings[_NAMES["scan"]]),
        ("reconfiguration rate (sec)", settings[_NAMES["config"]]),
        ("report rate (sec)", settings[_NAMES["report"]]),
        ("RSS sampling rate (sec)", settings[_NAMES["sample"]]),
    )
    await sys.out("".join(f"{name + ':':>43} {value}\n" for name, value in rows))


@enter("rcapd", collection=TOOLS)
async def rcapd(sys: Process, argv: Sequence[str]) -> int:
    """rcapd [-d]: look, page out, sleep. Started by rcapadm -E."""
    try:
        parse(argv, "dF")
    except UsageError as error:
        return await misread(sys, error, "usage: rcapd [-d]\n", 2)
    return await _rcapd(sys)


async def _rcapd(sys: Process) -> int:
    await sys.succeeds("setsid")
    fd = await sys.open("/dev/null", O_RDWR)
    for number in (0, 1, 2):
        await sys.call("dup2", fd, number)
    for path in ("/var", "/var/run", "/var/run/daemon"):
        await sys.succeeds("mkdir", path, 0o755)
    await files.write(sys, PID, f"{await sys.value('getpid')}\n")
    counted: dict[int, Counted] = {}
    while True:
        settings = await _settings(sys)
        await _enforce(sys, counted)
        text = "".join(f"{one} {' '.join(map(str, row))}\n" for one, row in counted.items())
        await files.write(sys, STATS, text)
        await sys.call("nanosleep", (max(settings[_NAMES["sample"]], 1), 0))


async def _enforce(sys: Process, counted: dict[int, Counted]) -> None:
    """Every zone above its cap: its largest processes are paged out until it is not."""
    rows = await processes(sys)
    for zone in await store.running(sys):
        cap = await sys.data("zone_getattr", zone.number, ZONE_ATTR_PHYS_MCAP)
        inside = sorted((one for one in rows if one["zone"] == zone.name), key=_size, reverse=True)
        excess = sum(map(_size, inside)) - (cap // _KB if cap else 0)
        if not cap or excess <= 0:
            continue
        before, left = counted.get(zone.number, Counted()), excess
        for one in inside:
            if left > 0:
                pid = int(one["pid"])
                left -= await sys.value("@pageout", pid, left * _KB) // _KB
        counted[zone.number] = Counted(
            before.attempted + excess, before.paged + excess - max(left, 0), before.times + 1
        )


def _size(one: dict[str, str]) -> int:
    """Kilobytes that a process has in memory."""
    return int(one["size"])


@enter("rcapstat", collection=TOOLS)
async def rcapstat(sys: Process, argv: Sequence[str]) -> int:
    """``rcapstat -z [interval [count]]``: one line for each zone that has a cap."""
    try:
        options = parse(argv, "gpz")
    except UsageError as error:
        return await misread(sys, error, _STAT_USAGE, 2)
    numbers = [int(word) for word in options.rest if word.isdigit()]
    if len(numbers) != len(options.rest) or len(numbers) > 2:
        await sys.err(_STAT_USAGE)
        return 2
    if not options.has("z"):
        return await sys.complain("caps of projects are not modelled; use -z")
    turn = 0
    while len(numbers) == 1 or turn < (numbers[1] if numbers else 1):
        if turn:
            await sys.call("nanosleep", (numbers[0], 0))
        await _table(sys)
        turn += 1
    return 0


async def _table(sys: Process) -> None:
    rows = await processes(sys)
    counted = {
        int(number): Counted(*map(int, rest))
        for number, *rest in map(str.split, (await sys.text_or_empty(STATS)).splitlines())
    }
    await sys.out("    id zone            nproc     vm    rss    cap     at  avgat     pg  avgpg\n")
    for one in await store.running(sys):
        cap = await sys.data("zone_getattr", one.number, ZONE_ATTR_PHYS_MCAP)
        if not cap:
            continue
        inside = [row for row in rows if row["zone"] == one.name]
        used, told = sum(map(_size, inside)), counted.get(one.number, Counted())
        times = max(told.times, 1)
        numbers = (told.attempted, told.attempted // times, told.paged, told.paged // times)
        columns = [f"{used}K", f"{used}K", f"{cap // _KB}K", *(f"{n}K" for n in numbers)]
        cells = " ".join(f"{cell:>6}" for cell in columns)
        await sys.out(f"{one.number:6} {one.name:<16} {len(inside):3} {cells}\n")
