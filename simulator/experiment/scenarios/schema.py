"""The shape of a scenario file, and of the words that people read about it.

A scenario holds no prose: titles and questions live in ``scenarios/strings/<language>.toml``.
"""

from typing import Literal

import msgspec

from simulator.experiment.probes.program import Program

FORMAT = 1

GROUPS = (
    "fs",
    "processes",
    "users",
    "ipc",
    "network",
    "hostname",
    "time",
    "devices",
    "kernel",
    "resources",
    "proc",
)
"""Subjects, in the order in which a matrix shows them."""

DEMONSTRATIONS = ("docker",)
"""Subjects of demonstrations: programs to step through, which ask nothing and nobody judges."""

REQUIREMENTS = ("root", "model-only", "ipv6", "devices", "limits")
"""What a real run needs: root; a machine that nobody else uses, which none is (``model-only``: the
probe takes processors, memory or disk for itself; what could harm a machine is kept back call by
call, ``real/guard.py``); IPv6; a scratch block device; limits that a sandbox was given."""

RESOURCES = ("memory", "pids", "disk", "files", "ipc", "cpu", "io", "cpu-share", "io-share")
"""What a budget probe may ask about."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What the literature says, with its source; read by tests and the matrix's third column."""

    technology: str
    outcome: Literal["holds", "leaks", "limited", "granted", "not_applicable"]
    stopped_by: str = ""
    source: str


class ScenarioFile(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario as it is written."""

    format: int
    id: str
    group: str
    world: str = "default"
    hosts: tuple[str, ...] = ()
    asks: str
    resource: str = ""
    requires: tuple[str, ...] = ()
    program: str
    claim: tuple[Claim, ...] = ()


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A loaded scenario: world (by id), program, oracle, claims.

    ``hosts`` are worlds on which a demonstration is shown side by side.
    """

    id: str
    group: str
    world: str
    hosts: tuple[str, ...] = ()
    asks: str
    resource: str = ""
    requires: tuple[str, ...] = ()
    program: Program
    text: str
    claims: tuple[Claim, ...] = ()
    path: str = ""

    @property
    def demonstrates(self) -> bool:
        """Whether it only shows something: nothing is asked, and no matrix has it."""
        return self.group in DEMONSTRATIONS

    def claimed(self, technology: str) -> Claim | None:
        """What the literature says about ``technology``, if anything."""
        return next((claim for claim in self.claims if claim.technology == technology), None)


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What a person reads about a scenario: title, the question, why it matters."""

    title: str
    asks: str
    why: str
