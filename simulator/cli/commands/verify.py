"""``vitrina verify``: every probe in the model and on this machine's kernel, row by row."""

import contextlib
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from simulator.cli.output import OutputError, emit_json, table
from simulator.cli.spec import SPEC
from simulator.experiment.engine.lifting import lifts
from simulator.experiment.real.lifting import together
from simulator.experiment.scenarios.load import find, load_all, load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.i18n import gettext as _

if TYPE_CHECKING:
    from simulator.experiment.real.report import Report

SHOWN = ("unexplained", "unstable")
Wanted = dict[str, tuple[str, tuple[str, ...]]]
"""What a column is called: its SPEC and the mechanisms lifted from it."""


@click.command("verify")
@click.argument("specs", nargs=-1, type=SPEC, metavar="[SPEC...]")
@click.option("--scenario", "scenarios", multiple=True, metavar="SCENARIO", help="only these")
@click.option("--without", multiple=True, metavar="MECHANISM", help="lift this one on both sides")
@click.option("--ablate", is_flag=True, help="each SPEC also without each of its mechanisms")
@click.option("--twice", is_flag=True, help="run the real side twice to find what is unstable")
@click.option("--jobs", type=click.IntRange(1, 16), default=4, show_default=True)
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="JUnit XML too")
@click.option("--json", "as_json", is_flag=True)
@click.option("-o", "--output", metavar="FILE", help="where the JSON goes")
@click.option("--told", is_flag=True, help="how far it is, a line for each step on standard error")
@click.pass_context
def command(
    ctx: click.Context,
    specs: tuple[str, ...],
    scenarios: tuple[str, ...],
    without: tuple[str, ...],
    ablate: bool,
    twice: bool,
    jobs: int,
    junit: Path | None,
    as_json: bool,
    output: str | None,
    told: bool,
) -> None:
    """Compare each SPEC (without one: every product and its doors); 1 on an unexplained row."""
    from simulator.cli.calibration import calibrate
    from simulator.cli.comparing import Columns, processors, spread
    from simulator.experiment.real import host, pool
    from simulator.experiment.real.configurations import CONFIGURATIONS
    from simulator.experiment.real.verify import Probe, verify

    wanted = _columns(specs or CONFIGURATIONS, without, ablate)
    asked = [find(name) for name in scenarios] or load_all()
    probes = [Probe(one.id, one.program, one.requires) for one in asked]
    if host.why_not("none") is None:
        _say_cleaned()
    with pool.keep(), _progress(len(wanted) * len(probes), plain=told) as step:
        calibration = calibrate((spec for spec, _lifted in wanted.values()), load_world())
        for sentence in calibration.brief():
            click.echo(sentence, err=True)
        columns = Columns(wanted, calibration, twice)
        processes = min(processors(), jobs)
        pool.drain()
        report = verify(
            tuple(wanted),
            probes,
            *columns.runs(),
            twice=twice,
            progress=step,
            spread=spread(columns, processes, max(jobs // processes, 1)),
            why_not=columns.why_not,
        )
    stamp = report.stamp | {"defaults": calibration.stamp()}
    report = msgspec.structs.replace(report, stamp=stamp)
    if junit is not None:
        _write(junit, report)
    if as_json or output is not None:
        emit_json(report.to_json(), output)
    else:
        _show(report)
    ctx.exit(1 if report.unexplained else 0)


def _columns(specs: tuple[str, ...], without: tuple[str, ...], ablate: bool) -> Wanted:
    wanted: Wanted = {}
    for spec in specs:
        technology = parse_spec(spec, without)
        wanted[_name(spec, without)] = (spec, without)
        for lifted in lifts(technology) if ablate else ():
            names = together(technology, (*without, *lifted))
            wanted[_name(spec, names)] = (spec, names)
    return wanted


def _name(spec: str, lifted: tuple[str, ...]) -> str:
    return " ".join((spec, *(f"--without {name}" for name in lifted)))


@contextlib.contextmanager
def _progress(length: int, *, plain: bool) -> Generator[Callable[[int, int], None] | None]:
    """A bar on standard error, if a person looks at it; ``plain``: lines for a program."""
    if plain:
        yield lambda done, most: click.echo(f"{done}/{most}", err=True)
        return
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=length, label=_("comparing"), file=sys.stderr) as bar:
        yield lambda _done, _all: bar.update(1)


def _write(path: Path, report: "Report") -> None:
    from simulator.experiment.real.junit import document

    try:
        path.write_text(document(report), encoding="utf-8")
    except OSError as error:
        raise OutputError(_("{path}: {reason}").format(path=path, reason=error.strerror)) from error


def _say_cleaned() -> None:
    """Before any worker sweeps: what killed runs had left behind."""
    from simulator.experiment.real.executor import cleaned

    for sentence in cleaned():
        click.echo(sentence, err=True)


def _show(report: "Report") -> None:
    from simulator.experiment.real.report import CLASSES

    stamp = report.stamp
    click.echo(
        _("Linux {kernel}, control groups {cgroups}, probes {probes}").format_map(stamp), err=True
    )
    counts = report.summary()
    table(
        (_("technology"), *CLASSES),
        ([spec, *(str(row[name]) for name in CLASSES)] for spec, row in counts.items()),
    )
    click.echo(_("agreement {share:.2%}").format(share=report.agreement()))
    told = [row for row in report.rows if row.kind in SHOWN]
    if told:
        table(
            (_("technology"), _("probe"), _("step"), _("class"), _("model"), _("real")),
            (
                (row.spec, row.probe, str(row.step), row.kind, str(row.model), str(row.real))
                for row in told
            ),
        )
    _why_not(report)


def _why_not(report: "Report") -> None:
    """Each SPEC that could not run at all, with its reason."""
    reasons: dict[str, set[str]] = {}
    for row in report.rows:
        reasons.setdefault(row.spec, set()).add(row.reason if row.kind == "not_here" else "")
    for spec, found in reasons.items():
        if "" not in found:
            reason = max(found, key=lambda text: sum(row.reason == text for row in report.rows))
            click.echo(_("{spec}: not here, because {reason}").format(spec=spec, reason=reason))
