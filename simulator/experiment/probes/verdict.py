"""An answer: what came out, by which entries, by whose wall, and where the answer comes from."""

from enum import StrEnum
from typing import TypeAlias

import msgspec

from simulator.machine.abi.i18n import N_


class Outcome(StrEnum):
    """What a probe found. ``HOLDS`` means that this probe did not get through, never "secure".

    ``LIMITED``: some of what it tried got through and a wall refused the rest. ``GRANTED``: it got
    through because an operator asked for it. ``NOT_APPLICABLE``: the question makes no sense here.
    ``INCONCLUSIVE``: the apparatus failed, or can't see enough.
    """

    HOLDS = "holds"
    LEAKS = "leaks"
    LIMITED = "limited"
    GRANTED = "granted"
    NOT_APPLICABLE = "not_applicable"
    INCONCLUSIVE = "inconclusive"


SPOKEN = frozenset(
    (
        N_("HOLDS"),
        N_("LEAKS"),
        N_("LIMITED"),
        N_("GRANTED"),
        N_("NOT_APPLICABLE"),
        N_("INCONCLUSIVE"),
    )
)
"""The outcomes' names as message ids; machine-read output keeps the names themselves."""


class Model(msgspec.Struct, frozen=True, tag="model"):
    """The simulated kernel answered."""


class Real(msgspec.Struct, frozen=True, tag="real"):
    """A real kernel answered: its release, and the runtime with its version."""

    kernel: str
    runtime: str = ""


class Claim(msgspec.Struct, frozen=True, tag="claim"):
    """The literature says so."""

    source: str


Provenance: TypeAlias = Model | Real | Claim


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A judged probe. ``evidence`` are numbers of entries in the main trace, from 0.

    ``stopped_by`` is the wall of the guest's last refusal. ``mechanisms`` are those whose removal
    flips the outcome; ``together``, where none does alone, sets that do when all of one are gone
    (defence in depth), the smallest first. An oracle leaves them empty, ablation fills them in.
    ``reason`` is an English message id.
    """

    outcome: Outcome
    evidence: tuple[int, ...] = ()
    stopped_by: str | None = None
    mechanisms: tuple[str, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    reason: str = ""
    provenance: Provenance = Model()

    @property
    def held_by(self) -> str:
        """The wall that stopped it or, joined by ``+``, the walls that hold it together."""
        return self.stopped_by or " + ".join(self.together[0] if self.together else ())
