"""Machines that outlive a session, as long as nothing on them has changed.

Building one costs more than most probes, starting dockerd more than a container. Inside
``keep()`` a machine whose session ended is lent to the next one of the same world, but only when
it looks as it did: the same processes, files, mounts, names, addresses, IPC objects, keys, control
groups, daemons and disk. Otherwise it ends. What such a look can't see, a second run can: a
difference is believed only from a machine that nobody had before (``fresh``).
"""

import contextlib
import hashlib
import os
import signal
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import msgspec

from simulator.experiment.probes.world import World
from simulator.experiment.real import cgroups, fingerprint, plant
from simulator.experiment.real.dockerd import Engine, RunningEngine, engine_for
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.fingerprint import links
from simulator.experiment.real.launchers.operator import Operator
from simulator.experiment.real.link import Link, proc_state
from simulator.experiment.real.sandbox import Machine

_APART = {
    "proc",
    "sys",
    "var",
    "run/docker",
    "run/containerd",
    "run/vitrina",
    "run/runc",
    "run/crun",
    "run/lxc",
    "dev/pts",
    "dev/mqueue",
}
"""Where an engine at work leaves marks of its own, or where nothing is stored."""

_STATE = (
    "cat /proc/sysvipc/* /proc/sys/kernel/domainname /proc/sys/kernel/hostname; ls -l /dev/mqueue"
)
"""Printed by the machine itself: IPC objects, names, message queues."""

_LOCK = threading.Lock()


class Service(msgspec.Struct, frozen=True):
    """What a machine has besides its world.

    ``engine``: a Docker Engine. ``operator``: somebody who runs installed runtimes, and an
    interpreter in each tenant's tree. ``unified``: a control group hierarchy of version 2, where
    this machine has one. ``shift``: what is added to the owners of a tenant's files.
    ``bridge``: one with an address, which a product makes when the machine boots.
    """

    engine: bool = False
    operator: bool = False
    unified: bool = True
    shift: int = 0
    bridge: tuple[str, str] | None = None


class Host:
    """A machine with its service, lent to one session at a time."""

    def __init__(self, world: World, service: Service) -> None:
        self.service = service
        self.machine = Machine(
            world, unified=service.unified, interpreter=service.operator, shift=service.shift
        )
        self.engine: Engine | RunningEngine | None = None
        self.operator: Operator | None = None
        self.spec = ""
        self.tenants: dict[str, Link] = {}
        try:
            if service.engine:
                self.engine = engine_for(self.machine)
            if service.operator:
                cgroups.make_room(self.machine.groups, self.machine.members())
                self.operator = Operator(self.machine)
            if service.bridge is not None:
                plant.bridge(self.machine.supervisor, *service.bridge)
            self._members = self.machine.members()
            self._groups = self._all_groups()
            self._before = self._digest()
        except BaseException:
            self.machine.close()
            raise

    def fits(self, world: World, service: Service) -> bool:
        """Whether this is such a machine."""
        return self.machine.world == world and self.service == service

    def ready_for(self, spec: str) -> bool:
        """Whether it has unchanged sandboxes of ``spec``."""
        return bool(self.tenants) and self.spec == spec

    def leave(self) -> None:
        """Let go of the sandboxes that it has."""
        for link in self.tenants.values():
            link.close()
        self.tenants = {}

    def settle(self) -> bool:
        """End what a session left running; whether the machine is then as it was.

        An engine tidies up for a moment after its container ended, so a first look that differs
        is not the last.
        """
        self.leave()
        deadline = time.monotonic() + (1.0 if self.service.engine else 0.05)
        while True:
            added = self.machine.members() - self._members
            for pid in added:
                _end_guest(pid)
            if self.operator is not None:
                self.operator.tidy()
            for name in sorted(self._all_groups() - self._groups, reverse=True):
                with contextlib.suppress(OSError):
                    os.rmdir(name)
            if not added and self._as_before():
                return True
            if time.monotonic() > deadline or self._members - self.machine.members():
                return False
            time.sleep(0.01)

    def _as_before(self) -> bool:
        try:
            return self._digest() == self._before and self.machine.members() == self._members
        except (OSError, RealError):
            return False

    def _all_groups(self) -> set[str]:
        """Every control group of the machine, apart from the one for all of an engine's."""
        found = {name for group in self.machine.groups for name in cgroups.below(group)}
        return found - {f"{group}/docker" for group in self.machine.groups}

    def _digest(self) -> str:
        found = hashlib.sha256()
        for line in sorted(_tree(self.machine.root)):
            found.update(line.encode("utf-8", "surrogateescape"))
        found.update(Path(f"/proc/{self.machine.supervisor.pid}/mountinfo").read_bytes())
        found.update("\n".join(sorted(self._all_groups())).encode())
        found.update(fingerprint.key(self.machine).encode())
        line = ";".join([_STATE, *links(self.machine).values()])
        answer = self.machine.supervisor.ask({"do": "shell", "line": line}, quiet=5.0)
        found.update(str(answer).encode())
        for daemon in self.machine.daemons:
            place = Path(f"/proc/{daemon.pid}")
            found.update(proc_state(daemon.pid)[0].encode() + (place / "limits").read_bytes())
            found.update(str(os.getpriority(os.PRIO_PROCESS, daemon.pid)).encode())
        if self.machine.disk is not None:
            found.update(os.pread(self.machine.disk.descriptor, 1 << 20, 0))
        return found.hexdigest()


def _end_guest(pid: int) -> None:
    """Kill a left-over process, but let an engine's own helper finish its work."""
    with contextlib.suppress(OSError):
        name = Path(f"/proc/{pid}/comm").read_text()
        if not name.startswith(("containerd-shim", "runc", "dockerd", "exe", "docker-proxy")):
            os.kill(pid, signal.SIGKILL)


def _tree(root: Path) -> Iterator[str]:
    """One line for every file of the machine: who owns it, how large, when changed."""
    top = str(root)
    for directory, names, files in os.walk(top):
        where = directory[len(top) :].lstrip("/")
        names[:] = [name for name in names if f"{where}/{name}".lstrip("/") not in _APART]
        for name in [*names, *files]:
            status = os.lstat(f"{directory}/{name}")
            yield (
                f"{where}/{name} {status.st_mode} {status.st_uid} {status.st_gid}"
                f" {status.st_size} {status.st_rdev} {status.st_ctime_ns}\n"
            )


class _Pool:
    def __init__(self) -> None:
        self.depth = 0
        self.idle: list[Host] = []


_POOL = _Pool()


def acquire(world: World, service: Service, spec: str, *, fresh: bool = False) -> Host:
    """A machine of this world with this service, as good as new; ``fresh``: really new.

    One whose sandboxes of the same ``spec`` nobody changed is preferred: they are used again.
    """
    while not fresh:
        with _LOCK:
            fitting = [host for host in _POOL.idle if host.fits(world, service)]
            found = max(fitting, key=lambda host: host.ready_for(spec), default=None)
            if found is None:
                break
            _POOL.idle.remove(found)
        if found.ready_for(spec) or found.settle():
            return found
        found.machine.close()
    return Host(world, service)


def drain() -> None:
    """End every machine that waits for a session: some limits count what they run, too."""
    with _LOCK:
        idle, _POOL.idle = _POOL.idle, []
    for host in idle:
        host.machine.close()


def release(host: Host, spec: str, tenants: dict[str, Link]) -> None:
    """The session ended. ``tenants``: its sandboxes, if everything is as before it."""
    host.spec, host.tenants = spec, tenants | host.tenants
    if not tenants:
        host.leave()
    with _LOCK:
        if _POOL.depth > 0:
            _POOL.idle.append(host)
            return
    host.machine.close()


@contextlib.contextmanager
def keep() -> Generator[None]:
    """Keep engines between sessions; at the end the idle ones are ended."""
    with _LOCK:
        _POOL.depth += 1
    try:
        yield
    finally:
        with _LOCK:
            _POOL.depth -= 1
            idle = _POOL.idle[:] if _POOL.depth == 0 else []
            _POOL.idle = [host for host in _POOL.idle if host not in idle]
        for host in idle:
            host.machine.close()
