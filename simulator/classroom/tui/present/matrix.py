"""A cell of the matrix: one mark for its outcome, in a colour and in words."""

from simulator.classroom.tui.studio import Found
from simulator.machine.abi.i18n import gettext as _

MARKS: dict[str, tuple[str, str]] = {
    "LEAKS": ("!", "bold $text-error"),
    "HOLDS": ("┃", "$text-success"),
    "LIMITED": ("~", "$text-warning"),
    "GRANTED": ("+", "$text-warning"),
    "NOT_APPLICABLE": ("-", "$text-muted"),
    "INCONCLUSIVE": ("?", "$text-secondary"),
}
"""For each outcome a mark, the same as in a run and in the flow, and its style."""


def counted(found: dict[tuple[str, str], Found], spec: str) -> tuple[int, int]:
    """How many probes leak on ``spec``, and how many were put to it."""
    outcomes = [one.outcome for (_probe, on), one in found.items() if on == spec]
    return outcomes.count("LEAKS"), len(outcomes)


def told(found: Found | None) -> str:
    """The outcome in words, with the wall that stopped the probe."""
    if found is None:
        return _("not yet asked")
    return " · ".join(filter(None, (_(found.outcome), found.stopped_by)))
