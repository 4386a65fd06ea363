"""``vitrina check``: the author's linter."""

from pathlib import Path

import click

from simulator.experiment.probes.source import read_text
from simulator.experiment.scenarios.check import check
from simulator.machine.abi.i18n import gettext as _


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...]) -> None:
    """Every mistake in the scenarios at PATH (all that come with Vitrina without one)."""
    for path in paths:
        read_text(path)
    mistakes = check(paths)
    for mistake in mistakes:
        click.echo(str(mistake))
    if mistakes:
        ctx.exit(1)
    click.echo(_("no mistakes"))
