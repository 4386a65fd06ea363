"""Turns that are taken at once, because nobody waits, come to what they do one by one."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from simulator.machine.kernel.resource import fair
from simulator.machine.kernel.resource.fair import Group, Job, Pool, Servers, attach, serve

SLICE = 4_000_000


class Wish(msgspec.Struct, frozen=True):
    """One job: what it weighs, wants and has had, and in which group it is (0: none)."""

    weight: int
    left: int | None
    vtime: int
    group: int


wishes = st.builds(
    Wish,
    st.sampled_from([15, 820, 1024, 88761]),
    st.none() | st.integers(0, 3_000_000_000),
    st.integers(0, 50_000_000),
    st.integers(0, 2),
)


def served(listed: list[Wish], servers: int, start: int, length: int) -> tuple[Any, ...]:
    """Everything that is there to be seen after the servers have worked."""
    root = Group(("cpu", 0))
    groups = [Group(("cgroup", 1), 100), Group(("cgroup", 2), 10_000)]
    for group in groups:
        attach(root, group)
    jobs: list[Job] = []
    for number, wish in enumerate(listed):
        path = (groups[wish.group - 1],) if wish.group else ()
        jobs.append(Job(number, wish.weight, wish.vtime, wish.left, path=path))
        attach(path[-1] if path else root, jobs[-1])
    pool = Pool(root, jobs, Servers([0] * servers, SLICE))
    stop = serve([pool], start, start + length)
    return (
        stop,
        [(job.ran, job.vtime, job.left, job.until) for job in jobs],
        [(group.vtime, group.floor) for group in (root, *groups)],
        pool.servers.free,
        pool.servers.busy,
    )


def one_by_one(pool: Pool, start: int, end: int) -> int:
    del pool, end
    return start


@given(
    st.lists(wishes, min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(0, 10_000_000),
    st.integers(1, 2_000_000_000),
)
def test_many_turns_at_once_come_to_the_same(
    listed: list[Wish], servers: int, start: int, length: int
) -> None:
    at_once = served(listed, servers, start, length)
    whole = fair._undisturbed  # pyright: ignore[reportPrivateUsage]
    fair._undisturbed = one_by_one  # pyright: ignore[reportPrivateUsage]
    try:
        assert served(listed, servers, start, length) == at_once
    finally:
        fair._undisturbed = whole  # pyright: ignore[reportPrivateUsage]


def test_they_are_taken_at_once() -> None:
    pool = Pool(Group(("cpu", 0)), (), Servers([0, 0], SLICE))
    jobs = (Job(1), Job(2))
    for job in jobs:
        attach(pool.root, job)
    pool.jobs = jobs
    begun = fair._undisturbed(pool, 0, 1_000_000_000)  # pyright: ignore[reportPrivateUsage]
    assert begun == 248 * SLICE
    assert {job.ran for job in jobs} == {begun}
