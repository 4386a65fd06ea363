"""What a runtime does when nobody asks for anything, read from the runtime itself.

A model knows the defaults of one version; another version's are read here, so that a comparison
is about walls and not about versions.
"""

import contextlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, cast

import msgspec

from simulator.experiment.probes.world import World
from simulator.experiment.real import filters, host, pool
from simulator.experiment.real.dockerd import Engine
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.filters import Program
from simulator.experiment.real.link import Link


class Defaults(msgspec.Struct, frozen=True):
    """A container's own: what is hidden and locked in it, and the rights that its root keeps.

    ``capabilities`` is a mask, less what this machine's root lacks; ``seccomp`` says whether a
    filter is on, ``filter`` is its program, empty where this kernel does not show it.
    """

    masked: tuple[str, ...]
    readonly: tuple[str, ...]
    capabilities: int
    seccomp: bool
    filter: Program = ()


def docker(world: World) -> Defaults | None:
    """From a container of the engine that a comparison will use; ``None`` where none can run."""
    if host.why_not("docker") is not None:
        return None
    with contextlib.suppress(RealError):
        lent = pool.acquire(world, pool.Service(engine=True), "docker")
        try:
            engine = lent.engine
            if not isinstance(engine, Engine):
                return None
            link = engine.run((), "guest")
            ident = engine.client("ps", "-lq").strip()
            listed = json.loads(engine.client("inspect", ident))
            found = _of(listed[0]["HostConfig"], link)
            link.close()
            return found
        finally:
            pool.release(lent, "docker", {}, clean=True)
    return None


def _of(settings: dict[str, Any], link: Link) -> Defaults:
    status = _status(link.pid)
    loaded = filters.of(link.pid) or ()
    return Defaults(
        masked=tuple(settings.get("MaskedPaths") or ()),
        readonly=tuple(settings.get("ReadonlyPaths") or ()),
        capabilities=int(status.get("CapBnd", "0"), 16),
        seccomp=status.get("Seccomp") == "2",
        filter=loaded[0] if len(loaded) == 1 else (),
    )


def oci(runtime: str) -> dict[str, Any] | None:
    """What ``runc spec`` or ``crun spec`` writes; ``None`` where the program is not installed."""
    program = shutil.which(runtime)
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(
            [program, "spec"], cwd=directory, capture_output=True, check=False, timeout=20
        )
        if done.returncode:
            return None
        value = json.loads((Path(directory) / "config.json").read_text())
    return cast("dict[str, Any]", value)


def lxc(name: str = "common.conf") -> str | None:
    """A file that every LXC container includes, as the package installed it."""
    with contextlib.suppress(OSError):
        return Path("/usr/share/lxc/config", name).read_text()
    return None


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _colon, value in (one.partition(":") for one in lines)}
