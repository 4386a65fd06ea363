"""Who runs in a container and how much it takes: from /proc and the control group's files."""

from typing import TYPE_CHECKING, Any

from simulator.isolation.control.docker.engine import times
from simulator.isolation.control.docker.engine.container import Container
from simulator.isolation.control.docker.engine.running import groups
from simulator.machine.userland.process import Process

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_HZ = 100
"""Ticks of proc_pid_stat(5) in a second."""
_COLUMNS = {"args": "COMMAND", "comm": "COMMAND", "command": "COMMAND", "pcpu": "%CPU"}
"""Columns of ps(1) whose title is another word."""
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
    """``ps -ef`` of the host, only the container's rows; or the columns of ``-o``/``aux``."""
    titles = _titles(arguments)
    asked = _asked(arguments) or titles
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
            "TTY": "?", "TIME": _worked(stat), "CMD": command, "COMMAND": command,
            "%CPU": "0.0", "%MEM": "0.0", "VSZ": _kilobytes(known, "VmSize"),
            "RSS": _kilobytes(known, "VmRSS"),
            "STAT": stat[0] if stat else "S", "START": _started(stat, booted),
            "comm": known.get("Name", "").strip(), "args": command, "command": command,
            "pcpu": "0.0",
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


def _worked(stat: list[str]) -> str:
    """Processor time, from utime and stime of proc_pid_stat(5)."""
    seconds = (int(stat[11]) + int(stat[12])) // _HZ if len(stat) > 12 else 0
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
    """The columns of ``-o``, as ps(1) calls them."""
    words = arguments.split()
    if "-o" not in words:
        return []
    return ",".join(words[words.index("-o") + 1 :]).split(",")


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
    group = (await groups(sys, container.id))[0]
    seconds, rest = await sys.data("clock_gettime", 1)
    usage = await _table(sys, f"{group}/cpu.stat")
    told["cpu_stats"] = {
        "cpu_usage": {
            "total_usage": usage.get("usage_usec", 0) * 1000,
            "usage_in_kernelmode": usage.get("system_usec", 0) * 1000,
            "usage_in_usermode": usage.get("user_usec", 0) * 1000,
        },
        "system_cpu_usage": (seconds * times.SECOND + rest) * 2,
        "online_cpus": 2,
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    }
    limit = await sys.text_or_empty(f"{group}/memory.max")
    told["memory_stats"] = {
        "usage": await _number(sys, f"{group}/memory.current"),
        "stats": await _table(sys, f"{group}/memory.stat"),
        "limit": int(limit) if limit.strip().isdigit() else await _total(sys),
    }
    told["pids_stats"] = {"current": len(await pids(sys, container)), "limit": 18446744073709551615}
    told["networks"] = {
        f"eth{number}": {
            f"{way}_{what}": 0
            for way in ("rx", "tx")
            for what in ("bytes", "packets", "errors", "dropped")
        }
        for number, got in enumerate(container.record.Networks.values())
        if got.IPAddress
    }
    del engine
    return told


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
