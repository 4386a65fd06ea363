"""From files to a project: compose-go ``loader``, ``cli``."""

import io
import posixpath
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.constructor import SafeConstructor

from simulator.isolation.control.docker.compose import interpolate, merge, normal, schema
from simulator.isolation.control.docker.compose.errors import ComposeError, Invalid
from simulator.isolation.control.docker.compose.project import Project
from simulator.isolation.control.docker.compose.tree import Tree, listed, part

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_SECTIONS = ("services", "networks", "volumes", "secrets", "configs")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")
Read = Callable[[str], Awaitable[str | None]]


class _Constructor(SafeConstructor):
    """YAML 1.2 with the specification's two tags."""


def _reset(_self: Any, _node: Any) -> Any:
    return merge.Reset()


def _override(self: Any, node: Any) -> Any:
    plain = {"sequence": "seq", "mapping": "map"}.get(node.id, "str")
    node.tag = f"tag:yaml.org,2002:{plain}"
    return merge.Override(self.construct_object(node, deep=True))


_TAGS: Any = _Constructor
_TAGS.add_constructor("!reset", _reset)
_TAGS.add_constructor("!override", _override)


def parse(text: str, file: str) -> Any:
    """The tree of a file. Raises ``Invalid`` with the line."""
    reader: Any = YAML(typ="safe", pure=True)
    reader.Constructor = _Constructor
    try:
        return reader.load(io.StringIO(text))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}:" if mark is not None else ""
        problem = str(getattr(error, "problem", None) or error).splitlines()[0]
        raise Invalid(f"{file}: yaml:{where} {problem}") from None


class Loader:
    """Reads one project. ``read`` gives a file's text, None when there is none."""

    def __init__(self, read: Read, env: Mapping[str, str], warn: interpolate.Warn) -> None:
        self.read = read
        self.env = dict(env)
        self._warn = warn
        self._warned: set[str] = set()
        self.plain = False
        """Leave variables as they are written."""

    def interpolated(self, tree: Any) -> Any:
        """A file's tree with its variables replaced."""
        return tree if self.plain else interpolate.tree(tree, self.env, self.warn)

    def warn(self, text: str) -> None:
        """Once each."""
        if text not in self._warned:
            self._warned.add(text)
            self._warn(text)

    async def project(
        self,
        files: list[str],
        directory: str,
        *,
        name: str = "",
        profiles: tuple[str, ...] = (),
        wanted: tuple[str, ...] = (),
        env_files: tuple[str, ...] = (),
    ) -> Project:
        """The project of ``files`` (absolute paths), or of what lies in ``directory`` and above.

        Services of a profile take part when it is among ``profiles`` or they are ``wanted``.
        """
        files, base, names, tree = await self._merged(files, directory, env_files)
        title = self._name(name, names, base)
        profiles = profiles or tuple(filter(None, self.env.get("COMPOSE_PROFILES", "").split(",")))
        return await self._made(tree, title, base, tuple(files), profiles, wanted)

    async def model(
        self, files: list[str], directory: str, *, name: str, env_files: tuple[str, ...]
    ) -> Tree:
        """The files as they are written, merged: nothing is interpolated (``--no-interpolate``)."""
        self.plain = True
        _files, base, names, tree = await self._merged(files, directory, env_files)
        kept = {key: value for key, value in tree.items() if value}
        return {"name": self._name(name, names, base), **kept}

    async def _merged(
        self, files: list[str], directory: str, env_files: tuple[str, ...]
    ) -> tuple[list[str], str, list[str], Tree]:
        """The files, where they are, the names that they give the project, and their tree."""
        files = files or await self._found(directory)
        base = posixpath.dirname(files[0])
        await self._dot_env(env_files or (f"{base}/.env",), required=bool(env_files))
        names: list[str] = []
        tree: Tree = {}
        for file in files:
            one = await self._file(file, base, names)
            tree = merge.merged(tree, one) if tree else one
        return files, base, names, merge.cleaned(tree)

    async def _found(self, directory: str) -> list[str]:
        place = directory
        while True:
            for name in NAMES:
                path = posixpath.join(place, name)
                if await self.read(path) is not None:
                    stem, _, ending = path.rpartition(".")
                    over = [f"{stem}.override.{one}" for one in (ending, "yml", "yaml")]
                    more = [one for one in over if await self.read(one) is not None]
                    return [path, *more[:1]]
            if place == posixpath.dirname(place):
                raise ComposeError("no configuration file provided: not found", 14)
            place = posixpath.dirname(place)

    async def _dot_env(self, paths: tuple[str, ...], *, required: bool) -> None:
        found: dict[str, str] = {}
        for path in paths:
            text = await self.read(path)
            if text is None and required:
                raise ComposeError(f"couldn't find env file: {path}")
            values = interpolate.env_file(text or "", {**found, **self.env}, self.warn)
            found |= {key: value or "" for key, value in values.items()}
        self.env = {**found, **self.env}

    def _name(self, given: str, names: list[str], base: str) -> str:
        """``-p``, COMPOSE_PROJECT_NAME, ``name:``, or the directory's own name."""
        chosen = given or self.env.get("COMPOSE_PROJECT_NAME", "") or (names[-1] if names else "")
        made = re.sub(r"[^a-z0-9_-]", "", posixpath.basename(base).lower()).lstrip("_-")
        if chosen and not _PROJECT.fullmatch(chosen):
            raise Invalid(
                f'invalid project name "{chosen}": must consist only of lowercase alphanumeric'
                " characters, hyphens, and underscores as well as start with a letter or number"
            )
        if not chosen and not made:
            raise Invalid("project name must not be empty")
        return chosen or made

    async def _file(self, file: str, base: str, names: list[str]) -> Tree:
        """One file: interpolated, validated, in long forms, with what it includes and extends."""
        text = await self.read(file)
        if text is None:
            raise ComposeError(f"open {file}: no such file or directory", 14)
        tree = parse(text, file)
        if isinstance(tree, dict) and isinstance(tree.get("name"), str):  # pyright: ignore
            names.append(interpolate.text(tree["name"], self.env, self.warn))  # pyright: ignore
            self.env["COMPOSE_PROJECT_NAME"] = self.env.get("COMPOSE_PROJECT_NAME") or names[-1]
        tree = self.interpolated(tree)
        if not self.plain:
            schema.validate(merge.cleaned(tree), file)
        if "version" in tree:
            self.warn(
                f"{file}: the attribute `version` is obsolete, it will be ignored, please remove it"
                " to avoid potential confusion"
            )
        found: Tree = {key: part(tree, key) for key in _SECTIONS}
        found |= {key: value for key, value in tree.items() if key.startswith("x-")}
        for section in ("networks", "volumes", "secrets", "configs"):
            found[section] = {key: _resource(value, base) for key, value in found[section].items()}
        for name, one in list(found["services"].items()):
            found["services"][name] = await self._service(one, name, file, base, tree)
        for entry in listed(tree, "include"):
            found = await self._included(entry, found, base)
        return found

    async def _service(self, one: Any, name: str, file: str, base: str, tree: Tree) -> Any:
        if not isinstance(one, dict):
            return one
        if self.plain:
            return dict(cast("Tree", one))
        made = normal.service(one, name, base)  # pyright: ignore[reportUnknownArgumentType]
        extends = made.pop("extends", None)
        if extends is None:
            return made
        wanted = cast("Tree", extends) if isinstance(extends, dict) else {"service": extends}
        source, other = wanted["service"], tree
        place, where = file, base
        if wanted.get("file"):
            place = normal.path(wanted["file"], base)
            where = posixpath.dirname(place)
            text = await self.read(place)
            if text is None:
                raise ComposeError(f"open {place}: no such file or directory", 14)
            other = self.interpolated(parse(text, place))
            if not self.plain:
                schema.validate(merge.cleaned(other), place)
        if source not in part(other, "services"):
            raise Invalid(
                f'cannot extend service "{name}" in {file}: service "{source}" not found in {place}'
            )
        if other is tree and source == name:
            raise Invalid(f"Circular reference with extends: {name} in {file}")
        below = await self._service(other["services"][source], source, place, where, other)
        below = {key: value for key, value in below.items() if key != "depends_on"}
        return merge.merged({"services": {name: below}}, {"services": {name: made}})["services"][
            name
        ]

    async def _included(self, entry: Any, found: Tree, base: str) -> Tree:
        """What another file brings; a name that both have is a mistake."""
        paths: Any = cast("Tree", entry)["path"] if isinstance(entry, dict) else entry
        files = [paths] if isinstance(paths, str) else cast("list[str]", list(paths))
        tree: Tree = {}
        for path in files:
            place = normal.path(path, base)
            one = await self._file(place, posixpath.dirname(place), [])
            tree = merge.merged(tree, one) if tree else one
        for section in _SECTIONS:
            for key, value in tree[section].items():
                if key in found[section] and found[section][key] != value:
                    raise Invalid(f"{section}.{key} conflicts with imported resource")
                found[section][key] = value
        return found

    async def _made(
        self,
        tree: Tree,
        name: str,
        base: str,
        files: tuple[str, ...],
        profiles: tuple[str, ...],
        wanted: tuple[str, ...],
    ) -> Project:
        services: dict[str, Tree] = {}
        off: dict[str, Tree] = {}
        for key, one in tree["services"].items():
            asked = set(listed(one, "profiles"))
            on = not asked or "*" in profiles or asked & set(profiles) or key in wanted
            (services if on else off)[key] = one
        if not tree["services"]:
            raise Invalid("empty compose file")
        for key, one in services.items():
            await self._environment(one)
            _checked(key, one, tree)
            services[key] = {k: v for k, v in one.items() if v is not None}
        project = Project(
            name, base, files, services, tree["networks"], tree["volumes"], tree["secrets"],
            tree["configs"], off, {k: v for k, v in tree.items() if k.startswith("x-")},
        )  # fmt: skip
        _complete(project)
        project.graph()
        return project

    async def _environment(self, one: Tree) -> None:
        """Env files below the environment; a key without a value has the shell's, or goes."""
        found: dict[str, str | None] = {}
        for file in one.pop("env_file", None) or ():
            text = await self.read(file["path"])
            if text is None:
                if file["required"]:
                    place = file["path"]
                    raise ComposeError(
                        f"env file {place} not found: stat {place}: no such file or directory"
                    )
                continue
            found |= interpolate.env_file(text, self.env, self.warn)
        found |= part(one, "environment")
        values = {k: v if v is not None else self.env.get(k) for k, v in found.items()}
        if found:
            one["environment"] = {key: value for key, value in values.items() if value is not None}


def _resource(value: Any, base: str) -> Tree:
    found: Tree = dict(value or {})
    if found.get("file"):
        found["file"] = normal.path(found["file"], base)
    if "labels" in found:
        found["labels"] = normal.pairs(found["labels"])
    return found


def _checked(name: str, one: Tree, tree: Tree) -> None:
    """What the schema can't say (compose-go ``validation``). Raises ``Invalid``."""
    if not one.get("image") and not one.get("build"):
        raise Invalid(
            f'service "{name}" has neither an image nor a build context specified: invalid compose'
            " project"
        )
    if one.get("network_mode") and one.get("networks"):
        raise Invalid(
            f"service {name} declares mutually exclusive `network_mode` and `networks`: invalid"
            " compose project"
        )
    for key in listed(one, "networks"):
        if key not in tree["networks"] and key != "default":
            raise Invalid(
                f'service "{name}" refers to undefined network {key}: invalid compose project'
            )
    for mount in listed(one, "volumes"):
        source = mount.get("source")
        if mount["type"] == "volume" and source and source not in tree["volumes"]:
            raise Invalid(
                f'service "{name}" refers to undefined volume {source}: invalid compose project'
            )
    for section, word in (("secrets", "secret"), ("configs", "config")):
        for used in listed(one, section):
            if used["source"] not in tree[section]:
                raise Invalid(
                    f'service "{name}" refers to undefined {word} {used["source"]}: invalid compose'
                    " project"
                )
    if one.get("container_name") and int(one.get("scale") or 1) > 1:
        raise Invalid(
            f"services.{name}: can't set container_name and {name} as container name must be unique"
        )


def _complete(project: Project) -> None:
    """The default network, and the names that the engine gets; only networks in use stay."""
    used: set[str] = set()
    for one in project.services.values():
        if not one.get("network_mode"):
            one["networks"] = one.get("networks") or {"default": None}
            used |= set(one["networks"])
    made: dict[str, Tree] = {}
    for key in sorted(used):
        tree = project.networks.get(key) or {}
        made[key] = {**tree, "name": _named(tree, project.name, key)}
    project.networks = made
    project.volumes = {
        key: {**(tree or {}), "name": _named(tree or {}, project.name, key)}
        for key, tree in project.volumes.items()
    }


def _named(tree: Tree, project: str, key: str) -> str:
    if tree.get("name"):
        return str(tree["name"])
    return key if tree.get("external") else f"{project}_{key}"
