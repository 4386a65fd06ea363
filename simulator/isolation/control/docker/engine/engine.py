"""The daemon's whole knowledge, in memory and on disk, and the finding of things in it."""

import re
from typing import Any

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest, Conflict, NotFound
from simulator.isolation.control.docker.engine import files
from simulator.isolation.control.docker.engine.config import HostSettings
from simulator.isolation.control.docker.engine.container import Container, Record
from simulator.isolation.control.docker.engine.events import Events
from simulator.isolation.control.docker.engine.ids import new_id, number
from simulator.isolation.control.docker.engine.names import LEFT, RIGHT
from simulator.isolation.control.docker.engine.networks import Networks
from simulator.isolation.control.docker.engine.sync import Lock
from simulator.isolation.control.docker.engine.volumes import Volumes
from simulator.isolation.control.docker.images.registry import Registry
from simulator.isolation.control.docker.images.store import ImageStore
from simulator.isolation.control.docker.wire.router import API_VERSION
from simulator.machine.userland.process import Process, SysError

VERSION = "27.5.1"
CONTAINERS = "/var/lib/docker/containers"
_NAME = re.compile(r"/?[a-zA-Z0-9][a-zA-Z0-9_.-]+")


class Engine:
    """One daemon. ``facts`` are what its machine offers (``cgroup2``)."""

    def __init__(self) -> None:
        self.facts: frozenset[str] = frozenset()
        self.containers: dict[str, Container] = {}
        self.names: dict[str, str] = {}
        self.strangers: list[Container] = []
        """Those of them that another hand launched and that have not ended."""
        self.images = ImageStore()
        self.registry = Registry()
        self.networks = Networks()
        self.volumes = Volumes()
        self.events = Events()
        self.execs: dict[str, Any] = {}
        self.id = ""
        self.requests = 0
        self.announced = False
        """Whether the sandboxes of the session are listed: lessons count their own containers."""
        self.looked = 0
        """When the directory of containers had changed as the daemon last looked."""
        self.pulling = Lock()

    def headers(self) -> dict[str, str]:
        """What every answer says."""
        return {
            "Api-Version": API_VERSION,
            "Docker-Experimental": "false",
            "Ostype": "linux",
            "Server": f"Docker/{VERSION} (linux)",
        }

    async def load(self, sys: Process) -> None:
        """What the disk knows from before: images, networks, volumes, containers."""
        self.announced = "VITRINA_SANDBOXES" in sys.env
        v1 = await files.exists(sys, "/sys/fs/cgroup/memory")
        self.facts = frozenset() if v1 else frozenset({"cgroup2"})
        for path in (CONTAINERS, "/var/lib/docker/tmp"):
            await files.make(sys, path, 0o710)
        self.id = await sys.text_or_empty("/var/lib/docker/engine-id")
        if not self.id:
            self.id = _uuid(await new_id(sys))
            await files.write(sys, "/var/lib/docker/engine-id", self.id.encode())
        await self.images.load(sys)
        await self.volumes.load(sys)
        await self.networks.load(sys, new_id)
        for name in await files.names(sys, CONTAINERS):
            record = await files.load(sys, f"{CONTAINERS}/{name}/config.v2.json", Record)
            host = await files.load(sys, f"{CONTAINERS}/{name}/hostconfig.json", HostSettings)
            if record is not None and host is not None:
                self.enter(Container(record, host))

    # -- containers

    @property
    def listed(self) -> list[Container]:
        """The containers that lists and counts have."""
        every = self.containers.values()
        return [one for one in every if self.announced or not one.stranger]

    def enter(self, container: Container) -> None:
        """Know a container from now on."""
        self.containers[container.id] = container
        self.names[container.name] = container.id

    def find(self, term: str) -> Container:
        """By id, name or the beginning of an id. Raises ``NotFound``, ``BadRequest``."""
        term = term.removeprefix("/") if len(term) > 1 else term
        found = self.containers.get(term) or self.containers.get(self.names.get(term, ""))
        if found is not None:
            return found
        begun = [one for ident, one in self.containers.items() if term and ident.startswith(term)]
        if len(begun) > 1:
            raise BadRequest(f"multiple IDs found with provided prefix: {term}")
        if not begun:
            raise NotFound(f"No such container: {term}")
        return begun[0]

    async def reserve_name(self, sys: Process, name: str, ident: str) -> str:
        """The name that a new container gets. Raises ``BadRequest``, ``Conflict``."""
        if name:
            if not _NAME.fullmatch(name):
                raise BadRequest(
                    f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
                )
            name = name.removeprefix("/")
            if name in self.names:
                raise Conflict(
                    f'Conflict. The container name "/{name}" is already in use by container'
                    f' "{self.names[name]}". You have to remove (or rename) that container to be'
                    " able to reuse that name."
                )
            self.names[name] = ident
            return name
        for retry in range(6):
            left = LEFT[await number(sys, len(LEFT))]
            right = RIGHT[await number(sys, len(RIGHT))]
            made = f"{left}_{right}" + (str(await number(sys, 10)) if retry else "")
            if made not in self.names and made != "boring_wozniak":
                self.names[made] = ident
                return made
        self.names[ident[:12]] = ident
        return ident[:12]

    async def save(self, sys: Process, container: Container) -> None:
        """Write a container's record to disk (moby ``CheckpointTo``). Raises ``SysError``."""
        if container.removed:
            return
        await container.kept.save(sys, f"{container.root}/config.v2.json", lambda: container.record)

    async def checkpoint(self, sys: Process, container: Container) -> None:
        """``save`` of what has happened anyhow: a disk that takes nothing keeps nobody waiting."""
        try:
            await self.save(sys, container)
        except SysError as error:
            await sys.err(f"failed to store container {container.id}: {error}\n")

    async def save_host(self, sys: Process, container: Container) -> None:
        """Write its host configuration to disk."""
        await container.kept_host.save(
            sys, f"{container.root}/hostconfig.json", lambda: container.host
        )

    async def tell(
        self, sys: Process, container: Container, action: str, **attributes: str
    ) -> None:
        """An event about a container, with its labels."""
        told = dict(container.config.Labels or {})
        told |= {"image": container.config.Image, "name": container.name, **attributes}
        await self.events.emit(sys, "container", action, container.id, told)

    # -- what others look up

    def exec_of(self, ident: str) -> Any:
        """An exec instance. Raises ``NotFound``."""
        found = self.execs.get(ident)
        if found is None:
            raise NotFound(f"No such exec instance: {ident}")
        return found


def running(container: Container) -> None:
    """Raise ``Conflict`` unless it runs."""
    if not container.state.Running:
        raise Conflict(f"container {container.id} is not running")


def created_by(error: ApiError, container: Container) -> ApiError:
    """The error of a failed start, as the client sees it."""
    return ApiError(error.message.replace("{id}", container.id), error.status)


def _uuid(ident: str) -> str:
    return "-".join((ident[:8], ident[8:12], ident[12:16], ident[16:20], ident[20:32]))
