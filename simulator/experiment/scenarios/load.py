"""Finding and loading scenarios, worlds and their words.

They are data beside the package: ``scenarios/`` in a source tree, ``simulator/data/scenarios`` in
an installed wheel. A person may also name a file of their own.
"""

import difflib
import functools
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec

from simulator.experiment.probes.language import ProgramError, parse
from simulator.experiment.probes.oracles import ORACLES
from simulator.experiment.probes.world import World
from simulator.experiment.scenarios.schema import (
    DEMONSTRATIONS,
    FORMAT,
    GROUPS,
    REQUIREMENTS,
    RESOURCES,
    Scenario,
    ScenarioFile,
    Words,
)
from simulator.experiment.scenarios.structure import (
    Mistake,
    ScenarioError,
    read_table,
    structure,
)
from simulator.machine.abi import i18n
from simulator.machine.abi.i18n import gettext as _

DEFAULT_WORLD = "default"


class _Strings(msgspec.Struct, frozen=True):
    """A strings file under one key, so that its tables are checked like any other."""

    words: dict[str, Words]


_NOT_SCENARIOS = ("worlds", "strings", "evidence")
_ID = re.compile(r"[a-z0-9]+\.[a-z0-9]+(-[a-z0-9]+)*")
_WORLD_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TECHNOLOGY = re.compile(r"[a-z][a-z0-9_-]*(@[0-9][0-9a-z.]*)?( [-_a-zA-Z0-9=.:,/]+)*")
"""A SPEC: a name, perhaps an era and options; whether these exist is the registry's to say."""


def data_root() -> Traversable:
    """Where the scenarios that come with Vitrina are."""
    tree = Path(__file__).resolve().parents[3] / "scenarios"
    if tree.is_dir():
        return tree
    return files("simulator") / "data" / "scenarios"


def scenario_files() -> Iterator[tuple[str, Traversable]]:
    """Every scenario file that comes with Vitrina: its short name and where it is, sorted."""
    for group in sorted(data_root().iterdir(), key=lambda item: item.name):
        if not group.is_dir() or group.name in _NOT_SCENARIOS:
            continue
        for file in sorted(group.iterdir(), key=lambda item: item.name):
            if file.name.endswith(".toml"):
                yield f"scenarios/{group.name}/{file.name}", file


def listed() -> tuple[tuple[str, str], ...]:
    """Group and id of every scenario that comes with Vitrina, in order; no file is read.

    A scenario's place says its id, and the linter sees to it.
    """
    found = [name.removesuffix(".toml").split("/")[1:] for name, _file in scenario_files()]
    order = (*GROUPS, *DEMONSTRATIONS)
    named = [(group, f"{group}.{stem}") for group, stem in found if group in order]
    return tuple(sorted(named, key=lambda item: (order.index(item[0]), item[1])))


def load_all() -> tuple[Scenario, ...]:
    """Every scenario that asks something, by group and id. Raise ``ScenarioError``."""
    return tuple(one for one in load_every() if not one.demonstrates)


def load_demonstrations() -> tuple[Scenario, ...]:
    """Every scenario that only shows something. Raise ``ScenarioError``."""
    return tuple(one for one in load_every() if one.demonstrates)


@functools.cache
def load_every() -> tuple[Scenario, ...]:
    """Both, by group and id. Raise ``ScenarioError`` with the mistakes of all files."""
    scenarios: list[Scenario] = []
    mistakes: list[Mistake] = []
    for name, file in scenario_files():
        try:
            scenarios.append(load(file, name))
        except ScenarioError as error:
            mistakes.extend(error.mistakes)
    mistakes.extend(_duplicates(scenarios))
    if mistakes:
        raise ScenarioError(mistakes)
    order = (*GROUPS, *DEMONSTRATIONS)
    return tuple(sorted(scenarios, key=lambda item: (order.index(item.group), item.id)))


def find(name: str) -> Scenario:
    """The scenario called ``name`` (``fs.chroot-escape``, ``fs/chroot-escape``) or in that file."""
    wanted = name.removesuffix(".toml").replace("/", ".").removeprefix("scenarios.")
    known = [identity for _group, identity in listed()]
    if wanted in known:
        return _shipped(wanted)
    is_path = name.endswith(".toml") or "/" in name or "\\" in name
    cutoff = 0.8 if is_path else 0.5
    near = difflib.get_close_matches(wanted[:80], known, n=1, cutoff=cutoff)
    if is_path and (not near or Path(name).is_absolute() or Path(name).exists()):
        return load(Path(name), name)
    hint = (
        _("did you mean {near}?").format(near=near[0])
        if near
        else _("'vitrina list scenarios' lists them")
    )
    message = _("no such scenario; {hint}").format(hint=hint)
    raise ScenarioError([Mistake(file=name, message=message)])


@functools.cache
def _shipped(identity: str) -> Scenario:
    """The one of that id among those that come with Vitrina: only its own file is read."""
    group, _, stem = identity.partition(".")
    return load(data_root() / group / f"{stem}.toml", f"scenarios/{group}/{stem}.toml")


def load(path: Path | Traversable, name: str = "") -> Scenario:
    """The scenario in file ``path``. Raise ``ScenarioError`` with all its mistakes."""
    name = name or str(path)
    raw = structure(read_table(path, name), ScenarioFile, name)
    mistakes = [Mistake(file=name, place=place, message=message) for place, message in _wrong(raw)]
    try:
        program = parse(raw.program)
    except ProgramError as error:
        raise ScenarioError(
            [*mistakes, Mistake(file=name, place="program", message=str(error))]
        ) from None
    if not program.steps:
        mistakes.append(Mistake(file=name, place="program", message=_("has no step")))
    if mistakes:
        raise ScenarioError(mistakes)
    return Scenario(
        id=raw.id,
        group=raw.group,
        world=raw.world,
        hosts=raw.hosts,
        asks=raw.asks,
        resource=raw.resource,
        requires=raw.requires,
        program=program,
        text=raw.program.strip("\n"),
        claims=raw.claim,
        path=name,
    )


def _wrong(raw: ScenarioFile) -> Iterator[tuple[str, str]]:
    if raw.format != FORMAT:
        yield "format", _("must be {format}").format(format=FORMAT)
    if not _ID.fullmatch(raw.id) or not raw.id.startswith(f"{raw.group}."):
        yield "id", _("must be '{group}.' and words of a-z, 0-9 and '-'").format(group=raw.group)
    yield from _not_among("group", raw.group, (*GROUPS, *DEMONSTRATIONS))
    yield from _not_among("asks", raw.asks, ("",) if raw.group in DEMONSTRATIONS else (*ORACLES,))
    for index, word in enumerate(raw.requires):
        yield from _not_among(f"requires[{index}]", word, REQUIREMENTS)
    for world in (raw.world, *raw.hosts):
        if not _WORLD_ID.fullmatch(world) or not _world_file(world).is_file():
            yield "world", _("no such world: {world}").format(world=world)
    if raw.asks == "budget":
        yield from _not_among("resource", raw.resource, RESOURCES)
    elif raw.resource:
        yield "resource", _("only a budget probe asks about a resource")
    yield from _wrong_claims(raw)


def _wrong_claims(raw: ScenarioFile) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for index, claim in enumerate(raw.claim):
        if not _TECHNOLOGY.fullmatch(claim.technology):
            yield f"claim[{index}].technology", _("must be a technology's name")
        if claim.technology in seen:
            yield f"claim[{index}].technology", _("a second claim about the same technology")
        seen.add(claim.technology)
        if not claim.source.strip():
            yield f"claim[{index}].source", _("a claim needs its source")


def _not_among(place: str, value: str, allowed: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if value not in allowed:
        yield (
            place,
            _("{value!r} is not one of {allowed}").format(
                value=value[:40], allowed=", ".join(allowed)
            ),
        )


def _duplicates(scenarios: list[Scenario]) -> Iterator[Mistake]:
    first: dict[str, str] = {}
    for scenario in scenarios:
        if scenario.id in first:
            message = _("{file} has the same id").format(file=first[scenario.id])
            yield Mistake(file=scenario.path, place="id", message=message)
        first.setdefault(scenario.id, scenario.path)


def _world_file(name: str) -> Traversable:
    return data_root() / "worlds" / f"{name}.toml"


@functools.cache
def load_world(name: str = DEFAULT_WORLD) -> World:
    """The world called ``name``. Raise ``ScenarioError`` with all its mistakes."""
    shown = f"scenarios/worlds/{name[:80]}.toml"
    if not _WORLD_ID.fullmatch(name) or not _world_file(name).is_file():
        raise ScenarioError([Mistake(file=shown, message=_("no such world"))])
    return structure(_extended(name, ()), World, shown)


def _extended(name: str, above: tuple[str, ...]) -> dict[str, Any]:
    """A world's table; what it does not say is as in the one that it ``extends``."""
    shown = f"scenarios/worlds/{name[:80]}.toml"
    table = read_table(_world_file(name), shown)
    base = table.pop("extends", None)
    if base is None:
        return table
    known = isinstance(base, str) and _WORLD_ID.fullmatch(base) and _world_file(base).is_file()
    if not known or base in (name, *above):
        mistake = Mistake(file=shown, place="extends", message=_("no such world"))
        raise ScenarioError([mistake])
    return _extended(base, (name, *above)) | table


@functools.cache
def load_words(language: str) -> Mapping[str, Words]:
    """What people read about each scenario (by id) and group (``group.<name>``)."""
    shown = f"scenarios/strings/{language}.toml"
    table = read_table(data_root() / "strings" / f"{language}.toml", shown)
    return structure({"words": table}, _Strings, shown).words


def words(scenario_id: str, language: str | None = None) -> Words:
    """Title, question and reason of a scenario, in ``language`` or the one now spoken."""
    spoken = language or i18n.language()
    told = load_words(spoken if spoken in i18n.LANGUAGES else "en")
    return told.get(scenario_id) or Words(title=scenario_id, asks="", why="")
