"""``vitrina search``: draw programs, run them on both sides, keep the smallest that differs."""

import contextlib
import signal
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.spec import SPEC
from simulator.experiment.engine.executor import open_session
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _

if TYPE_CHECKING:
    from simulator.experiment.real.search import Search, Tally

DEFAULT = ("none", "chroot", "unshare -U -r -m", "runc root.readonly=false", "docker", "lxc")


class SearchError(VitrinaError):
    """What a search needs is not installed."""


@click.command("search")
@click.argument("specs", nargs=-1, type=SPEC, metavar="[SPEC...]")
@click.option("--minutes", type=click.FloatRange(0.01), default=5.0, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--subject", "subjects", multiple=True, help="files, roots, identity, ...")
@click.option("--first", is_flag=True, help="stop at the first that differs")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("tests/real/regressions"),
    show_default=True,
    help="where programs that differ are kept",
)
@click.pass_context
def command(
    ctx: click.Context,
    specs: tuple[str, ...],
    minutes: float,
    seed: int,
    subjects: tuple[str, ...],
    first: bool,
    output: Path,
) -> None:
    """Look for programs on which the model and this machine's kernel differ; 1 when one does."""
    try:
        from simulator.experiment.real.generate import SUBJECTS
    except ModuleNotFoundError:
        raise SearchError(_("a search draws its programs with Hypothesis: install it")) from None
    from simulator.cli.calibration import calibrate
    from simulator.cli.real import machine_facts
    from simulator.experiment.real import host, pool
    from simulator.experiment.real.search import Finding, Search, keep, sides

    strange = set(subjects) - set(SUBJECTS)
    if strange:
        raise click.UsageError(_("subjects are: {list}").format(list=", ".join(SUBJECTS)))
    wanted = specs or DEFAULT
    for spec in wanted:
        parse_spec(spec)
    facts, world = machine_facts(), load_world()

    def told(found: Finding) -> None:
        click.echo(f"{keep(output, found)}: {found.spec}\n{found}")

    with pool.keep():
        reasons = {spec: host.why_not(spec) for spec in wanted}
        read = calibrate((spec for spec in wanted if reasons[spec] is None), world)
        search = Search(
            sides(lambda spec: open_session(world, read.technology(spec), facts), world)
        )
        with _stopping(search):
            for number, spec in enumerate(wanted):
                if search.stopping:
                    break
                reason = reasons[spec]
                if reason is None:
                    share = minutes * 60 / len(wanted)
                    names = subjects or SUBJECTS
                    search.search(spec, names, share, seed + number, first=first, told=told)
                else:
                    text = _("{spec}: not here, because {reason}")
                    click.echo(text.format(spec=spec, reason=reason))
    _sum_up(search.tally)
    if search.stopping:
        raise KeyboardInterrupt
    ctx.exit(1 if search.tally.found else 0)


@contextlib.contextmanager
def _stopping(search: "Search") -> Generator[None]:
    """Ctrl-C ends the search when the program that runs is done, the second one at once."""

    def stop(_number: int, _frame: object) -> None:
        if search.stopping:
            raise KeyboardInterrupt
        search.stopping = True

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _sum_up(tally: "Tally") -> None:
    for what, count in (*tally.silent.most_common(), *tally.broken.most_common()):
        click.echo(f"  {count} x {what}")
    click.echo(
        _("{programs} programs, {calls} calls, {found} disagreements").format(
            programs=tally.programs, calls=tally.calls, found=len(tally.found)
        )
    )
