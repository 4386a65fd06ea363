"""``vitrina compare``: technologies side by side."""

from typing import Any

import click

from simulator.cli.asking import questions
from simulator.cli.output import emit_json, table
from simulator.cli.present.cells import outcome
from simulator.cli.present.differences import Stretch, has_rule, side, stretches
from simulator.cli.spec import SPEC
from simulator.experiment.engine.compare import Comparison, compare, compare_hosts
from simulator.experiment.engine.credit import credited
from simulator.experiment.engine.judge import Question
from simulator.experiment.engine.matrix import matrix
from simulator.experiment.probes.serial import entry_to_json
from simulator.experiment.probes.verdict import Verdict
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.comments import told_line
from simulator.experiment.scenarios.load import find, load_world
from simulator.experiment.scenarios.moments import asked, find_moment, moment_words
from simulator.isolation.technologies.base import Technology
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.i18n import gettext as _


@click.command("compare")
@click.argument("specs", nargs=-1, type=SPEC, metavar="SPEC SPEC...")
@click.option("--scenario", metavar="SCENARIO", help="in lock-step, call by call")
@click.option("--moment", metavar="MOMENT", help="a moment of a lesson, on its own SPECs")
@click.option("--json", "as_json", is_flag=True)
def command(
    specs: tuple[str, ...], scenario: str | None, moment: str | None, as_json: bool
) -> None:
    """Where two or more SPECs differ: in one scenario's calls, or in all outcomes."""
    if scenario is not None and moment is not None:
        raise click.UsageError(_("--scenario or --moment, not both"))
    shown = find_moment(moment) if moment is not None else None
    specs = specs or (shown.on if shown is not None else ())
    hosts = find(scenario).hosts if scenario is not None and len(specs) < 2 else ()
    if scenario is not None and hosts:
        _machines(scenario, hosts, specs[0] if specs else "none", as_json)
        return
    if len(specs) < 2:
        raise click.UsageError(_("two technologies at least: vitrina compare chroot docker"))
    technologies = [parse_spec(spec) for spec in specs]
    if shown is not None:
        words = moment_words(shown.id)
        if not as_json:
            click.echo(f"{words.title}\n{words.why}\n")
        _lockstep(asked(shown), specs, technologies, as_json)
    elif scenario is not None:
        (question,) = questions([scenario])
        _lockstep(question, specs, technologies, as_json)
    else:
        _outcomes(questions(), specs, as_json)


def _lockstep(
    question: Question, specs: tuple[str, ...], technologies: list[Technology], as_json: bool
) -> None:
    result = compare(question.program, question.world, technologies)
    judged = technologies if question.asks else []
    verdicts = [credited(question, one, always=False).verdict for one in judged]
    among = frozenset(name for one in technologies for name in one.ids)
    _shown(question, specs, result, verdicts, among, as_json)


def _machines(scenario: str, hosts: tuple[str, ...], spec: str, as_json: bool) -> None:
    """A demonstration that is about several machines, on each of them."""
    asked = question(find(scenario))
    result = compare_hosts(asked.program, [load_world(name) for name in hosts], parse_spec(spec))
    if as_json:
        emit_json(_json(asked, result.specs, result, []))
        return
    width = max(map(len, result.specs))
    for row in result.rows:
        step = asked.program.steps[row.step]
        text = told_line(step.text, step.comment)
        click.echo(f"{' ' if row.same else '≠'} {text}")
        names = ("",) if row.same else result.specs
        for name, entry in zip(names, row.entries, strict=False):
            said = entry.data.decode("utf-8", "replace") if isinstance(entry.data, bytes) else ""
            last = next((line for line in reversed(said.splitlines()) if not _idle(line)), "")
            click.echo(f"    {name:<{width}} {entry.value:>3}  {last}")


def _idle(line: str) -> bool:
    """Whether a line of output tells nobody anything."""
    return not line.strip() or line.startswith("Run 'docker run --help'")


def _shown(
    question: Question,
    specs: tuple[str, ...],
    result: Comparison,
    verdicts: list[Verdict],
    among: frozenset[str],
    as_json: bool,
) -> None:
    if as_json:
        emit_json(_json(question, specs, result, verdicts))
        return
    shown = stretches(result.rows)
    table(
        ("#", _("call"), *specs, ""),
        (
            (
                str(number),
                _named(one),
                *(outcome(entry) for entry in one.row.entries),
                "" if one.row.same else "≠",
            )
            for number, one in enumerate(shown)
        ),
    )
    for number, one in enumerate(shown):
        if not one.row.same and has_rule(one.row):
            click.echo(f"\n≠ {number}  {_named(one)}")
            for spec, entry in zip(specs, one.row.entries, strict=True):
                if not entry.skipped:
                    click.echo(f"  {spec}: {side(entry, among)}")
    click.echo("")
    for spec, verdict in zip(specs, verdicts, strict=False):
        stopped = f" [{verdict.held_by}]" if verdict.held_by else ""
        click.echo(f"{spec}: {_(verdict.outcome.name)}{stopped}")


def _named(stretch: Stretch) -> str:
    first = stretch.row.entries[0]
    times = f" ×{stretch.times}" if stretch.times > 1 else ""
    return f"{first.actor}.{first.call}{times}"


def _json(
    question: Question, specs: tuple[str, ...], result: Comparison, verdicts: list[Verdict]
) -> dict[str, Any]:
    return {
        "scenario": question.id,
        "specs": list(specs),
        "first_difference": result.first,
        "verdicts": [
            {"spec": spec, "outcome": verdict.outcome.name, "stopped_by": verdict.stopped_by}
            for spec, verdict in zip(specs, verdicts, strict=False)
        ],
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


def _outcomes(questioned: list[Question], specs: tuple[str, ...], as_json: bool) -> None:
    cells = {(cell.probe, cell.spec): cell.verdict for cell in matrix(questioned, specs)}
    rows = [
        (question.id, [cells[question.id, spec].outcome.name for spec in specs])
        for question in questioned
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
