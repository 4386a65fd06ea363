"""Curves as text: one line for each owner and each thing that it takes."""

import itertools
from collections.abc import Sequence

import msgspec

from simulator.experiment.engine.curves import Curves
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

BLOCKS = "▁▂▃▄▅▆▇█"
_MEGABYTE = 1 << 20
_FEW = 1
"""A change in the number of tasks that is not worth a curve: somebody ran a command."""

KINDS: tuple[tuple[str, str], ...] = (
    ("cpu", N_("processors")),
    ("memory", N_("memory, MiB")),
    ("disk", N_("disk, MiB a second")),
    ("tasks", N_("tasks")),
)
"""What is drawn, in this order."""


class Row(msgspec.Struct, frozen=True):
    """One curve. ``full`` is where the top of the picture is; both in the unit of its kind."""

    kind: str
    title: str
    domain: str
    values: tuple[float, ...]
    full: float

    @property
    def moves(self) -> bool:
        """Whether there is anything to see."""
        return bool(self.values) and max(self.values) > 0


def rows(curves: Curves) -> list[Row]:
    """Every curve in which something happens; owners of one kind share one scale."""
    found: list[Row] = []
    for kind, title in KINDS:
        drawn = [(name, _values(curves, name, kind)) for name in curves.domains()]
        highest = max((max(values, default=0.0) for _name, values in drawn), default=0.0)
        full = max(highest, _least(curves, kind))
        found += [
            row
            for name, values in drawn
            if (row := Row(kind, _(title), name, tuple(values), full)).moves
            and not (kind == "tasks" and max(values) - min(values) <= _FEW)
        ]
    return found


def _values(curves: Curves, domain: str, kind: str) -> list[float]:
    if kind == "disk":
        pairs = zip(curves.values(domain, "read"), curves.values(domain, "written"), strict=True)
        return [(read + written) / _MEGABYTE for read, written in pairs]
    scale = _MEGABYTE if kind == "memory" else 1
    return [value / scale for value in curves.values(domain, kind)]


def _least(curves: Curves, kind: str) -> float:
    """A scale that does not make a mountain of nothing: processors have a top of their own."""
    return float(curves.processors) if kind == "cpu" else 1.0


def spark(values: Sequence[float], full: float, width: int | None = None) -> str:
    """Blocks as high as the values; ``width`` columns at most, each the mean of its part."""
    if not values or full <= 0:
        return ""
    columns = list(values) if width is None or len(values) <= width else _squeezed(values, width)
    top = len(BLOCKS) - 1
    return "".join(BLOCKS[min(top, max(0, round(value / full * top)))] for value in columns)


def bars(values: Sequence[float], full: float, width: int, height: int) -> list[str]:
    """The same as a picture of ``height`` rows, as wide as whole columns for each value can be."""
    if not values or full <= 0 or width <= 0:
        return []
    columns = list(values) if len(values) <= width else _squeezed(values, width)
    steps = len(BLOCKS)
    heights = [min(height * steps, max(1, round(v / full * height * steps))) for v in columns]
    each = max(1, width // len(columns))
    blocks = f" {BLOCKS}"
    return [
        "".join(blocks[max(0, min(steps, high - row * steps))] * each for high in heights)
        for row in range(height - 1, -1, -1)
    ]


def _squeezed(values: Sequence[float], width: int) -> list[float]:
    edges = [len(values) * column // width for column in range(width + 1)]
    parts = [values[low:high] for low, high in itertools.pairwise(edges)]
    return [sum(part) / len(part) for part in parts if part]


def shown(value: float) -> str:
    """A number as short as it may be."""
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def heading(curves: Curves) -> str:
    """What was run, on what, for how long."""
    return _("{scenario} on {spec}: {seconds} s, {processors} processors, {memory} MiB").format(
        scenario=curves.scenario,
        spec=curves.spec,
        seconds=shown(curves.seconds),
        processors=curves.processors,
        memory=curves.memory // _MEGABYTE,
    )


def marks(curves: Curves) -> list[str]:
    """Who was killed for want of memory, and when."""
    return [
        _("{at} s: the kernel killed {name} of {domain}: no memory was left").format(
            at=shown(mark.at), name=mark.name, domain=mark.domain
        )
        for mark in curves.marks
    ]
