"""``compose config``: the project as it was understood, or one list of it."""

import posixpath
import re
from typing import Any

import msgspec

from simulator.isolation.control.docker.client.flags import Flag, Parsed
from simulator.isolation.control.docker.client.tables import table
from simulator.isolation.control.docker.compose import printing
from simulator.isolation.control.docker.compose.errors import ComposeError
from simulator.isolation.control.docker.compose.main import Sitting, Table
from simulator.isolation.control.docker.compose.project import Project, digest
from simulator.isolation.control.docker.compose.tree import listed
from simulator.isolation.control.docker.images.tarball import Entry, made
from simulator.machine.abi.constants import S_IFREG

_VARIABLE = re.compile(
    r"\$(?:\$|(?P<named>[_a-zA-Z]\w*)|\{(?P<braced>[_a-zA-Z]\w*)(?P<rest>[^}]*)\})"
)
_LISTS = ("services", "volumes", "networks", "images", "profiles")


async def config(sitting: Sitting, given: Parsed) -> int:
    """The project as it was understood."""
    form = given.text("format", "yaml")
    if form not in ("yaml", "json"):
        raise ComposeError(f'unsupported format "{form}"')
    if given.on("variables"):
        await sitting.out(_variables(await sitting.model()))
        return 0
    if given.on("no-interpolate") and not any(given.on(name) for name in _LISTS):
        await _written(sitting, given, await sitting.model(), form, plain=True)
        return 0
    hashed = bool(given.text("hash"))
    project = await sitting.project(tuple(given.words), as_written=not hashed)
    if given.on("quiet"):
        return 0
    for name in _LISTS:
        if given.on(name):
            await sitting.out("".join(f"{one}\n" for one in _listed(project, name)))
            return 0
    if given.on("environment"):
        pairs = (f"{key}={value}" for key, value in sorted(sitting.env.items()))
        await sitting.out("".join(f"{pair}\n" for pair in pairs))
        return 0
    if hashed:
        await sitting.out(_hashes(project, given.text("hash")))
        return 0
    tree: dict[str, Any] = {"name": project.name, "services": project.services}
    for section in ("networks", "volumes", "secrets", "configs"):
        if getattr(project, section):
            tree[section] = getattr(project, section)
    await _written(sitting, given, tree | project.extensions, form)
    return 0


def _listed(project: Project, name: str) -> list[str]:
    every = (*project.services.values(), *project.off.values())
    match name:
        case "services":
            return project.order()
        case "volumes":
            return sorted(project.volumes)
        case "networks":
            return sorted(project.networks)
        case "images":
            return [project.image(one) for one in project.order()]
        case _:
            return sorted({profile for one in every for profile in listed(one, "profiles")})


def _hashes(project: Project, wanted: str) -> str:
    chosen = sorted(project.services) if wanted == "*" else sorted(wanted.split(","))
    for name in chosen:
        if name not in project.services:
            raise ComposeError(f"no such service: {name}")
    return "".join(f"{name} {digest(project.services[name])}\n" for name in chosen)


async def _written(
    sitting: Sitting, given: Parsed, tree: dict[str, Any], form: str, *, plain: bool = False
) -> None:
    """On standard output, or in the file of ``-o``."""
    if given.on("quiet"):
        return
    if form == "json":
        text = msgspec.json.format(msgspec.json.encode(tree)).decode() + "\n"
    else:
        text = printing.as_written(tree) if plain else printing.printed(tree)
    if not given.text("output"):
        await sitting.out(text)
        return
    place = posixpath.normpath(posixpath.join(sitting.desk.cwd, given.text("output")))
    entry = Entry(posixpath.basename(place), S_IFREG | 0o644, text.encode())
    await sitting.desk.unpack(made([entry]), posixpath.dirname(place))


def _variables(tree: Any) -> str:
    """The variables of the files with what is said of each (compose-go ``ExtractVariables``)."""
    found: dict[str, list[str]] = {}
    for text in _texts(tree):
        for one in _VARIABLE.finditer(text):
            name, rest = one["named"] or one["braced"], one["rest"] or ""
            if name is None:
                continue
            default = re.sub(r"^:?-", "", rest) if re.match(r":?-", rest) else ""
            other = re.sub(r"^:?\+", "", rest) if re.match(r":?\+", rest) else ""
            needed = "true" if re.match(r":?\?", rest) else "false"
            found.setdefault(name, [name, needed, default, other])
    titles = ["NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"]
    return table(titles, [found[name] for name in sorted(found)])


def _texts(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        return [text for one in tree.values() for text in _texts(one)]  # pyright: ignore
    if isinstance(tree, list):
        return [text for one in tree for text in _texts(one)]  # pyright: ignore
    return [tree] if isinstance(tree, str) else []


COMMANDS: dict[str, Table] = {
    "config": Table(config, {
        **{name: Flag() for name in _LISTS}, "hash": Flag("text"), "quiet": Flag(short="q"),
        "format": Flag("text"), "no-interpolate": Flag(), "no-normalize": Flag(),
        "no-path-resolution": Flag(), "no-consistency": Flag(), "no-env-resolution": Flag(),
        "resolve-image-digests": Flag(), "variables": Flag(), "environment": Flag(),
        "output": Flag("text", "o"),
    }),
}  # fmt: skip
