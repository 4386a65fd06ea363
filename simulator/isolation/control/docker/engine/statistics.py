"""Who runs in a container and how much it takes: from /proc and the control group's files."""

import re
from typing import TYPE_CHECKING, Any

from simulator.isolation.control.docker.api.errors import ApiError
from simulator.isolation.control.docker.engine import times
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.engine.running import groups
from simulator.machine.userland.process import Process

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_UNLIMITED = 18446744073709551615
_HZ = 100
"""Ticks of proc_pid_stat(5) in a second."""
_COLUMNS = {
    "args": "COMMAND",
    "comm": "COMMAND",
    "command": "COMMAND",
    "pcpu": "%CPU",
    "pmem": "%MEM",
    "tty": "TT",
    "ucmd": "CMD",
}
"""Columns of ps(1) whose title is another word."""
_FORMATS = frozenset(
    ("args", "c", "cmd", "comm", "command", "ni", "nlwp", "pcpu", "pgid", "pid", "pmem", "ppid",
     "rss", "s", "sid", "start", "stat", "stime", "time", "tt", "tty", "ucmd", "uid", "user", "vsz",
     "%cpu", "%mem")
)  # fmt: skip
"""The columns of ps(1) that can be asked for."""
_TITLES = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]


async def pids(sys: Process, container: Container) -> list[int]:
    """The host's numbers of its processes."""
    for group in await groups(sys, container.id):
        text = await sys.text_or_empty(f"{group}/cgroup.procs")
        if text:
            return sorted(int(line) for line in text.split())
    return []


async def processes(
    sys: Process, container: Container, arguments: str
) -> tuple[list[str], list[list[str]]]:
    """``ps -ef`` of the host, only the container's rows; or the columns of ``-o``/``aux``.

    Raises ``ApiError`` in the words of ps(1).
    """
    titles = _titles(arguments)
    asked = _asked(arguments) or titles
    for name in _asked(arguments):
        if name not in _FORMATS:
            raise ApiError(f'ps: error: unknown user-defined format specifier "{name}"')
    if not {"PID", "pid"} & set(asked):
        raise ApiError("Couldn't find PID field in ps output")
    booted = await _booted(sys)
    rows: list[list[str]] = []
    for pid in await pids(sys, container):
        status = await sys.text_or_empty(f"/proc/{pid}/status")
        known = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        stat = (await sys.text_or_empty(f"/proc/{pid}/stat")).rpartition(")")[2].split()
        words = (await sys.text_or_empty(f"/proc/{pid}/cmdline")).split("\0")
        command = " ".join(words).strip() or f"[{known.get('Name', '').strip()}]"
        uid = (known.get("Uid", "0").split() or ["0"])[0]
        user = "root" if uid == "0" else uid
        cells = {
            "UID": user, "USER": user, "PID": str(pid),
            "PPID": known.get("PPid", "0").strip(), "C": "0", "STIME": _started(stat, booted),
            "TTY": "?", "TIME": _worked(stat, bsd="COMMAND" in titles), "CMD": command,
            "COMMAND": command,
            "%CPU": "0.0", "%MEM": "0.0", "VSZ": _kilobytes(known, "VmSize"),
            "RSS": _kilobytes(known, "VmRSS"),
            "STAT": _state(stat, pid), "START": _started(stat, booted),
            "comm": known.get("Name", "").strip(), "args": command, "command": command,
            "pcpu": "0.0", "pmem": "0.0", "cmd": command, "ucmd": known.get("Name", "").strip(),
            "uid": uid, "PGID": stat[2] if len(stat) > 2 else "0",
            "SID": stat[3] if len(stat) > 3 else "0", "NI": stat[16] if len(stat) > 16 else "0",
            "S": stat[0] if stat else "S", "TT": "?", "NLWP": known.get("Threads", "1").strip(),
        }  # fmt: skip
        rows.append([cells.get(name, cells.get(name.upper(), "-")) for name in asked])
    return [_COLUMNS.get(name, name.upper()) for name in titles], rows


async def _booted(sys: Process) -> int:
    """Seconds since the epoch at which the machine started."""
    for line in (await sys.text_or_empty("/proc/stat")).splitlines():
        if line.startswith("btime "):
            return int(line.split()[1])
    return 0


def _started(stat: list[str], booted: int) -> str:
    """The time of day at which it started, from starttime of proc_pid_stat(5)."""
    ticks = int(stat[19]) if len(stat) > 19 else 0
    minutes = (booted + ticks // _HZ) // 60
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def _state(stat: list[str], pid: int) -> str:
    """A letter, and ``s`` for the leader of a session."""
    return (stat[0] + "s" * (stat[3] == str(pid))) if len(stat) > 3 else "S"


def _worked(stat: list[str], *, bsd: bool) -> str:
    """Processor time, from utime and stime of proc_pid_stat(5)."""
    seconds = (int(stat[11]) + int(stat[12])) // _HZ if len(stat) > 12 else 0
    if bsd:
        return f"{seconds // 60}:{seconds % 60:02}"
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _kilobytes(known: dict[str, str], name: str) -> str:
    return (known.get(name, "0").split() or ["0"])[0]


def _titles(arguments: str) -> list[str]:
    words = arguments.split()
    if "aux" in words or "-aux" in words:
        return [
            "USER",
            "PID",
            "%CPU",
            "%MEM",
            "VSZ",
            "RSS",
            "TTY",
            "STAT",
            "START",
            "TIME",
            "COMMAND",
        ]
    return _asked(arguments) or list(_TITLES)


def _asked(arguments: str) -> list[str]:
    """The columns of ``-o`` or of what ends in it (``-eo``), as ps(1) calls them."""
    words = arguments.split()
    for at, word in enumerate(words):
        if re.fullmatch(r"-?[aAdefx]*o", word):
            return ",".join(words[at + 1 :]).split(",")
    return []


async def sample(
    sys: Process, engine: "Engine", container: Container, before: dict[str, Any] | None
) -> dict[str, Any]:
    """One element of ``docker stats``."""
    now = times.rfc3339(await times.now(sys))
    cpu = {
        "cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    }
    told: dict[str, Any] = {
        "name": f"/{container.name}",
        "id": container.id,
        "read": now,
        "preread": before["read"] if before is not None else "0001-01-01T00:00:00Z",
        "num_procs": 0,
        "storage_stats": {},
        "pids_stats": {},
        "blkio_stats": {"io_service_bytes_recursive": None},
        "memory_stats": {},
        "cpu_stats": cpu,
        "precpu_stats": before["cpu_stats"] if before is not None else cpu,
    }
    if not container.state.Running:
        return told
    version_2 = "cgroup2" in engine.facts
    seconds, rest = await sys.data("clock_gettime", 1)
    told["cpu_stats"] = {
        "cpu_usage": await (_worked_2 if version_2 else _worked_1)(sys, container.id),
        "system_cpu_usage": (seconds * times.SECOND + rest) * 2,
        "online_cpus": 2,
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    }
    every = await pids(sys, container)
    told["memory_stats"] = await _memory(sys, container.id, every, version_2=version_2)
    most = await sys.text_or_empty(_file(container.id, "pids.max", version_2=version_2))
    told["pids_stats"] = {
        "current": len(every),
        "limit": int(most) if most.strip().isdigit() else _UNLIMITED,
    }
    moved = await (_blocks_2 if version_2 else _blocks_1)(sys, container.id)
    told["blkio_stats"] = {"io_service_bytes_recursive": moved}
    told["networks"] = await _networks(sys, container)
    return told


def _file(ident: str, name: str, *, version_2: bool) -> str:
    """A file of a container's control groups."""
    place = "" if version_2 else f"{name.partition('.')[0]}/"
    return f"/sys/fs/cgroup/{place}docker/{ident}/{name}"


async def _worked_2(sys: Process, ident: str) -> dict[str, int]:
    """Nanoseconds of processor time, from cpu.stat."""
    usage = await _table(sys, _file(ident, "cpu.stat", version_2=True))
    return {
        "total_usage": usage.get("usage_usec", 0) * 1000,
        "usage_in_kernelmode": usage.get("system_usec", 0) * 1000,
        "usage_in_usermode": usage.get("user_usec", 0) * 1000,
    }


async def _worked_1(sys: Process, ident: str) -> dict[str, int]:
    """The same from the controller cpuacct, which counts the parts in ticks."""
    parts = await _table(sys, _file(ident, "cpuacct.stat", version_2=False))
    return {
        "total_usage": await _number(sys, _file(ident, "cpuacct.usage", version_2=False)),
        "usage_in_kernelmode": parts.get("system", 0) * (times.SECOND // _HZ),
        "usage_in_usermode": parts.get("user", 0) * (times.SECOND // _HZ),
    }


async def _memory(sys: Process, ident: str, every: list[int], *, version_2: bool) -> dict[str, Any]:
    """What the group counts, and the pages that each program has without asking for any."""

    def file(name: str) -> str:
        return _file(ident, name, version_2=version_2)

    stats = await _table(sys, file("memory.stat"))
    resident = 0
    for pid in every:
        for line in (await sys.text_or_empty(f"/proc/{pid}/status")).splitlines():
            if line.startswith("RssAnon:"):
                resident += int(line.split()[1]) * 1024
    limit = await sys.text_or_empty(file("memory.max" if version_2 else "memory.limit_in_bytes"))
    counted = await _number(sys, file("memory.current" if version_2 else "memory.usage_in_bytes"))
    total = await _total(sys)
    return {
        "usage": max(counted, resident + stats.get("file" if version_2 else "cache", 0)),
        "stats": stats,
        "limit": min(int(limit), total) if limit.strip().isdigit() else total,
    }


async def _blocks_1(sys: Process, ident: str) -> list[dict[str, Any]]:
    """Bytes by device and direction, from blkio.throttle.io_service_bytes."""
    path = _file(ident, "blkio.throttle.io_service_bytes", version_2=False)
    rows = [line.split() for line in (await sys.text_or_empty(path)).splitlines()]
    return [
        {
            "major": int(device.partition(":")[0]),
            "minor": int(device.partition(":")[2]),
            "op": op.lower(),
            "value": int(value),
        }
        for device, op, value in (row for row in rows if len(row) == 3)
        if op in ("Read", "Write")
    ]


async def _blocks_2(sys: Process, ident: str) -> list[dict[str, Any]]:
    """The same from io.stat."""
    found: list[dict[str, Any]] = []
    path = _file(ident, "io.stat", version_2=True)
    for line in (await sys.text_or_empty(path)).splitlines():
        device, *pairs = line.split()
        major, _, minor = device.partition(":")
        counts = {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
        found += [
            {"major": int(major), "minor": int(minor), "op": op, "value": int(counts[name])}
            for op, name in (("read", "rbytes"), ("write", "wbytes"))
            if name in counts
        ]
    return found


async def _networks(sys: Process, container: Container) -> dict[str, dict[str, int]]:
    """Its interfaces but for lo, from its own /proc/net/dev."""
    found: dict[str, dict[str, int]] = {}
    table = await sys.text_or_empty(f"/proc/{container.state.Pid}/net/dev")
    for line in table.splitlines()[2:]:
        name, _, rest = line.partition(":")
        numbers = [int(word) for word in rest.split()]
        if name.strip() != "lo" and len(numbers) >= 16:
            kinds = ("bytes", "packets", "errors", "dropped")
            found[name.strip()] = {
                f"{way}_{kind}": numbers[at + number]
                for way, at in (("rx", 0), ("tx", 8))
                for number, kind in enumerate(kinds)
            }
    return found


async def _number(sys: Process, path: str) -> int:
    text = (await sys.text_or_empty(path)).strip()
    return int(text) if text.isdigit() else 0


async def _table(sys: Process, path: str) -> dict[str, int]:
    rows = [line.split() for line in (await sys.text_or_empty(path)).splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


async def _total(sys: Process) -> int:
    for line in (await sys.text_or_empty("/proc/meminfo")).splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return 0
