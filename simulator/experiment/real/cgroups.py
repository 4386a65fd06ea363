"""This machine's cgroup hierarchies: where they are mounted, a group of our own in each."""

import contextlib
import os
import time
from pathlib import Path

import msgspec


class Hierarchy(msgspec.Struct, frozen=True):
    """One mounted hierarchy: its directory, ``cgroup`` or ``cgroup2``, its options."""

    path: str
    kind: str
    options: str


def hierarchies(*, unified: bool = True) -> tuple[Hierarchy, ...]:
    """Every cgroup file system below /sys/fs/cgroup, from /proc/self/mountinfo.

    Not ``unified``: without version 2 where version 1 is there too (a machine that is not hybrid).
    """
    found: dict[str, Hierarchy] = {}
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return ()
    for line in lines:
        left, _, right = line.partition(" - ")
        path, (kind, _source, options) = left.split()[4], right.split()[:3]
        if kind in ("cgroup", "cgroup2") and path.startswith("/sys/fs/cgroup"):
            words = [word for word in options.split(",") if word not in ("rw", "ro")]
            found[path] = Hierarchy(path, kind, ",".join(words))
    if not unified and any(one.kind == "cgroup" for one in found.values()):
        return tuple(one for one in found.values() if one.kind == "cgroup")
    return tuple(found.values())


def layout(*, unified: bool = True) -> str:
    """``v1``, ``v2``, ``hybrid`` or ``none``; ``unified`` as for ``hierarchies``."""
    kinds = {hierarchy.kind for hierarchy in hierarchies(unified=unified)}
    if kinds == {"cgroup"}:
        return "v1"
    if kinds == {"cgroup2"}:
        return "v2"
    return "hybrid" if kinds else "none"


def paths(name: str) -> list[str]:
    """Where ``make`` will make groups of this name, one in each hierarchy of this machine."""
    return [f"{hierarchy.path}/{name}" for hierarchy in hierarchies()]


def make(groups: list[str]) -> None:
    """Make each of ``paths``; raises ``OSError``."""
    for path in groups:
        group = Path(path)
        group.mkdir()
        for knob in ("cpuset.cpus", "cpuset.mems"):
            # A new cpuset of version 1 is empty, and an empty one takes no process.
            if (group / knob).exists() and not (group / "cgroup.controllers").exists():
                (group / knob).write_text((group.parent / knob).read_text())
        # Without a share of its own a group's processes can't be real-time at all.
        if (group / "cpu.rt_runtime_us").exists():
            (group / "cpu.rt_runtime_us").write_text("5000")


def make_room(groups: list[str], members: set[int]) -> None:
    """Let an engine make groups with controllers below ours.

    A group of version 2 that holds processes gives no controllers to its children
    (Documentation/admin-guide/cgroup-v2.rst, *No Internal Process Constraint*), so its processes
    move into a leaf.
    """
    for path in groups:
        group = Path(path)
        controllers = group / "cgroup.controllers"
        if not controllers.exists() or not controllers.read_text().split():
            continue
        leaf = group / "machine"
        leaf.mkdir(exist_ok=True)
        for pid in members:
            with contextlib.suppress(OSError):
                (leaf / "cgroup.procs").write_text(str(pid))
        for name in controllers.read_text().split():
            with contextlib.suppress(OSError):
                (group / "cgroup.subtree_control").write_text(f"+{name}")


def below(group: str) -> list[str]:
    """``group`` and every group below it, sorted; none when it is gone.

    A group's files are many and its subgroups few: the link count tells whether there are any.
    """
    found: list[str] = []
    places = [group]
    while places:
        place = places.pop()
        with contextlib.suppress(OSError):
            links = os.stat(place).st_nlink
            found.append(place)
            if links > 2:
                with os.scandir(place) as entries:
                    places += [entry.path for entry in entries if entry.is_dir()]
    return sorted(found)


def enter(groups: list[str], pid: int) -> None:
    """Put a process into each group."""
    for group in groups:
        (Path(group) / "cgroup.procs").write_text(str(pid))


def thaw(group: str) -> None:
    """Let frozen processes run again, so that they can die.

    An engine that is killed while it ends a container leaves it frozen.
    """
    for directory, _names, files in os.walk(group):
        for name, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            if name in files:
                with contextlib.suppress(OSError):
                    (Path(directory) / name).write_text(word)


def remove(groups: list[str], seconds: float = 3.0) -> list[str]:
    """Remove groups and everything below them, once their processes are gone; what is left."""
    deadline = time.monotonic() + seconds
    left = [group for group in groups if os.path.isdir(group)]
    while left:
        for group in left:
            thaw(group)
            for directory, _names, _files in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(directory)
        left = [group for group in left if os.path.isdir(group)]
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return left
