"""Programs that a search once found the two sides to differ on, and a short search of its own."""

from pathlib import Path

import pytest

from simulator.cli.real import machine_facts
from simulator.experiment.engine.compare import traced
from simulator.experiment.probes.program import Program
from simulator.experiment.probes.trace import Trace
from simulator.experiment.real import pool
from simulator.experiment.real.generate import SUBJECTS
from simulator.experiment.real.search import Tally, differing, keep, search
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from tests.real.conftest import requires_spec

pytestmark = pytest.mark.real
KEPT = sorted((Path(__file__).parent / "regressions").glob("*.probe"))


def model(spec: str, program: Program) -> Trace:
    return traced(program, load_world(), parse_spec(spec), machine_facts())


def test_what_was_once_found_agrees_now() -> None:
    for path in KEPT:
        first, _, text = path.read_text().partition("\n")
        spec = first.removeprefix("# spec: ")
        requires_spec(spec)
        assert differing(model, spec, text, Tally()) == [], path.name


def test_a_wrong_model_is_found_and_shrunk(tmp_path: Path) -> None:
    """A model of a machine whose guest is an ordinary user, beside a real guest that is root."""
    requires_spec("none")

    def wrong(_spec: str, program: Program) -> Trace:
        return model("none --userspec=1000:1000", program)

    with pool.keep():
        text = search(wrong, "none", ("identity",), 60, 3, Tally())
    assert text is not None
    assert len([line for line in text.splitlines() if not line.startswith("#")]) <= 8
    assert keep(tmp_path, "chroot", text).read_text().startswith("# spec: chroot\n")


def test_every_subject_has_calls() -> None:
    assert all(make() for make in SUBJECTS.values())
