"""The author's linter for scenarios: what a file alone can't show."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from simulator.experiment.probes.observe import ATTACKER, VICTIM
from simulator.experiment.probes.program import Program, lineage, names_in
from simulator.experiment.scenarios.load import (
    data_root,
    load,
    load_words,
    load_world,
    scenario_files,
)
from simulator.experiment.scenarios.schema import DEMONSTRATIONS, GROUPS, Scenario, Words
from simulator.experiment.scenarios.structure import Mistake, ScenarioError
from simulator.machine.abi.i18n import LANGUAGES
from simulator.machine.abi.i18n import gettext as _


def check(paths: Iterable[Path] = ()) -> tuple[Mistake, ...]:
    """Every mistake in the scenario files ``paths``, or in all that come with Vitrina."""
    named = [(str(path), path) for path in paths]
    scenarios: list[Scenario] = []
    mistakes: list[Mistake] = []
    for name, path in named or list(scenario_files()):
        try:
            scenario = load(path, name)
        except ScenarioError as error:
            mistakes.extend(error.mistakes)
            continue
        scenarios.append(scenario)
        mistakes.extend(_check_one(scenario))
    if not named:
        mistakes.extend(_check_files(scenarios))
        mistakes.extend(_check_worlds())
        mistakes.extend(_check_words({scenario.id for scenario in scenarios}))
    return tuple(mistakes)


def _check_one(scenario: Scenario) -> Iterator[Mistake]:
    if scenario.demonstrates:
        return
    program = scenario.program
    attackers = lineage(program, ATTACKER)
    if not any(step.actor in attackers for step in program.steps):
        yield _at(scenario, "program", _("the guest makes no call: nothing is asked of it"))
    if scenario.asks == "interference":
        yield from _check_interference(scenario, program, attackers)
    if scenario.claimed("none") is None:
        yield _at(scenario, "claim", _("no claim for 'none', where every probe must leak"))


def _check_interference(
    scenario: Scenario, program: Program, attackers: frozenset[str]
) -> Iterator[Mistake]:
    victims = lineage(program, VICTIM)
    if not any(step.actor in victims for step in program.steps):
        yield _at(scenario, "program", _("interference needs steps of the neighbour"))
    lost = {name for step in program.steps if step.actor in attackers for name in step.binds}
    for step in program.steps:
        used = {name for arg in step.args for name in names_in(arg)} & lost
        if step.actor not in attackers and used:
            message = _("line {line} uses {name}, which only the guest's steps bind")
            yield _at(scenario, "program", message.format(line=step.line, name=sorted(used)[0]))


def _check_files(scenarios: list[Scenario]) -> Iterator[Mistake]:
    first: dict[str, str] = {}
    for scenario in scenarios:
        if scenario.id in first:
            message = _("{file} has the same id").format(file=first[scenario.id])
            yield _at(scenario, "id", message)
        first.setdefault(scenario.id, scenario.path)
        expected = f"scenarios/{scenario.id.replace('.', '/', 1)}.toml"
        if scenario.path != expected:
            yield _at(scenario, "id", _("belongs into {file}").format(file=expected))


def _check_worlds() -> Iterator[Mistake]:
    for file in sorted((data_root() / "worlds").iterdir(), key=lambda item: item.name):
        name = file.name.removesuffix(".toml")
        shown = f"scenarios/worlds/{file.name}"
        try:
            world = load_world(name)
        except ScenarioError as error:
            yield from error.mistakes
            continue
        if world.id != name:
            yield Mistake(file=shown, place="id", message=_("must be the file's name"))
        if not any("a" <= char <= "z" for char in world.secret):
            message = _("needs small letters: a twin world is made by changing them")
            yield Mistake(file=shown, place="secret", message=message)


def _check_words(ids: set[str]) -> Iterator[Mistake]:
    wanted = ids | {f"group.{group}" for group in (*GROUPS, *DEMONSTRATIONS)}
    for language in LANGUAGES:
        shown = f"scenarios/strings/{language}.toml"
        try:
            told = load_words(language)
        except ScenarioError as error:
            yield from error.mistakes
            continue
        for name in sorted(wanted - told.keys()):
            yield Mistake(file=shown, place=name, message=_("missing"))
        for name in sorted(told.keys() - wanted):
            yield Mistake(file=shown, place=name, message=_("names no scenario"))
        for name, words in sorted(told.items()):
            yield from _empty(shown, name, words)


def _empty(shown: str, name: str, words: Words) -> Iterator[Mistake]:
    for place, text in (("title", words.title), ("asks", words.asks), ("why", words.why)):
        if not text.strip():
            yield Mistake(file=shown, place=f"{name}.{place}", message=_("is empty"))


def _at(scenario: Scenario, place: str, message: str) -> Mistake:
    return Mistake(file=scenario.path, place=place, message=message)
