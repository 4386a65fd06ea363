"""Programs that a search once found the two sides to differ on, and a short search of its own."""

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings

from simulator.cli.main import run
from simulator.cli.real import machine_facts
from simulator.experiment.engine.executor import open_session
from simulator.experiment.engine.session import SimSession
from simulator.experiment.probes.language import parse
from simulator.experiment.real import pool
from simulator.experiment.real.agent.calls import known
from simulator.experiment.real.generate import SUBJECTS, numbered, programs, templates
from simulator.experiment.real.search import (
    Opening,
    Pair,
    Search,
    Sides,
    differing,
    fewest,
    keep,
    sides,
)
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from tests.real.conftest import requires_spec


def kept() -> Iterator[tuple[str, str, str]]:
    """Name, SPEC and text of each program."""
    for path in sorted((Path(__file__).parent / "regressions").glob("*.probe")):
        first, _, text = path.read_text().partition("\n")
        yield path.name, first.removeprefix("# spec: "), text


KEPT = tuple(kept())


def opening(spec: str) -> SimSession:
    return open_session(load_world(), parse_spec(spec), machine_facts())


def both(model: Opening = opening) -> Sides:
    return sides(model, load_world())


@pytest.mark.real
@pytest.mark.parametrize("spec", sorted({spec for _name, spec, _text in KEPT}))
def test_what_was_once_found_agrees_now(spec: str) -> None:
    """One after another in a sandbox; what differs is looked at again on a machine of its own."""
    requires_spec(spec)
    pair = Pair(both(), spec, fresh=False)
    try:
        for number, (name, _spec, text) in enumerate(one for one in KEPT if one[1] == spec):
            if any(row.kind == "unexplained" for row in pair.go(numbered(text, number))):
                assert differing(both(), spec, text) == [], name
    finally:
        pair.close()


@pytest.mark.real
def test_a_wrong_model_is_found_and_shrunk(tmp_path: Path) -> None:
    """A model of a machine whose guest is an ordinary user, beside a real guest that is root."""
    requires_spec("none")
    search = Search(both(lambda _spec: opening("none --userspec=1000:1000")))
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


@pytest.mark.real
def test_ctrl_c_ends_a_search_behind_the_program_that_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    requires_spec("none")
    asked: list[str] = []

    def interrupted(search: Search, spec: str, *_args: object, **_options: object) -> None:
        asked.append(spec)
        signal.raise_signal(signal.SIGINT)
        assert search.over(time.monotonic() + 60)

    monkeypatch.setattr(Search, "search", interrupted)
    before = signal.getsignal(signal.SIGINT)
    assert run(["search", "none", "chroot", "-o", str(tmp_path)]) == 130
    assert asked == ["none"]
    assert capsys.readouterr().out == "0 programs, 0 calls, 0 disagreements\n"
    assert signal.getsignal(signal.SIGINT) == before
