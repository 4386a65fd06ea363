"""Asking this machine's kernel instead of the model: ``--real``."""

from collections.abc import Sequence

import msgspec

from simulator.experiment.engine.judge import Question
from simulator.experiment.probes.observe import ATTACKER, Case, Observation, observe
from simulator.experiment.probes.oracles import NEEDS, judge
from simulator.experiment.probes.program import Program, lineage, without
from simulator.experiment.probes.trace import Trace
from simulator.experiment.probes.verdict import Real, Verdict
from simulator.experiment.probes.world import World, twin
from simulator.experiment.real.executor import open_session
from simulator.experiment.real.facts import Facts, gather
from simulator.experiment.real.trace import actors_of, real_trace
from simulator.machine.abi.constants import CAPABILITY_NAMES
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.kernel.resource.layout import CONTROLLERS, NAME_ON_2, V2_CONTROLLERS

_SAME = """
acpi apparmor fanotify io_uring kcore kexec keys landlock modules mtrr powercap quota scsi swap
sysrq userfaultfd yama
"""
_FEATURES = {name: name for name in _SAME.split()} | {"bsd_acct": "acct", "iopl": "ioports"}
"""What a machine tells of itself, and what the model calls it."""
_RARE = ("ikconfig", "rt_groups")
"""What the model's own machine lacks."""


def _absent(found: Facts, feature: str) -> bool:
    return found.features.get(feature) is False


def machine_facts() -> frozenset[str]:
    """What the model is told of this machine before it is compared with it."""
    found = gather()
    facts = {f"lacks {name}" for name in CAPABILITY_NAMES if name not in found.bounding}
    facts |= {f"without {mine}" for theirs, mine in _FEATURES.items() if _absent(found, theirs)}
    facts |= {f"without {name}" for name in _missing(frozenset(found.controllers))}
    facts |= {f"with {name}" for name in _RARE if found.features.get(name)}
    facts |= {f"set {name} {value}" for name, value in found.sysctls.items()}
    if found.cgroups == "v2":
        facts.add("cgroup2")
    return frozenset(facts)


def _missing(bound: frozenset[str]) -> set[str]:
    """Controllers that this kernel lacks: version 2 lists what it has and version 1 has not."""
    names = {name: NAME_ON_2.get(name, name) for name in CONTROLLERS}
    return {
        one for one, other in names.items() if other in V2_CONTROLLERS and not {one, other} & bound
    }


def traced(
    program: Program,
    world: World,
    spec: str,
    lifted: Sequence[str] = (),
    *,
    fresh: bool = False,
) -> Trace:
    """One run of ``program`` on the real kernel. Raises ``HarnessError`` or ``RealError``."""
    return real_trace(program, spec, world, lifted=lifted, fresh=fresh)


def judged(question: Question, spec: str, lifted: Sequence[str] = ()) -> Verdict:
    """What this machine's kernel answers; INCONCLUSIVE, with the reason, when it can't be asked."""
    program, world = question.program, question.world
    needs = NEEDS.get(question.asks, frozenset())
    alone = without(program, lineage(program, ATTACKER))
    case = Case(
        program=program,
        technology=spec.split()[0],
        main=_observed(program, world, spec, lifted),
        again=_observed(program, world, spec, lifted),
        twin=_observed(program, twin(world), spec, lifted) if "twin" in needs else None,
        alone=_observed(alone, world, spec, lifted) if "alone" in needs else None,
        resource=question.resource,
    )
    facts = gather()
    verdict = judge(question.asks, case)
    return msgspec.structs.replace(
        verdict, provenance=Real(kernel=facts.release, runtime=spec.split()[0])
    )


def _observed(program: Program, world: World, spec: str, lifted: Sequence[str]) -> Observation:
    try:
        session = open_session(world, spec, actors_of(program), lifted=lifted)
    except VitrinaError as error:
        return Observation(failure=str(error))
    try:
        return observe(program, session)
    finally:
        session.close()
