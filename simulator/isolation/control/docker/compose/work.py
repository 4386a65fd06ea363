"""Carrying a plan out over REST, a line of progress for each step (``pkg/progress/plain.go``)."""

import io
import tarfile
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from simulator.isolation.control.docker.client.wire import DaemonError
from simulator.isolation.control.docker.compose import request
from simulator.isolation.control.docker.compose.desk import Desk
from simulator.isolation.control.docker.compose.errors import ComposeError
from simulator.isolation.control.docker.compose.plan import Action, Seen, World
from simulator.isolation.control.docker.compose.project import LABEL, Project
from simulator.isolation.control.docker.compose.tree import listed, part, texts

_TICK = 0.5
_NOT_FOUND, _NOT_MODIFIED, _CONFLICT = 404, 304, 409
_INLINE = ".vitrina.Dockerfile"


async def look(desk: Desk, project: Project) -> World:
    """What the engine has for the project."""
    named = msgspec.json.encode({"label": [f"{LABEL}project={project.name}"]}).decode()
    listed = await desk.api.ask("GET", "/containers/json", {"all": 1, "filters": named})
    networks = await desk.api.ask("GET", "/networks")
    volumes = await desk.api.ask("GET", "/volumes")
    images: dict[str, str] = {}
    for image in sorted({project.image(name) for name in project.services}):
        try:
            images[image] = (await desk.api.ask("GET", f"/images/{image}/json"))["Id"]
        except DaemonError as error:
            if error.code != _NOT_FOUND:
                raise
    return World(
        tuple(sorted((Seen.of(one) for one in listed), key=lambda s: (s.service, s.number))),
        frozenset(one["Name"] for one in networks),
        frozenset(one["Name"] for one in volumes["Volumes"] or ()),
        images,
    )


class Worker:
    """Carries out the actions of one project."""

    def __init__(self, desk: Desk, project: Project, world: World) -> None:
        self.desk = desk
        self.api = desk.api
        self.project = project
        self.seconds: int | None = None
        """How long a container may take to stop; None for its own time."""
        self.quiet = False
        self.ids: dict[tuple[str, int], str] = {
            (one.service, one.number): one.id for one in world.containers if not one.oneoff
        }

    async def carry_out(self, actions: list[Action]) -> None:
        """One after the other. Raises ``ComposeError``, ``DaemonError``."""
        for one in actions:
            await _DO[one.verb](self, one)

    async def say(self, what: str, state: str) -> None:
        """A line of progress."""
        if not self.quiet:
            await self.desk.write(2, f" {what}  {state}\n".encode())

    async def network(self, one: Action) -> None:
        """Make a network."""
        await self.say(f"Network {one.name}", "Creating")
        body = request.network(self.project, one.key)
        await self.api.ask("POST", "/networks/create", None, body)
        await self.say(f"Network {one.name}", "Created")

    async def volume(self, one: Action) -> None:
        """Make a volume."""
        await self.say(f"Volume {one.name}", "Creating")
        await self.api.ask("POST", "/volumes/create", None, request.volume(self.project, one.key))
        await self.say(f"Volume {one.name}", "Created")

    async def pull(self, one: Action) -> None:
        """Fetch a service's image."""
        name, _, tag = one.name.rpartition(":")
        if not name or "/" in tag:
            name, tag = one.name, "latest"
        await self.say(one.key, "Pulling")
        query = {"fromImage": name, "tag": tag} if "@" not in one.name else {"fromImage": one.name}
        async for told in self.api.lines("POST", "/images/create", query):
            if "error" in told:
                await self.say(one.key, "Error")
                raise ComposeError(f"Error response from daemon: {told['error']}")
        await self.say(one.key, "Pulled")

    async def build(self, one: Action, *, no_cache: bool = False, pull: bool = False) -> None:
        """Build a service's image, showing the builder's own output."""
        tree: dict[str, Any] = self.project.services[one.key]["build"]
        await self.say(f"Service {one.key}", "Building")
        context = await self.desk.pack(tree["context"])
        dockerfile = tree["dockerfile"]
        if tree.get("dockerfile_inline"):
            dockerfile, context = _INLINE, _with_file(context, tree["dockerfile_inline"])
        args = {
            k: v if v is not None else self.desk.env.get(k) for k, v in part(tree, "args").items()
        }
        labels = texts(tree, "labels")
        query: dict[str, Any] = {
            "t": one.name,
            "dockerfile": dockerfile,
            "buildargs": msgspec.json.encode(args).decode(),
            "labels": msgspec.json.encode(labels).decode(),
            "target": tree.get("target") or "",
            "nocache": int(no_cache or bool(tree.get("no_cache"))),
            "pull": int(pull or bool(tree.get("pull"))),
            "rm": 1,
        }
        async for told in self.api.lines("POST", "/build", query, context):
            if "error" in told:
                await self.say(f"Service {one.key}", "Error")
                raise ComposeError(f"failed to solve: {told['error']}")
            if not self.quiet:
                await self.desk.write(2, str(told.get("stream", "")).encode())
        await self.say(f"Service {one.key}", "Built")

    async def create(self, one: Action) -> None:
        """Make a container."""
        await self.say(f"Container {one.name}", "Creating")
        await self._create(one, one.name, [])
        await self.say(f"Container {one.name}", "Created")

    async def _create(self, one: Action, name: str, binds: list[str]) -> None:
        first = {service: ident for (service, number), ident in self.ids.items() if number == 1}
        body = request.body(self.project, one.key, one.number, first)
        body["HostConfig"]["Binds"] += binds
        image = await self.api.ask("GET", f"/images/{body['Image']}/json")
        body["Labels"][f"{LABEL}image"] = image["Id"]
        made = await self.api.ask("POST", "/containers/create", {"name": name}, body)
        self.ids[one.key, one.number] = made["Id"]
        for warning in made["Warnings"] or ():
            await self.desk.write(2, f"{warning}\n".encode())
        packed = request.contents(self.project, one.key, dict(self.desk.env))
        if packed:
            await self.api.ask("PUT", f"/containers/{made['Id']}/archive", {"path": "/"}, packed)
        for copied in listed(self.project.services[one.key], "x-copied"):
            packed = await self.desk.pack(copied["source"], copied["target"].strip("/"))
            await self.api.ask("PUT", f"/containers/{made['Id']}/archive", {"path": "/"}, packed)

    async def recreate(self, one: Action) -> None:
        """Another container in its place, with the anonymous volumes of the old one."""
        await self.say(f"Container {one.name}", "Recreate")
        old = await self.api.ask("GET", f"/containers/{one.id}/json")
        declared = part(old["Config"], "Volumes")
        binds = [
            f"{mount['Name']}:{mount['Destination']}"
            for mount in old["Mounts"]
            if mount["Type"] == "volume" and mount["Destination"] in declared
        ]
        name = self.project.container_name(one.key, one.number)
        await self._create(one, f"{one.id[:12]}_{name}", binds)
        await self._stop(one.id)
        await self.api.ask("DELETE", f"/containers/{one.id}", {"force": 1})
        made = self.ids[one.key, one.number]
        await self.api.ask("POST", f"/containers/{made}/rename", {"name": name})
        await self.say(f"Container {one.name}", "Recreated")

    async def start(self, one: Action) -> None:
        """Start a container."""
        await self.say(f"Container {one.name}", "Starting")
        await self.api.ask("POST", f"/containers/{self.ids[one.key, one.number]}/start")
        await self.say(f"Container {one.name}", "Started")

    async def running(self, one: Action) -> None:
        """It runs as it should."""
        await self.say(f"Container {one.name}", "Running")

    async def restart(self, one: Action) -> None:
        """Stop it and start it."""
        await self.say(f"Container {one.name}", "Restarting")
        query = {} if self.seconds is None else {"t": self.seconds}
        await self.api.ask("POST", f"/containers/{one.id}/restart", query)
        await self.say(f"Container {one.name}", "Started")

    async def healthy(self, one: Action) -> None:
        """Wait until every container of a service is well."""
        for name, ident in self._of(one.key):
            await self.say(f"Container {name}", "Waiting")
            while True:
                told = await self.api.ask("GET", f"/containers/{ident}/json")
                state = told["State"]
                health = part(state, "Health").get("Status")
                if health == "healthy":
                    break
                why = ""
                if state["Status"] == "exited":
                    why = f"container {name} exited ({state['ExitCode']})"
                elif health is None:
                    why = f"container {name} has no healthcheck configured"
                elif health == "unhealthy":
                    why = f"container {name} is unhealthy"
                if why:
                    await self.say(f"Container {name}", "Error")
                    raise ComposeError(f"dependency failed to start: {why}")
                await self.desk.pause(_TICK)
            await self.say(f"Container {name}", "Healthy")

    async def completed(self, one: Action) -> None:
        """Wait until every container of a service has ended well."""
        for name, ident in self._of(one.key):
            await self.say(f"Container {name}", "Waiting")
            told = await self.api.ask("POST", f"/containers/{ident}/wait")
            if told["StatusCode"]:
                await self.say(
                    f"Container {name}",
                    f'service "{one.key}" didn\'t complete successfully: exit {told["StatusCode"]}',
                )
                raise ComposeError(
                    f'service "{one.key}" didn\'t complete successfully: exit {told["StatusCode"]}'
                )
            await self.say(f"Container {name}", "Exited")

    def _of(self, service: str) -> list[tuple[str, str]]:
        return [
            (self.project.container_name(service, number), ident)
            for (key, number), ident in sorted(self.ids.items())
            if key == service
        ]

    async def stop(self, one: Action) -> None:
        """End a container."""
        await self.say(f"Container {one.name}", "Stopping")
        await self._stop(one.id)
        await self.say(f"Container {one.name}", "Stopped")

    async def _stop(self, ident: str) -> None:
        query = {} if self.seconds is None else {"t": self.seconds}
        await self._tolerant(
            "POST", f"/containers/{ident}/stop", query, (_NOT_MODIFIED, _NOT_FOUND)
        )

    async def _tolerant(
        self, method: str, path: str, query: dict[str, Any], fine: tuple[int, ...]
    ) -> bool:
        try:
            await self.api.ask(method, path, query)
        except DaemonError as error:
            if error.code not in fine:
                raise
            return False
        return True

    async def remove(self, one: Action) -> None:
        """Take a container away, with its anonymous volumes when ``v`` was asked."""
        await self.say(f"Container {one.name}", "Removing")
        query = {"force": 1, "v": 1}
        await self._tolerant("DELETE", f"/containers/{one.id}", query, (_NOT_FOUND, _CONFLICT))
        await self.say(f"Container {one.name}", "Removed")

    async def no_network(self, one: Action) -> None:
        """Take a network away; one that others use stays."""
        await self.say(f"Network {one.name}", "Removing")
        gone = await self._tolerant("DELETE", f"/networks/{one.name}", {}, (403, _NOT_FOUND))
        await self.say(f"Network {one.name}", "Removed" if gone else "Resource is still in use")

    async def no_volume(self, one: Action) -> None:
        """Take a volume away; one that others use stays."""
        await self.say(f"Volume {one.name}", "Removing")
        gone = await self._tolerant("DELETE", f"/volumes/{one.name}", {}, (_CONFLICT, _NOT_FOUND))
        await self.say(f"Volume {one.name}", "Removed" if gone else "Resource is still in use")

    async def verb(self, one: Action, path: str, doing: str, done: str, signal: str = "") -> None:
        """``kill``, ``pause``, ``unpause``."""
        if doing:
            await self.say(f"Container {one.name}", doing)
        query = {"signal": signal} if signal else {}
        await self._tolerant("POST", f"/containers/{one.id}/{path}", query, (_CONFLICT,))
        await self.say(f"Container {one.name}", done)


def _with_file(context: bytes, text: str) -> bytes:
    kept = io.BytesIO()
    kept.write(context)
    kept.seek(0)
    with tarfile.open(fileobj=kept, mode="a") as archive:
        info = tarfile.TarInfo(_INLINE)
        info.size = len(text.encode())
        archive.addfile(info, io.BytesIO(text.encode()))
    return kept.getvalue()


_DO: dict[str, Callable[[Worker, Action], Awaitable[None]]] = {
    "network": Worker.network, "volume": Worker.volume, "pull": Worker.pull,
    "build": Worker.build, "create": Worker.create, "recreate": Worker.recreate,
    "start": Worker.start, "running": Worker.running, "healthy": Worker.healthy,
    "completed": Worker.completed, "stop": Worker.stop, "remove": Worker.remove,
    "no-network": Worker.no_network, "no-volume": Worker.no_volume, "restart": Worker.restart,
}  # fmt: skip
