"""A project: services, networks, volumes in their canonical forms, and who depends on whom."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import msgspec
import networkx as nx

from simulator.isolation.control.docker.compose.errors import ComposeError, Invalid
from simulator.isolation.control.docker.compose.tree import Tree, listed, part

LABEL = "com.docker.compose."
VERSION = "2.32.4"
_NOT_HASHED = ("build", "scale", "depends_on", "profiles", "pull_policy")


class Project(msgspec.Struct):
    """``services`` are those that take part; ``off`` those whose profile is not asked for."""

    name: str
    directory: str
    files: tuple[str, ...]
    services: dict[str, Tree]
    networks: dict[str, Tree] = {}
    volumes: dict[str, Tree] = {}
    secrets: dict[str, Tree] = {}
    configs: dict[str, Tree] = {}
    off: dict[str, Tree] = {}
    extensions: dict[str, Any] = {}
    """The file's own ``x-`` keys, which ``config`` prints."""

    def graph(self) -> "nx.DiGraph[str]":
        """An edge from what is depended upon to who depends on it. Raises ``Invalid``."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        for name, tree in self.services.items():
            graph.add_node(name)
            for other, how in dependencies(tree).items():
                if other in self.services:
                    graph.add_edge(other, name)
                elif how["required"] and other not in self.off:
                    raise Invalid(
                        f'service "{name}" depends on undefined service "{other}": invalid compose'
                        " project"
                    )
                elif how["required"]:
                    raise Invalid(
                        f"service {other} is required by {name} but is disabled. Can be enabled by"
                        f" profiles [{' '.join(self.off[other].get('profiles', []))}]"
                    )
        library: Any = nx
        try:
            circle: list[str] = [edge[0] for edge in library.find_cycle(graph)]
        except nx.NetworkXNoCycle:
            return graph
        circle = [*reversed(circle), circle[-1]]
        raise Invalid(f"dependency cycle detected: {' -> '.join(circle)}: invalid compose project")

    def order(self, wanted: Iterable[str] = (), *, alone: bool = False) -> list[str]:
        """Services, each after what it depends on; ``wanted`` with theirs, or all.

        Raises ``ComposeError`` for one that is not there.
        """
        graph = self.graph()
        library: Any = nx
        names = set(wanted)
        for name in sorted(names):
            if name not in self.services:
                raise ComposeError(f"no such service: {name}")
        chosen: set[str] = set(names) if names else set(self.services)
        if not alone:
            for name in names:
                chosen |= library.ancestors(graph, name)
        return [one for one in nx.lexicographical_topological_sort(graph) if one in chosen]

    def network_name(self, key: str) -> str:
        """The engine's name for a network of the project."""
        return str(self.networks.get(key, {}).get("name") or f"{self.name}_{key}")

    def volume_name(self, key: str) -> str:
        """The engine's name for a volume of the project."""
        return str(self.volumes.get(key, {}).get("name") or f"{self.name}_{key}")

    def image(self, service: str) -> str:
        """The image that a service runs."""
        return str(self.services[service].get("image") or f"{self.name}-{service}")

    def container_name(self, service: str, number: int) -> str:
        """What its containers are called."""
        own = self.services[service].get("container_name")
        return str(own or f"{self.name}-{service}-{number}")

    def labels(self) -> dict[str, str]:
        """What everything of the project is labelled with."""
        return {f"{LABEL}project": self.name, f"{LABEL}version": VERSION}


def dependencies(tree: Tree) -> dict[str, Tree]:
    """What a service depends on, said or implied (``links``, ``network_mode: service:x`` ...)."""
    started: Tree = {"condition": "service_started", "required": True}
    found: dict[str, Tree] = {}
    for link in listed(tree, "links"):
        found[link.partition(":")[0]] = started
    for key in ("network_mode", "ipc", "pid"):
        kind, _, name = str(tree.get(key) or "").partition(":")
        if kind == "service":
            found[name] = started
    for text in listed(tree, "volumes_from"):
        if not text.startswith("container:"):
            found[text.partition(":")[0]] = started
    return found | part(tree, "depends_on")


def scale(tree: Tree) -> int:
    """How many containers a service has."""
    deploy = part(tree, "deploy")
    wanted = tree.get("scale")
    return int(wanted if wanted is not None else deploy.get("replicas", 1))


def digest(tree: Tree) -> str:
    """The hash by which a changed service is known (compose ``ServiceHash``)."""
    kept = {key: value for key, value in tree.items() if key not in _NOT_HASHED}
    if kept.get("deploy"):
        kept["deploy"] = {k: v for k, v in kept["deploy"].items() if k != "replicas"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()
