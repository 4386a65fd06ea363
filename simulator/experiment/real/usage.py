"""What a guest holds of the real machine's resources, and what it was granted."""

import contextlib
from pathlib import Path

from simulator.experiment.probes.observation import Use
from simulator.experiment.real import cgroups
from simulator.experiment.real.link import Link
from simulator.experiment.real.sandbox import Machine

_SHMMNI = 4096
"""kernel.shmmni, the lowest limit on the number of System V objects of an ipc namespace."""

_NO_LIMIT = 1 << 62
"""What version 1 of the memory controller says instead of ``max``, and more."""


def uses(machine: Machine, guest: Link) -> tuple[Use, ...]:
    """Tasks and bytes of the guest's control groups; IPC objects of a namespace of its own."""
    found: list[Use] = []
    for resource, controller, current, limit in (
        ("pids", "pids", ("pids.current",), ("pids.max",)),
        (
            "memory",
            "memory",
            ("memory.current", "memory.usage_in_bytes"),
            ("memory.max", "memory.limit_in_bytes"),
        ),
    ):
        group = _group(guest.pid, controller)
        used = _number(group, current) if group else None
        if group is not None and used is not None:
            granted = _number(group, limit)
            bounded = granted if granted is not None and granted < _NO_LIMIT else None
            found.append(Use(resource=resource, used=used, granted=bounded))
    return (*found, *_ipc(machine, guest))


def _group(pid: int, controller: str) -> Path | None:
    """The directory of a process's group in the hierarchy that has ``controller``."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return None
    places = {line.split(":")[1]: line.split(":", 2)[2] for line in lines}
    for hierarchy in cgroups.hierarchies():
        if hierarchy.kind == "cgroup" and controller in hierarchy.options.split(","):
            where = next((path for names, path in places.items() if controller in names), None)
        elif hierarchy.kind == "cgroup2" and (Path(hierarchy.path) / "cgroup.procs").exists():
            where = places.get("")
        else:
            continue
        if where is not None and (Path(hierarchy.path) / where.lstrip("/")).is_dir():
            found = Path(hierarchy.path) / where.lstrip("/")
            if list(found.glob(f"{controller}.*")):
                return found
    return None


def _number(group: Path, names: tuple[str, ...]) -> int | None:
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            return int((group / name).read_text())
    return None


def _ipc(machine: Machine, guest: Link) -> tuple[Use, ...]:
    """Limits on System V objects are each ipc namespace's own, so one's own is one's grant."""
    spaces = [Path(f"/proc/{pid}/ns/ipc") for pid in (guest.pid, machine.supervisor.pid)]
    try:
        if spaces[0].readlink() == spaces[1].readlink() or guest.pending:
            return ()
        answer = guest.ask({"do": "shell", "line": "cat /proc/sysvipc/* | wc -l"}, quiet=2.0)
        held = int(answer["data"]["b"]) - 3
    except (OSError, KeyError, TypeError, ValueError):
        return ()
    return (Use(resource="ipc", used=max(held, 0), granted=_SHMMNI),)
