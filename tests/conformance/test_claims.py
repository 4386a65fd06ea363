"""What the literature says against what the model answers: only here are claims read."""

import pytest

from simulator.experiment.engine.judge import judge
from simulator.experiment.probes.verdict import Outcome
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.load import load_all
from simulator.experiment.scenarios.schema import Claim, Scenario
from simulator.isolation.technologies.registry import MECHANISMS, TECHNOLOGIES, parse_spec

CLAIMED = [
    pytest.param(scenario, claim, id=f"{scenario.id}[{claim.technology}]")
    for scenario in load_all()
    for claim in scenario.claims
    if claim.technology.partition("@")[0] in TECHNOLOGIES
]


@pytest.mark.parametrize(("scenario", "claim"), CLAIMED)
def test_the_model_agrees_with_the_source(scenario: Scenario, claim: Claim) -> None:
    verdict = judge(question(scenario), parse_spec(claim.technology))
    if verdict.outcome is Outcome.NOT_APPLICABLE and claim.outcome != "not_applicable":
        # Another family may lack the call that the probe uses; the claim is then not tested here.
        assert parse_spec(claim.technology).kernel != "linux", (claim.source, verdict)
        pytest.skip(f"{claim.technology}: {verdict.reason}")
    assert verdict.outcome.value == claim.outcome, (claim.source, verdict)
    if claim.stopped_by and verdict.stopped_by and verdict.outcome is Outcome.HOLDS:
        about = MECHANISMS.get(claim.stopped_by)
        owned = about.walls if about is not None else frozenset[str]()
        assert verdict.stopped_by in {claim.stopped_by, *owned}, verdict
