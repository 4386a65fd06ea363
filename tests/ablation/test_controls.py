"""``none`` must leak on every probe (it tests the probe), ``sealed`` hold (it tests the oracle)."""

import pytest

from simulator.experiment.engine.judge import judge
from simulator.experiment.probes.verdict import Outcome
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.load import load_all
from simulator.experiment.scenarios.schema import Scenario
from simulator.isolation.technologies.registry import parse_spec

ALL = [pytest.param(scenario, id=scenario.id) for scenario in load_all()]


@pytest.mark.parametrize("scenario", ALL)
def test_no_isolation_leaks(scenario: Scenario) -> None:
    verdict = judge(question(scenario), parse_spec("none"))
    assert verdict.outcome is Outcome.LEAKS, verdict


@pytest.mark.parametrize("scenario", ALL)
def test_another_machine_holds(scenario: Scenario) -> None:
    verdict = judge(question(scenario), parse_spec("sealed"))
    assert verdict.outcome is Outcome.HOLDS, verdict
