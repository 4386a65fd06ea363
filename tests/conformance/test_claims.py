"""What the literature says against what the model answers: only here are claims read."""

import collections

import pytest

from simulator.experiment.probes.verdict import Outcome
from simulator.experiment.scenarios.claims import Agreement, agreement, compared
from simulator.experiment.scenarios.load import load_all
from simulator.isolation.technologies.registry import MECHANISMS, TECHNOLOGIES

SPECS = sorted({claim.technology for scenario in load_all() for claim in scenario.claims})


@pytest.mark.parametrize("spec", SPECS)
def test_the_model_agrees_with_the_sources(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(compared(load_all(), [spec]))
    counts = collections.Counter(row.agreement.value for row in rows)
    with capsys.disabled():
        print(f"\n{spec}: {dict(counts)} of {len(rows)} claims", end="")
    wrong = [
        (row.probe, row.claimed, row.verdict, row.source)
        for row in rows
        if row.agreement is Agreement.DISAGREE
    ]
    assert not wrong
    unknown = [row.probe for row in rows if row.agreement is Agreement.NOT_MODELLED]
    assert not unknown


def test_every_technology_is_claimed_something_about() -> None:
    assert set(TECHNOLOGIES) - {"sealed", "unshare"} <= {spec.partition(" ")[0] for spec in SPECS}


def test_a_wall_that_a_claim_names_is_the_one_that_refused() -> None:
    """Where the literature says who stops it and a refusal says so too, they are the same."""
    from simulator.experiment.engine.judge import judge
    from simulator.experiment.scenarios.ask import question
    from simulator.isolation.technologies.registry import parse_spec

    for scenario in load_all():
        for claim in scenario.claims:
            if not claim.stopped_by:
                continue
            verdict = judge(question(scenario), parse_spec(claim.technology))
            if verdict.stopped_by and verdict.outcome is Outcome.HOLDS:
                about = MECHANISMS.get(claim.stopped_by)
                owned = about.walls if about is not None else frozenset[str]()
                assert verdict.stopped_by in {claim.stopped_by, *owned}, (scenario.id, verdict)


@pytest.mark.parametrize(
    ("claimed", "answered", "so"),
    [
        ("holds", Outcome.HOLDS, Agreement.AGREE),
        ("holds", Outcome.NOT_APPLICABLE, Agreement.AGREE_IN_SET),
        ("holds", Outcome.LEAKS, Agreement.DISAGREE),
        ("holds", Outcome.LIMITED, Agreement.DISAGREE),
        ("leaks", Outcome.HOLDS, Agreement.DISAGREE),
        ("leaks", Outcome.NOT_APPLICABLE, Agreement.DISAGREE),
        ("limited", Outcome.HOLDS, Agreement.AGREE_IN_SET),
        ("limited", Outcome.LEAKS, Agreement.DISAGREE),
        ("leaks", Outcome.INCONCLUSIVE, Agreement.NOT_MODELLED),
        ("leaks", None, Agreement.NOT_MODELLED),
    ],
)
def test_what_counts_as_agreement(claimed: str, answered: Outcome | None, so: Agreement) -> None:
    assert agreement(claimed, answered) is so
