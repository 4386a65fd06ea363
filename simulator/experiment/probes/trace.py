"""What happened, entry by entry, and how two runs are compared.

Entries keep raw values; ``normalise`` names descriptors, pids, inodes, devices and IPC ids by
their first occurrence and drops times, so that the same behaviour compares equal on two kernels.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from simulator.experiment.probes.observation import Crossing, Nested
from simulator.machine.abi.call import Data, Value
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_


class Status(StrEnum):
    """What became of a step."""

    RETURNED = "returned"
    FAILED = "failed"
    BLOCKED = "blocked"
    KILLED = "killed"
    EXECUTED = "executed"
    EXITED = "exited"
    SILENT = "silent"
    SKIPPED = "skipped"


STATUS_NAMES = {
    Status.FAILED: N_("failed"),
    Status.BLOCKED: N_("asleep"),
    Status.KILLED: N_("killed"),
    Status.EXECUTED: N_("replaced by another program"),
    Status.EXITED: N_("exited"),
    Status.SILENT: N_("the model is silent"),
    Status.SKIPPED: N_("skipped"),
}
"""What a person reads of a step that did not return."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One call and its result. ``step`` and ``rep`` count from 0, ``line`` from 1.

    ``value`` is the raw return value (-1 with an errno; ``None`` when nothing returned) and
    ``value_class`` how it is compared: ``fd``, ``pid``, ``id``, ``addr`` or ``number``.
    ``note`` begins with the word ``Blocked``, ``Skipped``, ``Killed``, ``Executed``, ``Exited``
    or ``Silent`` for those, in every language.
    ``domain`` is whose object the call used: another's when it crossed over, else the caller's own.
    """

    step: int
    line: int
    rep: int
    actor: str
    call: str
    args: tuple[Value, ...] = ()
    status: Status
    value: int | None = None
    value_class: str = "number"
    errno: Errno | None = None
    data: Data = None
    signal: str | None = None
    note: str = ""
    stopped_by: str | None = None
    why: str = ""
    cite: str = ""
    domain: str | None = None
    crossings: tuple[Crossing, ...] | None = None
    nested: tuple[Nested, ...] = ()

    @property
    def reason(self) -> str:
        """What ``note`` says after its first word."""
        return self.note.partition(": ")[2]

    @property
    def skipped(self) -> bool:
        """Whether the step did not run at all."""
        return self.status is Status.SKIPPED


class Trace(msgspec.Struct, frozen=True):
    """A run of a program; ``constants`` are the world constants that it ran with."""

    entries: tuple[Entry, ...] = ()
    constants: Mapping[str, Value] = {}

    @property
    def sees_crossings(self) -> bool:
        """Whether the session could tell whose objects were touched (a real kernel can't)."""
        return any(entry.crossings is not None for entry in self.entries)
