"""``vitrina run``: one scenario on several technologies."""

from typing import Any

import click

from simulator.cli.asking import lifted, questions, specs, verdict_json
from simulator.cli.output import emit_json, table
from simulator.cli.spec import SPEC
from simulator.experiment.engine.credit import credited
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.i18n import gettext as _


@click.command("run")
@click.argument("scenario")
@click.option(
    "--on", multiple=True, type=SPEC, metavar="SPEC", help="a technology and its own options"
)
@click.option("--without", multiple=True, metavar="MECHANISM", help="lift a wall")
@click.option("--real", is_flag=True, help="on this machine's kernel")
@click.option("--json", "as_json", is_flag=True)
def command(
    scenario: str, on: tuple[str, ...], without: tuple[str, ...], real: bool, as_json: bool
) -> None:
    """Ask SCENARIO of each SPEC (all technologies without --on)."""
    (question,) = questions([scenario])
    wanted = specs(on)
    rows: list[dict[str, Any]] = []
    held: list[str] = []
    for spec in wanted:
        gone = lifted(spec, without, wanted)
        if real:
            from simulator.cli.real import judged

            verdict = judged(question, spec, gone)
        else:
            verdict = credited(question, parse_spec(spec, gone)).verdict
        rows.append({"spec": spec, "without": list(gone), **verdict_json(verdict)})
        held.append(verdict.held_by)
    if as_json:
        emit_json([{"scenario": question.id, **row} for row in rows])
        return
    table(
        (_("technology"), _("without"), _("outcome"), _("stopped by"), _("evidence"), _("because")),
        (
            (
                row["spec"],
                " ".join(row["without"]),
                _(row["outcome"]),
                by,
                " ".join(map(str, row["evidence"])),
                _(row["reason"]),
            )
            for row, by in zip(rows, held, strict=True)
        ),
    )
