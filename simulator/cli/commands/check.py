"""``vitrina check``: the author's linter."""

from pathlib import Path

import click

from simulator.classroom.lessons.check import check as check_lessons
from simulator.experiment.probes.source import read_text
from simulator.experiment.scenarios.check import check
from simulator.experiment.scenarios.comments import check_comments
from simulator.experiment.scenarios.moments import check_moments
from simulator.machine.abi.i18n import gettext as _


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...]) -> None:
    """Every mistake in the scenarios (.toml) and lessons (.md) at PATH, or in all of Vitrina's."""
    for path in paths:
        read_text(path)
    texts = [path for path in paths if path.suffix == ".md"]
    others = [path for path in paths if path.suffix != ".md"]
    mistakes = check(others) if others or not paths else ()
    mistakes += () if paths else (*check_moments(), *check_comments())
    mistakes += check_lessons(texts) if texts or not paths else ()
    for mistake in mistakes:
        click.echo(str(mistake))
    if mistakes:
        ctx.exit(1)
    click.echo(_("no mistakes"))
