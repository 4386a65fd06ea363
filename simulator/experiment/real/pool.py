"""Machines that outlive a session, as long as nothing on them has changed.

Building one costs more than most probes, starting dockerd more than a container. Inside
``keep()`` a machine whose session ended is lent to the next one of the same world, with the
sandboxes that it has. Processes, mounts, control groups and files that the session left are taken
away, and changed files put back; then it must look as it did: names, addresses, IPC objects, keys,
daemons and disk too. Otherwise it ends. What such a look can't see, a second run can: a difference
is believed only from a machine that nobody had before (``fresh``).
"""

import contextlib
import hashlib
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import msgspec

from simulator.experiment.probes.world import World
from simulator.experiment.real import cgroups, fingerprint, plant
from simulator.experiment.real.calls import do, mountinfo, unmount_all_but
from simulator.experiment.real.dockerd import Engine, RunningEngine, engine_for
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.launchers.operator import Operator
from simulator.experiment.real.link import Link, proc_state
from simulator.experiment.real.sandbox import Machine
from simulator.experiment.real.tenants import Tenant, mounted
from simulator.experiment.real.tree import Tree

_APART = frozenset(
    {
        "var",
        "run/docker",
        "run/containerd",
        "run/vitrina",
        "run/runc",
        "run/crun",
        "run/lxc",
        "run/systemd",
    }
)
"""Where an engine at work leaves marks of its own."""

_MOST = 100
"""Sessions in one sandbox: its pids then stay below those of the machine's daemons."""

_LOCK = threading.Lock()


class Service(msgspec.Struct, frozen=True):
    """What a machine has besides its world.

    ``engine``: a Docker Engine. ``operator``: somebody who runs installed runtimes, and an
    interpreter in each tenant's tree. ``unified``: a control group hierarchy of version 2, where
    this machine has one. ``shift``: what is added to the owners of a tenant's files.
    ``bridge``: one with an address, which a product makes when the machine boots. ``installed``:
    files that tell of a distribution.
    """

    engine: bool = False
    operator: bool = False
    unified: bool = True
    shift: int = 0
    bridge: tuple[str, str] | None = None
    installed: bool = False


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
        self.clean = True
        self.tenants: dict[str, Tenant] = {}
        try:
            if service.engine:
                self.engine = engine_for(self.machine)
            if service.operator:
                cgroups.make_room(self.machine.groups, self.machine.members())
                self.operator = Operator(self.machine)
            if service.bridge is not None:
                plant.bridge(self.machine.supervisor, *service.bridge)
            if service.installed:
                plant.installed(self.machine.root)
            self._members = self.machine.members()
            self._groups = self._all_groups()
            self._mounts = mountinfo(self.machine.supervisor)
            root = str(self.machine.root)
            self._trees = [Tree(place, apart) for place, apart in self._places(root)]
            self._before = self._digest()
        except BaseException:
            self.machine.close()
            raise

    @staticmethod
    def _places(root: str) -> Iterator[tuple[str, frozenset[str]]]:
        """File systems of the machine's own, and what below them is not looked at."""
        yield root, _APART
        yield f"{root}/dev/shm", frozenset()
        if any(one.path != "/sys/fs/cgroup" for one in cgroups.hierarchies()):
            yield f"{root}/sys/fs/cgroup", frozenset()

    def fits(self, world: World, service: Service) -> bool:
        """Whether this is such a machine."""
        plain = [msgspec.structs.replace(one, constants=()) for one in (self.machine.world, world)]
        return plain[0] == plain[1] and self.service == service

    def ready_for(self, spec: str) -> bool:
        """Whether it has sandboxes of ``spec``."""
        return bool(self.tenants) and self.spec == spec

    def leave(self) -> None:
        """Let go of the sandboxes that it has."""
        self.clean = self.clean and not self.tenants
        for tenant in self.tenants.values():
            tenant.end()
        self.tenants = {}

    def launched(self, launch: Callable[[], Link]) -> Tenant:
        """A new sandbox, with what came with it."""
        members, groups = self.machine.members(), self._all_groups()
        others = mounted(members)
        link = launch()
        added = self.machine.members() - members
        try:
            return Tenant(link, added, self._all_groups() - groups, others)
        except (OSError, RealError) as error:  # it ended while it was looked at
            link.close()
            raise RealError.broken("launch", str(error)) from error

    def settle(self) -> bool:
        """End what a session left running and put back what it changed; whether all is as it was.

        An engine tidies up for a moment after its container ended, so a first look that differs
        is not the last.
        """
        if self.machine.spoilt:
            return False
        for name, tenant in list(self.tenants.items()):
            if tenant.sessions > _MOST or not tenant.mend():
                tenant.end()
                del self.tenants[name]
        deadline = time.monotonic() + (1.0 if self.service != Service() else 0.1)
        pause = 0.01
        while True:
            added = self._end_others()
            if not added and self._as_before():
                self.clean = True
                return True
            if time.monotonic() > deadline or self._members - self.machine.members():
                return False
            time.sleep(pause)
            pause = pause * 2 if not added else pause

    def _end_others(self) -> set[int]:
        """Whoever is neither the machine's nor a tenant's."""
        tenants = self.tenants.values()
        added = self.machine.members() - self._members
        added = added.difference(*(tenant.members for tenant in tenants))
        for pid in added:
            _end_guest(pid)
        if self.operator is not None:
            self.operator.tidy(self.tenants.keys())
        groups = self._all_groups() - self._groups
        for name in sorted(groups.difference(*(one.groups for one in tenants)), reverse=True):
            with contextlib.suppress(OSError):
                os.rmdir(name)
        return added

    def _as_before(self) -> bool:
        try:
            unmount_all_but(self.machine.supervisor, self._mounts)
            if not all(tree.mend() for tree in self._trees):
                return False
            return (
                mountinfo(self.machine.supervisor) == self._mounts
                and self._digest() == self._before
            )
        except (OSError, RealError):
            return False

    def _all_groups(self) -> set[str]:
        """Every control group of the machine, apart from the one for all of an engine's."""
        found = {name for group in self.machine.groups for name in cgroups.below(group)}
        return found - {f"{group}/docker" for group in self.machine.groups}

    def _digest(self) -> str:
        """What no tree shows: names, IPC objects, queues, addresses, keys, daemons, the disk."""
        machine = self.machine
        found = hashlib.sha256()
        groups = (tenant.groups for tenant in self.tenants.values())
        found.update("\n".join(sorted(self._all_groups().difference(*groups))).encode())
        found.update(fingerprint.key(machine).encode())
        found.update("\n".join(_state(machine)).encode())
        if isinstance(self.engine, Engine):
            found.update(self.engine.images().encode())
        for daemon in machine.daemons:
            place = Path(f"/proc/{daemon.pid}")
            found.update(proc_state(daemon.pid)[0].encode() + (place / "limits").read_bytes())
            found.update(str(os.getpriority(os.PRIO_PROCESS, daemon.pid)).encode())
        if machine.disk is not None:
            found.update(os.pread(machine.disk.descriptor, 1 << 20, 0))
        return found.hexdigest()


def _state(machine: Machine) -> Iterator[str]:
    """Names, System V objects, message queues, addresses, as text."""
    link = machine.supervisor
    yield str(link.ask({"do": "call", "call": "uname", "args": []}).get("data"))
    for kind in ("shm", "sem", "msg"):
        opened = do(link, "open", f"/proc/sysvipc/{kind}", os.O_RDONLY)
        request = {"do": "call", "call": "read", "args": [opened, 1 << 16]}
        yield str(link.ask(request).get("data"))
        do(link, "close", opened)
    yield str(sorted(os.listdir(machine.root / "dev/mqueue")))
    for one in machine.world.interfaces:
        shown = machine.root / "sys/class/net" / one.name
        for name in ("mtu", "flags", "address"):
            yield (shown / name).read_text() if shown.is_dir() else ""
    place = Path(f"/proc/{link.pid}/net")
    yield (place / "fib_trie").read_text()
    own = tuple(one.name for one in machine.world.interfaces)
    yield str(
        [line for line in (place / "if_inet6").read_text().splitlines() if line.endswith(own)]
    )


def _end_guest(pid: int) -> None:
    """Kill a left-over process, but let an engine's own helper finish its work."""
    with contextlib.suppress(OSError):
        name = Path(f"/proc/{pid}/comm").read_text()
        if not name.startswith(("containerd-shim", "runc", "dockerd", "exe", "docker-proxy")):
            os.kill(pid, signal.SIGKILL)


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
        if not found.ready_for(spec):
            found.leave()
        if found.clean or found.settle():
            return found
        found.machine.close()
    return Host(world, service)


def drain() -> None:
    """End every machine that waits for a session: some limits count what they run, too."""
    with _LOCK:
        idle, _POOL.idle = _POOL.idle, []
    for host in idle:
        host.machine.close()


def release(host: Host, spec: str, tenants: dict[str, Tenant], *, clean: bool = True) -> None:
    """The session ended. ``tenants``: its sandboxes, unless it may have changed one unseen.

    ``clean``: everything is as before it.
    """
    if host.spec != spec:
        host.leave()
    host.spec, host.tenants, host.clean = spec, tenants | host.tenants, clean and host.clean
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
