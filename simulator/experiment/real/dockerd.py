"""A Docker Engine of our own inside a scratch machine, and actors in its containers.

``dockerd`` sees the scratch machine as its host: its root, processes, network and names, so
``--pid=host`` or ``-v /:/host`` reach the scratch machine and nothing else. Its programs and
libraries are mounted from this machine in a mount namespace of its own. When the machine ends,
containers, images, bridges and cgroups end with it.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulator.experiment.real import cgroups, dockerapi, host, plant, rootfs
from simulator.experiment.real.calls import do
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.launchers import operator
from simulator.experiment.real.link import Link, attach
from simulator.experiment.real.sandbox import Machine
from simulator.machine.abi.i18n import gettext as _

IMAGE = "vitrina:guest"
LABEL = "vitrina.machine"
_IMAGE_ENVIRONMENT = "ENV PATH=/bin:/usr/bin:/sbin"
_SOCKET = "run/docker.sock"
_NOTHING: Mapping[str, Any] = {}
_ARGUMENTS = (
    "dockerd",
    "--data-root=/var/lib/docker",
    "--exec-root=/run/docker",
    "--pidfile=/run/docker.pid",
    "--host=unix:///run/docker.sock",
    "--storage-driver=overlay2",
)


class Engine:
    """A private dockerd in ``machine``, with the guest's image imported."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._made: dict[tuple[str, ...], dict[str, Any]] = {}
        self._start()
        self._import()

    def _start(self) -> None:
        program = shutil.which("dockerd")
        if program is None:
            raise RealError.not_here("dockerd is not installed")
        cgroups.make_room(self.machine.groups, self.machine.members())
        link = operator.enter(self.machine)
        self._daemon = link.pid
        for path in ("var/lib/docker", "var/log", "run/containerd"):
            (self.machine.root / path).mkdir(parents=True, exist_ok=True)
        do(link, "mount", "docker", "/var/lib/docker", "tmpfs", 0, "mode=711")
        log = do(link, "open", "/var/log/dockerd.log", 0o2101, 0o600)
        for descriptor in (1, 2):
            do(link, "dup2", log, descriptor)
        environ = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"]
        link.ask({"do": "call", "call": "execve", "args": [program, [*_ARGUMENTS], environ]})
        self._wait(link)

    def _wait(self, link: Link, seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not link.alive:
                break
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(2)
                probe.connect(str(self.machine.root / _SOCKET))
                probe.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                if b"OK" in probe.recv(4096):
                    return
            time.sleep(0.05)
        raise RealError.not_here(f"dockerd did not start: {self._last_words()}")

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self.machine.root / "var/log/dockerd.log").read_text().strip().splitlines()
            if lines:
                return lines[-1]
        return "no log"

    def _import(self) -> None:
        tar = rootfs.image(self.machine.world.users)
        self.client("import", "-c", _IMAGE_ENVIRONMENT, "-", IMAGE, stream=tar)
        self._layers = sorted(path.name for path in self._storage.iterdir())

    @property
    def _storage(self) -> Path:
        return Path(f"/proc/{self._daemon}/root/var/lib/docker/overlay2")

    def images(self) -> str:
        """What its images' layers are, as far as a change shows: no call sets st_ctime back.

        A probe that reaches them could leave something for the next container's first process.
        """
        found: list[str] = []
        for layer in self._layers:
            for directory, names, files in os.walk(self._storage / layer / "diff"):
                for name in (".", *names, *files):
                    status = os.lstat(f"{directory}/{name}")
                    found.append(f"{name} {status.st_ino} {status.st_ctime_ns}")
        return "\n".join(sorted(found))

    def client(self, *words: str, stream: Path | None = None) -> str:
        """One command of the docker client on this engine."""
        return client(f"unix://{self.machine.root}/{_SOCKET}", *words, stream=stream)

    def run(
        self, options: tuple[str, ...], actor: str, changes: Mapping[str, Any] = _NOTHING
    ) -> Link:
        """A container with the agent as its first process, as ``docker run OPTIONS`` makes it.

        The client reads the options once; what it made of them is asked for again by the API, with
        ``changes`` to its ``HostConfig`` that the client has no words for.
        """
        ident = self._create(options, changes)
        self._ask("POST", f"/containers/{ident}/start")
        told = self._ask("GET", f"/containers/{ident}/json")
        inside = told["State"]["Pid"]
        pid = operator.outer_pid(self.machine, inside) if inside else None
        if pid is not None and told["HostConfig"].get("Init"):
            pid = operator.child_agent(pid)
        if pid is None:
            why = self.client("logs", ident).strip().rpartition("\n")[2]
            raise RealError.broken("docker run", why or "the container ended at once")
        link = self.machine.keep(attach(pid))
        # Where dockerd has put it together: the container itself may see it read-only.
        merged = told["GraphDriver"]["Data"]["MergedDir"]
        plant.tenant(Path(f"/proc/{self._daemon}/root{merged}"), self.machine.world, actor)
        return link

    def _create(self, options: tuple[str, ...], changes: Mapping[str, Any]) -> str:
        known = self._made.get(options)
        if known is not None:
            wanted = {**known, "HostConfig": {**known["HostConfig"], **changes}}
            return self._ask("POST", "/containers/create", wanted)["Id"]
        command = rootfs.interpreter_arguments()
        ident = self.client("create", *options, IMAGE, *command).strip()
        made = self._ask("GET", f"/containers/{ident}/json")
        config = made["Config"]
        if config["Hostname"] == ident[:12] or made["HostConfig"]["UTSMode"] == "host":
            config["Hostname"] = ""
        self._made[options] = {**config, "HostConfig": made["HostConfig"]}
        return self._create(options, changes) if changes else ident

    def _ask(self, method: str, where: str, body: Any = None) -> dict[str, Any]:
        return dockerapi.request(f"{self.machine.root}/{_SOCKET}", method, where, body)


class RunningEngine:
    """An engine that was there before us: used where no dockerd of our own can be started.

    Its host is this machine, not the scratch one, so what a container shares with its host is
    out of a probe's reach: the session refuses an actor in this machine's namespaces.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        machine.mark(f"{LABEL}={machine.name}")
        machine.shared = frozenset({"cgroup"})
        tar = rootfs.image(machine.world.users)
        self.client("import", "-c", _IMAGE_ENVIRONMENT, "-", IMAGE, stream=tar)
        machine.closers.append(self._remove)

    def client(self, *words: str, stream: Path | None = None) -> str:
        """One command of the docker client on the running engine."""
        return client(None, *words, stream=stream)

    def run(
        self, options: tuple[str, ...], actor: str, changes: Mapping[str, Any] = _NOTHING
    ) -> Link:
        """``docker run`` with the agent as the container's first process."""
        if changes:
            raise RealError.not_here(_("only a dockerd of our own is asked by its API"))
        command = rootfs.interpreter_arguments()
        label = f"{LABEL}={self.machine.name}"
        ident = self.client("run", "-d", "--label", label, *options, IMAGE, *command).strip()
        link = self.machine.keep(attach(int(self.client("inspect", "-f", "{{.State.Pid}}", ident))))
        plant.tenant(Path(f"/proc/{link.pid}/root"), self.machine.world, actor)
        return link

    def _remove(self) -> None:
        found = self.client("ps", "-aq", "--filter", f"label={LABEL}={self.machine.name}").split()
        if found:
            self.client("rm", "-f", *found)
        with contextlib.suppress(RealError):
            self.client("rmi", IMAGE)


def client(engine: str | None, *words: str, stream: Path | None = None) -> str:
    """One command of the docker client; its output, or ``RealError`` with its first line."""
    program = shutil.which("docker")
    if program is None:
        raise RealError.not_here("the docker client is not installed")
    environ = {"PATH": os.environ.get("PATH", "/usr/bin"), "HOME": "/nonexistent"}
    if engine is not None:
        environ["DOCKER_HOST"] = engine
    elif "DOCKER_HOST" in os.environ:
        environ["DOCKER_HOST"] = os.environ["DOCKER_HOST"]
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(stream.open("rb")) if stream else subprocess.DEVNULL
        try:
            done = subprocess.run(
                [program, *words],
                stdin=source,
                capture_output=True,
                check=False,
                timeout=60,
                env=environ,
            )
        except subprocess.TimeoutExpired as error:
            raise RealError.broken("docker " + words[0], "no answer within 60 s") from error
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"]
        raise RealError.broken("docker " + words[0], why[0])
    return done.stdout.decode()


def engine_for(machine: Machine) -> Engine | RunningEngine:
    """A dockerd of our own, or else the engine that runs here."""
    return Engine(machine) if host.check("dockerd") is None else RunningEngine(machine)
