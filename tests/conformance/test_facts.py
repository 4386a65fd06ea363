"""The whole table of facts beside the model: every cell agrees, is derived or accounted for."""

import collections
import itertools
import tomllib
from pathlib import Path

import pytest

from simulator.experiment.engine.judge import judge
from simulator.experiment.probes.verdict import Outcome
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.claims import agreement
from simulator.experiment.scenarios.load import load_all
from simulator.isolation.technologies.registry import parse_spec

TABLE = tomllib.loads(Path(__file__).with_name("facts.toml").read_text("utf-8"))
ROWS = {"A": 13, "B": 9, "C": 5, "D": 6, "E": 12, "F": 2, "G": 2, "H": 15, "I": 9, "J": 8, "K": 8}
"""How many rows each chapter of the table has."""
ASKED: dict[str, str] = TABLE["asked"]
UNASKED: dict[str, str] = TABLE["unasked"]
PROBES = {scenario.id: scenario for scenario in load_all()}


def test_every_row_is_asked_by_a_probe_or_says_why_not() -> None:
    every = {f"{chapter}{n}" for chapter, most in ROWS.items() for n in range(1, most + 1)}
    assert set(ASKED) | set(UNASKED) == every
    assert not set(ASKED) & set(UNASKED)
    assert set(ASKED.values()) <= set(PROBES)
    assert all(reason.strip() for reason in UNASKED.values())


def test_every_cell_agrees_is_derived_or_is_accounted_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Prints how many of each, for every technology and in all."""
    cells = {
        (row, column): _cell(row, column)
        for row, column in itertools.product([*ASKED, *UNASKED], TABLE["columns"])
    }
    with capsys.disabled():
        for column in TABLE["columns"]:
            _told(column, [cell for (_row, spec), cell in cells.items() if spec == column])
        _told("in all", list(cells.values()))
    assert [at for at, cell in cells.items() if cell == "disagree"] == []


def _cell(row: str, column: str) -> str:
    """How a cell stands to the model: an ``Agreement``, or ``derived`` where there is no claim."""
    if row in UNASKED or column in TABLE["lacking"].get(row, {}):
        return "not_modelled"
    spec = TABLE["limited"].get(row, {}).get(column, column)
    scenario = PROBES[ASKED[row]]
    answered = judge(question(scenario), parse_spec(spec)).outcome
    claim = scenario.claimed(spec)
    if claim is not None:
        return agreement(claim.outcome, answered).value
    return "not_modelled" if answered is Outcome.INCONCLUSIVE else "derived"


def _told(name: str, cells: list[str]) -> None:
    counts = collections.Counter(cells)
    said = ", ".join(
        f"{kind.replace('_', ' ')} {counts[kind]}"
        for kind in ("agree", "agree_in_set", "disagree", "derived", "not_modelled")
    )
    print(f"\n{name}: {said} of {len(cells)} facts", end="")
