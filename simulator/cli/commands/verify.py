"""``vitrina verify``: every probe in the model and on this machine's kernel, row by row."""

import click

from simulator.cli.output import emit_json, table
from simulator.experiment.engine.compare import traced
from simulator.experiment.probes.program import Program
from simulator.experiment.probes.trace import Trace
from simulator.experiment.scenarios.load import find, load_all, load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.i18n import gettext as _

DEFAULT = ("chroot", "docker")
SHOWN = ("unexplained", "unstable")


@click.command("verify")
@click.argument("specs", nargs=-1, metavar="[SPEC...]")
@click.option("--scenario", "scenarios", multiple=True, metavar="SCENARIO", help="only these")
@click.option("--twice", is_flag=True, help="run the real side twice to find what is unstable")
@click.option("--jobs", type=click.IntRange(1, 16), default=4, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def command(
    ctx: click.Context,
    specs: tuple[str, ...],
    scenarios: tuple[str, ...],
    twice: bool,
    jobs: int,
    as_json: bool,
) -> None:
    """Compare each SPEC (chroot and docker without one); 1 when a difference is unexplained."""
    from simulator.cli.real import machine_facts
    from simulator.cli.real import traced as on_this_machine
    from simulator.experiment.real.verify import CLASSES, Probe, verify

    wanted = specs or DEFAULT
    for spec in wanted:
        parse_spec(spec)
    facts = machine_facts()
    world = load_world()

    def model(spec: str, program: Program) -> Trace:
        return traced(program, world, parse_spec(spec), facts)

    def real(spec: str, program: Program, fresh: bool) -> Trace:
        return on_this_machine(program, world, spec, fresh=fresh)

    asked = [find(name) for name in scenarios] or load_all()
    probes = [Probe(one.id, one.program, one.requires) for one in asked]
    report = verify(wanted, probes, model, real, twice=twice, workers=jobs)
    if as_json:
        emit_json(report.to_json())
    else:
        summary = report.summary()
        classes = CLASSES
        table(
            (_("technology"), *classes),
            ([spec, *(str(counts[name]) for name in classes)] for spec, counts in summary.items()),
        )
        told = [row for row in report.rows if row.kind in SHOWN]
        if told:
            table(
                (_("technology"), _("probe"), _("step"), _("class"), _("model"), _("real")),
                (
                    (row.spec, row.probe, str(row.step), row.kind, str(row.model), str(row.real))
                    for row in told
                ),
            )
    ctx.exit(1 if report.unexplained else 0)
