"""What several commands need: scenarios as questions, specs, verdicts as JSON."""

from collections.abc import Iterable, Sequence
from typing import Any

from simulator.experiment.engine.judge import Question
from simulator.experiment.probes.verdict import Claim, Model, Real, Verdict
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.load import find, load_all
from simulator.isolation.technologies.base import SpecError, Technology
from simulator.isolation.technologies.registry import TECHNOLOGIES, parse_spec
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _


class NothingAskedError(VitrinaError):
    """A scenario that shows something and asks nothing."""


def questions(names: Iterable[str] = ()) -> list[Question]:
    """The scenarios called so, or all of them."""
    listed = [find(name) for name in names] or load_all()
    for one in listed:
        if one.demonstrates:
            raise NothingAskedError(
                _(
                    "{id}: a demonstration asks nothing; step through it in 'vitrina', or"
                    " 'vitrina trace {path} --on SPEC'"
                ).format(id=one.id, path=one.path)
            )
    return [question(scenario) for scenario in listed]


def specs(given: Sequence[str], default: Sequence[str] = tuple(TECHNOLOGIES)) -> list[str]:
    """What ``--on`` named, or the default; each is checked."""
    listed = list(dict.fromkeys(given or default))
    for spec in listed:
        parse_spec(spec)
    return listed


def lifted(spec: str, without: Sequence[str], all_specs: Sequence[str]) -> tuple[str, ...]:
    """The mechanisms of ``without`` that ``spec`` has; one that no SPEC has is an error."""
    has = set(parse_spec(spec).ids)
    for name in without:
        if not any(name in parse_spec(one).ids for one in all_specs):
            parse_spec(spec, [name])
            if name not in has and name != "chroot":
                raise SpecError(name)
    return tuple(name for name in without if name in has or name == "chroot")


def technology(spec: str, without: Sequence[str] = ()) -> Technology:
    """The technology of a SPEC less some mechanisms."""
    return parse_spec(spec, without)


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """The keys that every command shares for a verdict."""
    return {
        "outcome": verdict.outcome.name,
        "stopped_by": verdict.stopped_by,
        "evidence": list(verdict.evidence),
        "provenance": provenance(verdict),
        "reason": verdict.reason,
        "mechanisms": list(verdict.mechanisms),
        "together": [list(names) for names in verdict.together],
    }


def provenance(verdict: Verdict) -> str:
    """``MODEL``, ``REAL(kernel, runtime)`` or ``CLAIM(source)``."""
    match verdict.provenance:
        case Model():
            return "MODEL"
        case Real(kernel, runtime):
            return f"REAL({kernel}, {runtime})" if runtime else f"REAL({kernel})"
        case Claim(source):
            return f"CLAIM({source})"
