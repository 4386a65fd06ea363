"""The comments of programs in the language now spoken.

A program is written once, with English comments; ``scenarios/strings/comments.es.toml`` says each
of them in Spanish. What it does not have, as in a scenario from elsewhere, stays as it is.
"""

import functools
from collections.abc import Iterator, Mapping

from simulator.experiment.probes.language import parse
from simulator.experiment.probes.program import Program
from simulator.experiment.scenarios.load import data_root, load_every, read_table
from simulator.experiment.scenarios.moments import load_moments
from simulator.experiment.scenarios.structure import Mistake, ScenarioError, structure
from simulator.machine.abi import i18n
from simulator.machine.abi.i18n import gettext as _

SHOWN = "scenarios/strings/comments.es.toml"


@functools.cache
def spanish() -> Mapping[str, str]:
    """Every comment's Spanish by its English. Raises ``ScenarioError``."""
    table = read_table(data_root() / "strings" / "comments.es.toml", SHOWN)
    return structure(table, dict[str, str], SHOWN)


def told(comment: str) -> str:
    """One comment."""
    return spanish().get(comment, comment) if i18n.language() == "es" else comment


def told_line(line: str, comment: str) -> str:
    """A program's line, which ends with ``comment`` if that isn't empty."""
    return line.removesuffix(comment) + told(comment)


def told_text(text: str) -> str:
    """The text of a whole program."""
    if i18n.language() != "es":
        return text
    comments = _of(parse(text))
    lines = text.splitlines()
    for number, line in enumerate(lines):
        comment = next((one for one in comments if line.endswith(f"# {one}")), "")
        lines[number] = told_line(line, comment)
    return "\n".join(lines)


def check_comments() -> Iterator[Mistake]:
    """What is missing or left over, given all programs that come with Vitrina."""
    try:
        known = spanish()
        programs = [scenario.program for scenario in load_every()]
        programs += [parse(moment.program) for moment in load_moments() if moment.program]
    except ScenarioError as error:
        yield from error.mistakes
        return
    used = {comment for program in programs for comment in _of(program)}
    for comment in sorted(used - known.keys()):
        yield Mistake(file=SHOWN, place=repr(comment), message=_("missing"))
    for comment in sorted(known.keys() - used):
        yield Mistake(file=SHOWN, place=repr(comment), message=_("no program has this comment"))


def _of(program: Program) -> set[str]:
    return {*program.comments, *(step.comment for step in program.steps)} - {""}
