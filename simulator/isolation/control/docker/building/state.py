"""What a build knows: its options, its arguments, and the stage it is at."""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from simulator.isolation.control.docker.api.errors import ApiError
from simulator.isolation.control.docker.images.store import Image
from simulator.isolation.control.docker.wire.exchange import Exchange

SHELL = ["/bin/sh", "-c"]
BUILTIN = frozenset(
    name
    for word in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (word, word.lower())
)
"""Arguments that every build takes without an ARG (``BuildArgs.builtinAllowedBuildArgs``)."""


class BuildFailed(ApiError):
    """A RUN that ended with a status of its own."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Options:
    """The query of ``POST /build``."""

    tags: tuple[str, ...] = ()
    dockerfile: str = "Dockerfile"
    target: str = ""
    arguments: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    labels: dict[str, str] = field(default_factory=dict[str, str])
    no_cache: bool = False
    pull: bool = False
    remove: bool = True
    force_remove: bool = False
    quiet: bool = False
    network: str = "default"
    platform: str = ""
    memory: int = 0
    host: dict[str, Any] = field(default_factory=dict[str, Any])
    """More of the HostConfig of what RUN starts."""


class Arguments:
    """Build arguments: what the client gave, what was declared before FROM and in this stage."""

    def __init__(self, given: dict[str, str | None]) -> None:
        self.given = given
        self.meta: dict[str, str | None] = {}
        self.declared: dict[str, str | None] = {}
        self.used: set[str] = set()

    def declare(self, name: str, default: str | None, *, meta: bool = False) -> None:
        """ARG in a stage, or before the first one."""
        self.used.add(name)
        if meta:
            self.meta[name] = default
        else:
            self.declared[name] = default if default is not None else self.meta.get(name)

    def begin_stage(self) -> None:
        """Every stage declares its own."""
        self.declared = {}

    def meta_values(self) -> dict[str, str]:
        """What a FROM may use."""
        return {
            name: value
            for name, default in self.meta.items()
            if (value := self.given.get(name, default)) is not None
        }

    def values(self) -> dict[str, str]:
        """What instructions of this stage may use."""
        found: dict[str, str] = {}
        for name in BUILTIN & self.given.keys():
            value = self.given[name]
            if value is not None:
                found[name] = value
        for name, default in self.declared.items():
            value = self.given.get(name, default)
            if value is not None:
                found[name] = value
        return found

    def saved(self, values: dict[str, str]) -> dict[str, str]:
        """Those that the cache looks at: proxies only when an ARG names them."""
        return {name: value for name, value in sorted(values.items())
                if name not in BUILTIN or name in self.declared}  # fmt: skip

    def unused(self) -> list[str]:
        """Given, and wanted by no ARG."""
        return sorted(set(self.given) - self.used - BUILTIN)


@dataclass
class StageState:
    """A stage in progress. ``config`` is what its image would start with."""

    config: dict[str, Any] = field(default_factory=dict[str, Any])
    image: Image | None = None
    cmd_set: bool = False
    maintainer: str = ""
    cache_missed: bool = False
    platform: str = ""

    @property
    def id(self) -> str:
        """The image so far; empty on ``scratch``."""
        return self.image.id if self.image is not None else ""

    @property
    def shell(self) -> list[str]:
        """What runs a line."""
        return self.config.get("Shell") or SHELL

    @property
    def env(self) -> dict[str, str]:
        """ENV so far."""
        pairs: list[str] = self.config.get("Env") or []
        return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}

    def adopt(self, image: Image | None) -> None:
        """Go on from an image."""
        self.image = image
        self.config["Image"] = self.id

    def begin(self, image: Image | None) -> None:
        """FROM."""
        self.image = image
        self.config = deepcopy(image.run_config) if image is not None else {}
        self.config["Image"] = self.id
        for name in ("Hostname", "Domainname"):
            self.config.pop(name, None)
        env: list[str] = self.config.get("Env") or []
        if not any(pair.startswith("PATH=") for pair in env):
            path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            self.config["Env"] = [path, *env]


class Build:
    """One build: the request, the options, and what is shared between its stages."""

    def __init__(self, x: Exchange, options: Options, escape: str) -> None:
        self.x = x
        self.sys = x.sys
        self.engine = x.engine
        self.options = options
        self.escape = escape
        self.arguments = Arguments(options.arguments)
        self.stage = StageState()
        self.containers: list[str] = []
        """Intermediate containers that are there now."""
        self.mounted: list[str] = []
        self.unsaid: list[str] = []
        """What ``-q`` holds back, until it fails."""
        self.cancelled = False
        """Whether nobody waits for it any more."""

    async def say(self, text: str, *, error: bool = False) -> None:
        """A piece of what is printed (``streamformatter.StdoutFormatter``)."""
        if self.cancelled:
            return
        if error:
            text = f"\x1b[91m{text}\x1b[0m"
        if self.options.quiet:
            self.unsaid.append(text)
        else:
            await self.x.line({"stream": text})

    async def say_all(self) -> None:
        """What was held back, for it has failed (moby ``router/build``)."""
        for text in self.unsaid:
            await self.x.line({"stream": text})

    def variables(self) -> dict[str, str]:
        """What ``$NAME`` stands for: ENV over ARG."""
        return {**self.arguments.values(), **self.stage.env}
