"""Requirements and the leak check of tests that run on this machine's kernel."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.experiment.real import cgroups, host, zygote


def requires(*names: str) -> None:
    """Skip, saying why, unless this machine has every one of ``names``; unknown words fail."""
    for name in names:
        reason = host.check(name)
        if reason is not None:
            _not_here(reason, lacks_right=name.startswith("CAP_"))


def requires_spec(spec: str) -> None:
    """Skip, saying why, unless this machine can run ``spec``."""
    reason = host.why_not(spec)
    if reason is not None:
        _not_here(reason, lacks_right="CAP_" in reason)


def _not_here(reason: str, *, lacks_right: bool) -> None:
    """Skip, saying why; where VITRINA_REQUIRE_REAL says that all is installed, fail instead.

    A right that the machine withholds from its root (CAP_SYS_RESOURCE on some) can't be installed.
    """
    if os.environ.get("VITRINA_REQUIRE_REAL") and not lacks_right:
        pytest.fail(f"this should run here, but: {reason}")
    pytest.skip(f"not here, because {reason}")


def traces(coordinator: int) -> dict[str, set[str]]:
    """What a process's sessions could leave behind; the names of its machines hold its pid."""
    tag = f"vitrina-{coordinator}-"
    agents: set[str] = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if tag.encode() in Path(entry.path, "cmdline").read_bytes():
                    agents.add(entry.name)
            except OSError:
                continue
    groups = {
        str(path)
        for hierarchy in cgroups.hierarchies()
        for path in Path(hierarchy.path).glob(f"{tag}*")
    }
    members = {
        pid
        for group in groups
        for path in Path(group).rglob("cgroup.procs")
        for pid in path.read_text().split()
    }
    return {
        "processes": agents | members,
        "cgroups": groups,
        "loops": {str(path) for path in Path("/sys/block").glob("loop*/loop") if _loop(path, tag)},
        "directories": {str(path) for path in Path(tempfile.gettempdir()).glob(f"{tag}*")},
        "records": {str(path) for path in Path("/run").glob(f"vitrina-*/{tag}*")},
        "mounts": set(Path("/proc/self/mountinfo").read_text().splitlines()),
        "interfaces": set(os.listdir("/sys/class/net")),
    }


def _loop(path: Path, tag: str) -> bool:
    try:
        return tag.replace("vitrina-", "vitrina-disk-") in (path / "backing_file").read_text()
    except OSError:
        return False


@pytest.fixture
def leak_check() -> Iterator[None]:
    """Processes, mounts, cgroups, loop devices, interfaces and directories: before == after."""
    if host.why_not("none") is None:
        # It stays as long as this process, for the machines to come.
        zygote.ready()
    before = traces(os.getpid())
    yield
    assert added(before, os.getpid()) == {}


def added(
    before: dict[str, set[str]], coordinator: int, seconds: float = 8.0
) -> dict[str, set[str]]:
    """What is there and was not, once dying processes had time to die."""
    deadline = time.monotonic() + seconds
    while True:
        now = traces(coordinator)
        new = {kind: now[kind] - before[kind] for kind in now if now[kind] - before[kind]}
        if not new or time.monotonic() > deadline:
            return new
        time.sleep(0.1)
