"""The scenarios that come with Vitrina: complete, sourced, in both languages."""

import pytest

from simulator.experiment.probes.constants import ACTOR_PIDS, WORLD_CONSTANTS, plain_constants
from simulator.experiment.probes.oracles import ORACLES
from simulator.experiment.probes.program import names_in
from simulator.experiment.scenarios.check import check
from simulator.experiment.scenarios.load import load_all, load_words, load_world
from simulator.experiment.scenarios.schema import GROUPS

PIDS = {"HOST_PID", *ACTOR_PIDS.values()}


def test_the_authors_linter_finds_nothing():
    assert [str(mistake) for mistake in check()] == []


def test_every_subject_and_every_oracle_is_asked():
    scenarios = load_all()
    assert len(scenarios) >= 48
    assert {scenario.group for scenario in scenarios} == set(GROUPS)
    assert {scenario.asks for scenario in scenarios} == set(ORACLES)


@pytest.mark.parametrize("scenario", load_all(), ids=lambda scenario: scenario.id)
def test_a_bare_machine_is_claimed_to_leak(scenario):
    assert scenario.claimed("none").outcome == "leaks"


def test_the_default_world_gives_every_constant_that_a_probe_may_name():
    given = plain_constants(load_world()).keys() | PIDS
    assert given == WORLD_CONSTANTS.keys()


def test_a_worlds_constants_have_their_documented_type():
    for name, value in plain_constants(load_world()).items():
        assert type(value) is WORLD_CONSTANTS[name], name


def test_every_planted_constant_is_used_by_some_probe():
    used = {
        name
        for scenario in load_all()
        for step in scenario.program.steps
        for arg in step.args
        for name in names_in(arg)
    }
    unused = WORLD_CONSTANTS.keys() - used
    assert unused <= {
        "CANARY_NAME",
        "CANARY_SIZE",
        "GUEST_PID",
        "HOST_ACTOR_PID",
        "HOST_DAEMON",
        "HOST_DOMAIN",
        "HOST_NAME",
    }


def test_no_two_scenarios_share_a_title():
    for language in ("en", "es"):
        titles = [words.title for words in load_words(language).values()]
        assert len(set(titles)) == len(titles)


def test_spanish_is_not_english():
    english, spanish = load_words("en"), load_words("es")
    assert [name for name in english if english[name].why == spanish[name].why] == []
