"""What is to be done: a project against what the engine has. compose ``convergence.go``.

Pure. Actions come in the order in which they are carried out: networks, volumes, images, then
containers made in the order of dependencies, then started in it, each after it has waited.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from simulator.isolation.control.docker.compose.errors import ComposeError
from simulator.isolation.control.docker.compose.project import (
    LABEL,
    Project,
    dependencies,
    digest,
    scale,
)
from simulator.isolation.control.docker.compose.tree import listed, texts


class Seen(NamedTuple):
    """A container that the engine has for the project."""

    id: str
    name: str
    service: str
    number: int
    state: str
    hash: str
    image: str = ""
    oneoff: bool = False

    @staticmethod
    def of(entry: dict[str, Any]) -> "Seen":
        """From an entry of ``GET /containers/json``."""
        labels = texts(entry, "Labels")

        def label(name: str) -> str:
            return labels.get(LABEL + name, "")

        return Seen(
            id=entry["Id"],
            name=entry["Names"][0].lstrip("/"),
            service=label("service"),
            number=int(label("container-number") or 0),
            state=entry["State"],
            hash=label("config-hash"),
            image=entry["ImageID"],
            oneoff=label("oneoff") == "True",
        )


class World(NamedTuple):
    """What the engine has: containers of the project, names of networks and volumes, and the id of
    each image that the project names.
    """

    containers: tuple[Seen, ...] = ()
    networks: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    images: Mapping[str, str] = MappingProxyType({})


class Action(NamedTuple):
    """One step. ``verb`` says what with: ``key`` is a network's, volume's or service's."""

    verb: str
    key: str
    number: int = 0
    name: str = ""
    id: str = ""


class Options(NamedTuple):
    """How ``up`` and ``create`` were asked."""

    services: tuple[str, ...] = ()
    scales: Mapping[str, int] = MappingProxyType({})
    force: bool = False
    keep: bool = False
    build: bool = False
    no_build: bool = False
    no_deps: bool = False
    start: bool = True
    pull: str = ""
    remove_orphans: bool = False


def up(project: Project, world: World, options: Options) -> list[Action]:
    """Everything for the services to be there and to run. Raises ``ComposeError``."""
    order = project.order(options.services, alone=options.no_deps)
    found = resources(project, world, order)
    for service in order:
        known = {one.name for one in found if one.verb in ("pull", "build")}
        found += [one for one in _image(project, world, service, options) if one.name not in known]
    starts: list[Action] = []
    for service in order:
        made, started = _containers(project, world, service, options)
        found += made
        if started and options.start:
            starts += _waits(project, service, order)
            starts += started
    if options.remove_orphans:
        found += [Action("remove", one.service, one.number, one.name, one.id)
                  for one in orphans(project, world)]  # fmt: skip
    return found + starts


def resources(project: Project, world: World, order: Iterable[str]) -> list[Action]:
    """Networks and volumes that the services need and that are missing."""
    found: list[Action] = []
    services = [project.services[name] for name in order]
    for key in sorted({key for tree in services for key in listed(tree, "networks")}):
        name = project.network_name(key)
        if project.networks[key].get("external"):
            if name not in world.networks:
                raise ComposeError(f"network {name} declared as external, but could not be found")
        elif name not in world.networks:
            found.append(Action("network", key, name=name))
    mounts = [one for tree in services for one in listed(tree, "volumes")]
    for key in sorted(
        {one["source"] for one in mounts if one["type"] == "volume" and one.get("source")}
    ):
        name = project.volume_name(key)
        if project.volumes[key].get("external"):
            if name not in world.volumes:
                raise ComposeError(f'external volume "{name}" not found')
        elif name not in world.volumes:
            found.append(Action("volume", key, name=name))
    return found


def _image(project: Project, world: World, service: str, options: Options) -> list[Action]:
    tree, image = project.services[service], project.image(service)
    policy = options.pull or tree.get("pull_policy") or ""
    there = image in world.images
    if tree.get("build") and (options.build or policy == "build" or not there):
        if options.no_build and not there:
            raise ComposeError(f"No such image: {image}")
        return [] if options.no_build else [Action("build", service, name=image)]
    if policy == "never" and not there:
        raise ComposeError(f"No such image: {image}")
    if tree.get("build") or (there and policy != "always"):
        return []
    return [Action("pull", service, name=image)]


def _containers(
    project: Project, world: World, service: str, options: Options
) -> tuple[list[Action], list[Action]]:
    """What makes the service's containers, and what starts them."""
    tree = project.services[service]
    wanted = options.scales.get(service, scale(tree))
    if tree.get("container_name") and wanted > 1:
        raise ComposeError(
            f'WARNING: The "{service}" service is using the custom container name'
            f' "{tree["container_name"]}". Docker requires each container to have a unique name.'
            " Remove the custom name to scale the service"
        )
    there = sorted(
        (one for one in world.containers if one.service == service and not one.oneoff),
        key=lambda one: one.number,
    )
    made: list[Action] = []
    started: list[Action] = []
    for one in there[wanted:]:
        made += [Action("stop", service, one.number, one.name, one.id),
                 Action("remove", service, one.number, one.name, one.id)]  # fmt: skip
    for one in there[:wanted]:
        act = (service, one.number, one.name, one.id)
        if not options.keep and (options.force or _differs(project, world, one)):
            made.append(Action("recreate", *act))
            started.append(Action("start", *act[:3]))
        elif one.state == "running":
            made.append(Action("running", *act))
        else:
            started.append(Action("start", *act))
    numbers = {one.number for one in there[:wanted]}
    free = (number for number in range(1, wanted + len(numbers) + 1) if number not in numbers)
    for number in [next(free) for _ in range(wanted - len(there[:wanted]))]:
        name = project.container_name(service, number)
        made.append(Action("create", service, number, name))
        started.append(Action("start", service, number, name))
    return made, started


def _differs(project: Project, world: World, one: Seen) -> bool:
    """Whether a container is not what the project says now: configuration or image."""
    image = world.images.get(project.image(one.service), one.image)
    return one.hash != digest(project.services[one.service]) or image != one.image


def _waits(project: Project, service: str, order: list[str]) -> list[Action]:
    """What it waits for before it starts: dependencies with a condition on them."""
    return [
        Action("healthy" if how["condition"] == "service_healthy" else "completed", name)
        for name, how in dependencies(project.services[service]).items()
        if name in order and how["condition"] != "service_started"
    ]


def orphans(project: Project, world: World) -> list[Seen]:
    """Containers of the project whose service the files no longer have."""
    known = {*project.services, *project.off}
    return [one for one in world.containers if one.service not in known and not one.oneoff]


def down(
    project: Project, world: World, *, volumes: bool = False, remove_orphans: bool = False
) -> list[Action]:
    """Everything ended and taken away, who depends first; with ``volumes`` those too."""
    last_first = project.order()[::-1]
    ranked = {name: at for at, name in enumerate(last_first)}
    gone = [one for one in world.containers if one.service in ranked or one.oneoff
            or one.service in project.off or remove_orphans]  # fmt: skip
    gone.sort(key=lambda one: (ranked.get(one.service, -1), one.number))
    found: list[Action] = []
    for one in gone:
        act = (one.service, one.number, one.name, one.id)
        found += [Action("stop", *act), Action("remove", *act)]
    if volumes:
        for key, tree in sorted(project.volumes.items()):
            if not tree.get("external") and tree["name"] in world.volumes:
                found.append(Action("no-volume", key, name=tree["name"]))
    for key, tree in sorted(project.networks.items()):
        if not tree.get("external") and tree["name"] in world.networks:
            found.append(Action("no-network", key, name=tree["name"]))
    return found
