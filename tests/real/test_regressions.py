"""Programs that a search once found the two sides to differ on, and a short search of its own."""

import re
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings

from simulator.cli.real import machine_facts
from simulator.experiment.engine.executor import open_session
from simulator.experiment.engine.session import SimSession
from simulator.experiment.probes.language import parse
from simulator.experiment.real import pool
from simulator.experiment.real.agent.calls import known
from simulator.experiment.real.generate import SUBJECTS, numbered, programs, templates
from simulator.experiment.real.search import Search, differing, fewest, job, keep
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from tests.real.conftest import requires_spec

KEPT = sorted((Path(__file__).parent / "regressions").glob("*.probe"))


def opening(spec: str) -> SimSession:
    return open_session(load_world(), parse_spec(spec), machine_facts())


@pytest.mark.real
def test_what_was_once_found_agrees_now() -> None:
    """One chain for each SPEC; on a difference ``vitrina search`` tells which program it was."""
    with pool.keep():
        for path in KEPT:
            first, _, text = path.read_text().partition("\n")
            spec = first.removeprefix("# spec: ")
            requires_spec(spec)
            assert differing(job(), opening, spec, text) == [], path.name


@pytest.mark.real
def test_a_wrong_model_is_found_and_shrunk(tmp_path: Path) -> None:
    """A model of a machine whose guest is an ordinary user, beside a real guest that is root."""
    requires_spec("none")
    search = Search(lambda _spec: opening("none --userspec=1000:1000"), job())
    with pool.keep():
        found = search.search("none", ("identity",), 60, 3, first=True)
    assert len(found) == 1
    assert len(found[0].text.splitlines()) <= 8
    assert keep(tmp_path, found[0]).read_text().startswith("# spec: none\n")


def test_shrinking_leaves_the_lines_that_matter() -> None:
    lines = [str(number) for number in range(40)]
    assert fewest(lines, lambda some: {"3", "31"} <= set(some)) == ["3", "31"]


@settings(max_examples=60, database=None, phases=(Phase.generate,))
@given(programs(SUBJECTS))
def test_what_is_drawn_is_in_the_probe_language(text: str) -> None:
    for number in (0, 7):
        assert len(parse(numbered(text, number)).steps) >= 8


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_call_that_is_drawn_is_one_that_an_actor_makes(subject: str) -> None:
    calls = {
        re.sub(r"^.* = |\(.*", "", call) for one in templates(subject) for call in one.split("; ")
    }
    assert calls
    assert not [call for call in calls if not known(call)]
