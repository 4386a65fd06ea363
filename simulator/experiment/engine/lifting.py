"""Which mechanisms can be lifted from a technology, and what must go with each of them."""

import functools

from simulator.experiment.probes.verdict import Outcome
from simulator.isolation.mechanisms.base import PlanError
from simulator.isolation.technologies.base import Technology, without

THROUGH = frozenset({Outcome.LEAKS, Outcome.LIMITED})
"""Outcomes of a probe that got something."""


@functools.lru_cache(maxsize=256)
def lifts(technology: Technology) -> tuple[tuple[str, ...], ...]:
    """Every single mechanism, with those that cannot stand without it."""
    return tuple(_with_dependents(technology, name) for name in technology.ids)


def _with_dependents(technology: Technology, name: str) -> tuple[str, ...]:
    """``name``, and the mechanisms that need it."""
    lifted = [name]
    while True:
        try:
            without(technology, lifted)
        except PlanError:
            held = set(technology.ids) - set(lifted)
            lifted += [
                one.about.id
                for one in technology.mechanisms
                if one.about.id in held and one.about.needs & set(lifted)
            ]
            continue
        return tuple(lifted)
