"""What a technology's mechanisms are good for, as text and as JSON."""

from collections import Counter
from typing import Any

import click

from simulator.cli.output import table
from simulator.experiment.engine.ablation import Ablated, Openings
from simulator.experiment.probes.verdict import Outcome
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.i18n import ngettext


def as_json(done: Ablated) -> dict[str, Any]:
    """Everything: each cell of mechanism x probe, and for each probe what opens it."""
    return {
        "spec": done.spec,
        "cells": [
            {
                "probe": cell.probe,
                "group": cell.group,
                "without": list(cell.without),
                "outcome": cell.verdict.outcome.name,
                "flips": cell.verdict.outcome is not done.before[cell.probe],
            }
            for cell in done.cells
        ],
        "probes": [
            {
                "probe": one.probe,
                "outcome": one.before.name,
                "opened_by": [list(names) for names in one.sets],
            }
            for one in done.openings
        ],
        "idle": list(done.idle),
    }


def show(done: Ablated) -> None:
    """Probes with what opens them, then the mechanisms with what hangs on them."""
    table(
        (_("probe"), _("outcome"), _("opened by lifting")),
        ([one.probe, _(one.before.name), _opened(one)] for one in done.openings),
    )
    alone = Counter(names[0] for one in done.openings for names in one.sets if len(names) == 1)
    shared = Counter(
        name for one in done.openings for names in one.sets if len(names) > 1 for name in names
    )
    click.echo()
    table(
        (_("mechanism"), _("opens alone"), _("opens with others"), ""),
        (
            [
                name,
                str(alone[name]),
                str(shared[name]),
                _("changes no outcome") if name in done.idle else "",
            ]
            for name in done.mechanisms
        ),
    )
    spare = sum(1 for one in done.openings if one.sets and len(one.sets[0]) > 1)
    if spare:
        click.echo(
            ngettext(
                "Defence in depth: {count} probe gets through only when several go together.",
                "Defence in depth: {count} probes get through only when several go together.",
                spare,
            ).format(count=spare)
        )


def _opened(one: Openings) -> str:
    if one.before is not Outcome.HOLDS:
        return "-"
    if not one.sets:
        return _("nothing: the kernel itself keeps it")
    return ", ".join(" + ".join(names) for names in one.sets)
