"""``vitrina claims``: what the literature says against what the model answers."""

from collections import Counter

import click

from simulator.cli.output import emit_json, table
from simulator.cli.spec import SPEC
from simulator.experiment.engine.pool import workers
from simulator.experiment.scenarios.claims import Agreement, Compared, compared
from simulator.experiment.scenarios.load import find, load_all
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

SAID = {
    Agreement.AGREE: N_("agree"),
    Agreement.AGREE_IN_SET: N_("agree in another form"),
    Agreement.DISAGREE: N_("disagree"),
    Agreement.NOT_MODELLED: N_("not modelled"),
}


@click.command("claims")
@click.option("--on", multiple=True, type=SPEC, metavar="SPEC", help="only claims about these")
@click.option("--scenario", "names", multiple=True, metavar="SCENARIO", help="only of these")
@click.option("--all", "everything", is_flag=True, help="list those that agree, too")
@click.option("--json", "as_json", is_flag=True)
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--dask", default="", metavar="ADDRESS", help="a Dask cluster does the work")
@click.pass_context
def command(
    ctx: click.Context,
    on: tuple[str, ...],
    names: tuple[str, ...],
    everything: bool,
    as_json: bool,
    jobs: int,
    dask: str,
) -> None:
    """Every claim with its source, and whether the model agrees; status 1 if one does not."""
    scenarios = [find(name) for name in names] or load_all()
    with workers(jobs, dask) as pool:
        rows = list(compared(scenarios, on, pool))
    counts = Counter(row.agreement for row in rows)
    if as_json:
        emit_json(
            {
                "summary": {one.value: counts[one] for one in Agreement},
                "claims": [_json(row) for row in rows],
            }
        )
    else:
        shown = [row for row in rows if everything or row.agreement is not Agreement.AGREE]
        headers = (_("probe"), _("technology"), _("claimed"), _("model"), "", _("source"))
        table(headers, [_row(row) for row in shown])
        click.echo("  ".join(f"{_(SAID[one])}: {counts[one]}" for one in Agreement))
    if counts[Agreement.DISAGREE]:
        ctx.exit(1)


def _row(row: Compared) -> list[str]:
    answered = row.verdict.outcome.name if row.verdict else "-"
    said = _(SAID[row.agreement])
    return [row.probe, row.spec, _(row.claimed.upper()), _(answered), said, row.source]


def _json(row: Compared) -> dict[str, str | None]:
    return {
        "probe": row.probe,
        "spec": row.spec,
        "claimed": row.claimed.upper(),
        "model": row.verdict.outcome.name if row.verdict else None,
        "agreement": row.agreement.value,
        "source": row.source,
    }
