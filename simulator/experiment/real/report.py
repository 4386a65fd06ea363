"""What a comparison found, as data: rows, counts, and two traces side by side for a screen."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import msgspec

from simulator.experiment.real.errors import RealError
from simulator.machine.abi.i18n import gettext as _

Class: TypeAlias = Literal[
    "agree",
    "agree_in_set",
    "known_difference",
    "unexplained",
    "model_silent",
    "not_here",
    "unstable",
]
CLASSES: tuple[Class, ...] = (
    "agree",
    "agree_in_set",
    "known_difference",
    "unexplained",
    "model_silent",
    "not_here",
    "unstable",
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One compared entry. ``step`` is ``None`` when the whole probe has one answer.

    ``line`` is the program's own, such as ``guest: fd = open("/etc/shadow", O_RDONLY)``.
    """

    spec: str
    probe: str
    step: int | None = None
    rep: int = 0
    actor: str = ""
    call: str = ""
    line: str = ""
    kind: Class
    model: str = ""
    real: str = ""
    reason: str = ""
    data_differs: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All rows, and what they were measured on."""

    stamp: dict[str, Any]
    rows: tuple[Row, ...]

    @property
    def unexplained(self) -> int:
        """How many differences nobody can explain: the exit status depends on it."""
        return sum(row.kind == "unexplained" for row in self.rows)

    def summary(self) -> dict[str, dict[str, int]]:
        """Counts of every class, zero ones too, by SPEC."""
        counts: dict[str, Counter[str]] = {}
        for row in self.rows:
            counts.setdefault(row.spec, Counter())[row.kind] += 1
        return {spec: {name: found[name] for name in CLASSES} for spec, found in counts.items()}

    def pairs(self) -> dict[tuple[str, str], "Pair"]:
        """The rows of each (SPEC, probe), in order: what a cell of the matrix opens to."""
        found: dict[tuple[str, str], list[Row]] = {}
        for row in self.rows:
            found.setdefault((row.spec, row.probe), []).append(row)
        return {key: Pair(*key, tuple(rows)) for key, rows in found.items()}

    def agreement(self) -> float:
        """Share of compared entries that agree (agree and agree_in_set); 1.0 without any."""
        good = sum(row.kind in ("agree", "agree_in_set") for row in self.rows)
        bad = sum(row.kind in ("known_difference", "unexplained") for row in self.rows)
        return good / (good + bad) if good + bad else 1.0

    def to_json(self) -> dict[str, Any]:
        """The shape that DESIGN.md section 6 promises."""
        return {
            "stamp": self.stamp,
            "summary": self.summary(),
            "agreement": round(self.agreement(), 4),
            "entries": [_row_json(row) for row in self.rows],
        }


def read(content: bytes) -> Report:
    """A report that ``vitrina verify -o FILE`` wrote. Raises ``RealError`` for anything else."""
    try:
        saved = msgspec.json.decode(content, type=_Saved)
        return Report(stamp=saved.stamp, rows=tuple(one.row() for one in saved.entries))
    except (msgspec.DecodeError, RecursionError) as error:
        raise RealError(_("no report of vitrina verify: {reason}").format(reason=error)) from None


class _Entry(msgspec.Struct, kw_only=True):
    spec: str
    probe: str
    kind: Class = msgspec.field(name="class")
    step: int | None = None
    rep: int = 0
    actor: str = ""
    call: str = ""
    line: str = ""
    model: str = ""
    real: str = ""
    reason: str | None = None
    data_differs: bool = False

    def row(self) -> Row:
        """As it was before it was written."""
        return Row(
            spec=self.spec,
            probe=self.probe,
            step=self.step,
            rep=self.rep,
            actor=self.actor,
            call=self.call,
            line=self.line,
            kind=self.kind,
            model=self.model,
            real=self.real,
            reason=self.reason or "",
            data_differs=self.data_differs,
        )


class _Saved(msgspec.Struct):
    stamp: dict[str, Any]
    entries: list[_Entry]


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "spec": row.spec,
        "probe": row.probe,
        "step": row.step,
        "class": row.kind,
        "model": row.model,
        "real": row.real,
        "reason": row.reason or None,
        "rep": row.rep,
        "actor": row.actor,
        "call": row.call,
        "line": row.line,
        "data_differs": row.data_differs,
    }


SEVERITY: tuple[Class, ...] = (
    "unexplained",
    "unstable",
    "known_difference",
    "model_silent",
    "not_here",
    "agree_in_set",
    "agree",
)
"""The worst first: a cell has the class of its worst row."""


class Pair(msgspec.Struct, frozen=True):
    """One probe on one SPEC: what the model said beside what the kernel said, step by step."""

    spec: str
    probe: str
    rows: tuple[Row, ...]

    @property
    def kind(self) -> Class:
        """The class of the worst row."""
        kinds = {row.kind for row in self.rows}
        return next(kind for kind in SEVERITY if kind in kinds)

    @property
    def first_difference(self) -> int | None:
        """The number of the first row in which the two sides differ, ``None`` if none does."""
        differing = ("unexplained", "unstable", "known_difference")
        numbers = (number for number, row in enumerate(self.rows) if row.kind in differing)
        return next(numbers, None)

    def beside(self) -> Iterator[tuple[str, str, str, bool]]:
        """(call, model, real, whether they differ) for each row."""
        for row in self.rows:
            name = f"{row.actor}.{row.call}" if row.call else row.reason
            yield row.line or name, row.model, row.real, row.model != row.real
