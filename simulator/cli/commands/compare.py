"""``vitrina compare``: technologies side by side."""

from typing import Any

import click

from simulator.cli.asking import questions
from simulator.cli.output import emit_json, table
from simulator.cli.present.cells import outcome
from simulator.experiment.engine.compare import Comparison, compare
from simulator.experiment.engine.judge import Question
from simulator.experiment.engine.matrix import matrix
from simulator.experiment.probes.serial import entry_to_json
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.i18n import gettext as _


@click.command("compare")
@click.argument("specs", nargs=-1, required=True, metavar="SPEC SPEC...")
@click.option("--scenario", metavar="SCENARIO", help="in lock-step, call by call")
@click.option("--json", "as_json", is_flag=True)
def command(specs: tuple[str, ...], scenario: str | None, as_json: bool) -> None:
    """Where two or more SPECs differ: in one scenario's calls, or in all outcomes."""
    if len(specs) < 2:
        raise click.UsageError(_("two technologies at least: vitrina compare chroot docker"))
    technologies = [parse_spec(spec) for spec in specs]
    if scenario is None:
        _outcomes(questions(), specs, as_json)
        return
    (question,) = questions([scenario])
    result = compare(question.program, question.world, technologies)
    if as_json:
        emit_json(_json(question, specs, result))
        return
    table(
        ("#", _("call"), *specs, ""),
        (
            (
                str(number),
                f"{row.entries[0].actor}.{row.entries[0].call}",
                *(outcome(entry) for entry in row.entries),
                "" if row.same else "≠",
            )
            for number, row in enumerate(result.rows)
        ),
    )


def _json(question: Question, specs: tuple[str, ...], result: Comparison) -> dict[str, Any]:
    return {
        "scenario": question.id,
        "specs": list(specs),
        "first_difference": result.first,
        "rows": [
            {
                "step": row.step,
                "rep": row.rep,
                "same": row.same,
                "entries": [entry_to_json(entry) for entry in row.entries],
            }
            for row in result.rows
        ],
    }


def _outcomes(asked: list[Question], specs: tuple[str, ...], as_json: bool) -> None:
    cells = {(cell.probe, cell.spec): cell.verdict for cell in matrix(asked, specs)}
    rows = [
        (question.id, [cells[question.id, spec].outcome.name for spec in specs])
        for question in asked
    ]
    differing = [row for row in rows if len(set(row[1])) > 1]
    if as_json:
        listed = [{"probe": probe, "outcomes": outcomes} for probe, outcomes in differing]
        emit_json({"specs": list(specs), "asked": len(rows), "differing": listed})
        return
    table((_("probe"), *specs), ([probe, *map(_, outcomes)] for probe, outcomes in differing))
    click.echo(
        _("{differing} of {asked} probes differ").format(differing=len(differing), asked=len(rows))
    )
