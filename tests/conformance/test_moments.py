"""The moments of a lesson: the technologies that each names really differ, as it says."""

import itertools

import pytest

from simulator.experiment.engine.compare import Comparison, compare
from simulator.experiment.engine.judge import judge
from simulator.experiment.probes.trace import Entry
from simulator.experiment.scenarios.moments import (
    Moment,
    Shows,
    asked,
    check_moments,
    load_moments,
    moment_words,
)
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.i18n import LANGUAGES

MOMENTS = [pytest.param(moment, id=moment.id) for moment in load_moments()]


def compared(moment: Moment) -> Comparison:
    question = asked(moment)
    return compare(question.program, question.world, [parse_spec(spec) for spec in moment.on])


def entry(result: Comparison, moment: Moment, shows: Shows) -> Entry:
    row = [row for row in result.rows if row.step == shows.step][-1]
    return row.entries[moment.on.index(shows.spec)]


def answers(found: Entry) -> list[str]:
    data = found.data.decode() if isinstance(found.data, bytes) else str(found.data)
    return [str(found.errno), str(found.status), str(found.value), data]


def test_there_are_fifteen_in_both_languages() -> None:
    assert len(MOMENTS) == 15
    assert list(check_moments()) == []
    for language in LANGUAGES:
        titles = {moment_words(one.id, language).title for one in load_moments()}
        assert len(titles) == 15


@pytest.mark.parametrize("moment", MOMENTS)
def test_each_answers_as_it_says(moment: Moment) -> None:
    result = compared(moment)
    for shows in moment.shows:
        found = entry(result, moment, shows)
        *exact, data = answers(found)
        if shows.says:
            assert shows.says in exact or shows.says in data, (shows, found)
        if shows.wall:
            assert found.stopped_by == shows.wall, (shows, found)
        if shows.outcome:
            verdict = judge(asked(moment), parse_spec(shows.spec))
            assert verdict.outcome.name.lower() == shows.outcome, (shows, verdict)


@pytest.mark.parametrize("moment", MOMENTS)
def test_two_technologies_at_least_differ_in_what_is_shown(moment: Moment) -> None:
    result = compared(moment)
    by_outcome = {shows.outcome for shows in moment.shows if shows.outcome}
    steps = {shows.step for shows in moment.shows if shows.says}
    differing = [
        step
        for step in steps
        for row in result.rows
        if row.step == step and not row.same
        for one, other in itertools.combinations(row.entries, 2)
        if (one.errno, one.status, one.stopped_by) != (other.errno, other.status, other.stopped_by)
    ]
    assert len(by_outcome) > 1 or differing, moment.id
