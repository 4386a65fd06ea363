"""``vitrina shell``: an interactive shell inside a sandbox of the model."""

import sys

import click
import msgspec

from simulator.cli.commands.execute import write_output
from simulator.cli.spec import SPEC
from simulator.experiment.engine.executor import open_session
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.control.toolset import installed
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.userland.line import LineResult


@click.command("shell")
@click.argument("spec", type=SPEC)
@click.option("--without", multiple=True, metavar="MECHANISM", help="lift a wall")
@click.option(
    "--as",
    "actor",
    type=click.Choice(["guest", "host", "neighbour"]),
    default="guest",
    help="whose shell; the host has the product's own tools",
)
@click.pass_context
def command(ctx: click.Context, spec: str, without: tuple[str, ...], actor: str) -> None:
    """Type commands as root of a sandbox of SPEC; exit, or end of input, leaves."""
    technology, world = parse_spec(spec, without), load_world()
    if actor == "host":
        running = tuple(one.product for one in installed(technology) if one.units)
        world = msgspec.structs.replace(world, services=running, announced=True)
    session = open_session(world, technology)
    shell = session.converse(actor)
    begun = shell.begin()
    told: LineResult | None = None
    if sys.stdin.isatty():
        print(f"{spec}", file=sys.stderr)
        told = begun
    elif not shell.ended:
        shell.send("export PS1= PS2=")
    status = begun.status
    while not shell.ended:
        try:
            # Ctrl-C may come as soon as the prompt is seen
            _show(told)
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            if not sys.stdin.isatty():
                raise
            print(file=sys.stderr)
            line = "\n"  # what was typed is forgotten, and the shell asks anew, as sh(1) does
        told = shell.send(line.rstrip("\n")) if line else shell.end()
        while told.silent is not None and not shell.ended:
            _show(told)
            told = shell.go_on()
        status = told.status
        if not line:
            break
    _show(told)
    ctx.exit(status)


def _show(told: LineResult | None) -> None:
    if told is None:
        return
    if told.output:
        write_output(told.output)
        sys.stdout.flush()
    if told.errno is not None:
        print(f"sh: fork: {told.errno.message}", file=sys.stderr)
    if told.blocked is not None:
        print(_("sh: waits for ever ({on})").format(on=told.blocked), file=sys.stderr)
    if told.silent is not None:
        text = _("sh: the model has no answer: {note}").format(note=_(told.silent))
        print(text, file=sys.stderr)
