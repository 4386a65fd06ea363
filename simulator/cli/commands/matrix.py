"""``vitrina matrix``: every probe on every technology."""

from typing import Any

import click

from simulator.cli.asking import lifted, questions, specs, verdict_json
from simulator.cli.output import emit_json, table, write
from simulator.cli.present import ablations, grids
from simulator.cli.spec import SPEC
from simulator.experiment.engine.ablation import ablated
from simulator.experiment.engine.matrix import Asked, Cell, chunk_for, fill
from simulator.experiment.engine.pool import spread, workers
from simulator.machine.abi.i18n import gettext as _


@click.command("matrix")
@click.option(
    "--on", multiple=True, type=SPEC, metavar="SPEC", help="a technology and its own options"
)
@click.option("--without", multiple=True, metavar="MECHANISM", help="lift a wall")
@click.option("--scenario", "scenarios", multiple=True, metavar="SCENARIO", help="only these")
@click.option("--json", "as_json", is_flag=True)
@click.option("--format", "form", type=click.Choice(list(grids.FORMATS)))
@click.option("-o", "--output", metavar="FILE")
@click.option(
    "--ablate", type=SPEC, metavar="SPEC", help="SPEC less each of its mechanisms, one by one"
)
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--dask", default="", metavar="ADDRESS", help="a Dask cluster does the work")
def command(
    on: tuple[str, ...],
    without: tuple[str, ...],
    scenarios: tuple[str, ...],
    as_json: bool,
    form: str | None,
    output: str | None,
    ablate: str | None,
    jobs: int,
    dask: str,
) -> None:
    """Outcomes of all probes on each SPEC (all technologies without --on)."""
    asked = questions(scenarios)
    if ablate is not None:
        if on or without:
            raise click.UsageError(_("--ablate goes without --on and --without"))
        with workers(jobs, dask) as pool:
            done = ablated(asked, ablate, pool)
        if as_json:
            emit_json(ablations.as_json(done), output)
        elif form is not None or output is not None:
            grid = grids.grid(done.cells)
            write(grids.FORMATS[form or grids.by_name(output or "")](grid), output)
        else:
            ablations.show(done)
        return
    wanted = specs(on)
    walls = as_json or (form or grids.by_name(output or "")) in grids.WITH_WALLS
    todo = [
        Asked(question, spec, lifted(spec, without, wanted), walls)
        for spec in wanted
        for question in asked
    ]
    with workers(jobs, dask) as pool:
        cells = list(spread(pool, fill, todo, chunk_for(asked, wanted)))
    if as_json:
        emit_json({"cells": [_json(cell) for cell in cells]}, output)
        return
    grid = grids.grid(cells)
    if form is not None or output is not None:
        write(grids.FORMATS[form or grids.by_name(output or "")](grid), output)
        return
    table((_("probe"), *grid.specs), ((row.probe, *map(_, row.outcomes)) for row in grid.rows))


def _json(cell: Cell) -> dict[str, Any]:
    return {
        "probe": cell.probe,
        "group": cell.group,
        "spec": cell.spec,
        "without": list(cell.without),
        **verdict_json(cell.verdict),
    }
