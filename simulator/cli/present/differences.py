"""Where runs side by side part, and the rule on each side that makes the difference."""

from collections.abc import Iterator, Sequence

import msgspec

from simulator.cli.present.cells import outcome
from simulator.experiment.engine.compare import Row
from simulator.experiment.probes.trace import Entry
from simulator.machine.abi.i18n import gettext as _


class Stretch(msgspec.Struct, frozen=True):
    """Repetitions of one step that came out alike: the first of them, and how many there are."""

    row: Row
    times: int


def stretches(rows: Sequence[Row]) -> tuple[Stretch, ...]:
    """Rows in order, repetitions with the same outcomes in one."""
    found: list[Stretch] = []
    for row in rows:
        last = found[-1] if found else None
        if last is not None and _alike(last.row, row):
            found[-1] = Stretch(last.row, last.times + 1)
        else:
            found.append(Stretch(row, 1))
    return tuple(found)


def _alike(one: Row, other: Row) -> bool:
    return (one.step, one.same, *map(_class, one.entries)) == (
        other.step,
        other.same,
        *map(_class, other.entries),
    )


def _class(entry: Entry) -> tuple[object, ...]:
    """What of an outcome counts: descriptors, pids, ids and addresses are as good as each other."""
    value = entry.value if entry.value_class == "number" else entry.value_class
    return entry.status, value, entry.errno, entry.data, entry.stopped_by


def side(entry: Entry, among: frozenset[str]) -> str:
    """One outcome with its rule: the wall that refused, or what was reached and what would stop it.

    ``among`` are the mechanisms of all that is compared: only they can make the difference.
    """
    told = outcome(entry)
    if entry.stopped_by:
        told += f" [{entry.stopped_by}]"
    if entry.why:
        told += f" {_(entry.why)}"
    if entry.cite:
        told += f" ({entry.cite})"
    return " ".join([told, *dict.fromkeys(_crossed(entry, among))])


def has_rule(row: Row) -> bool:
    """Whether a side of ``row`` says why; the others only follow from a step before."""
    return any(entry.stopped_by or entry.why or entry.crossings for entry in row.entries)


def _crossed(entry: Entry, among: frozenset[str]) -> Iterator[str]:
    for one in entry.crossings or ():
        name = " ".join(filter(None, (one.kind, one.name)))
        yield _("It reaches an object of {owner}: {name}.").format(owner=one.owner, name=name)
        walls = [wall for wall in one.would_stop.split() if wall in among]
        if walls and not one.granted:
            yield _("What keeps such objects away: {mechanisms}").format(
                mechanisms=", ".join(walls)
            )
