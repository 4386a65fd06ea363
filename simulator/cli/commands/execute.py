"""``vitrina exec``: one command in a fresh sandbox, its output and its exit status."""

import shlex
import sys

import click

from simulator.cli.spec import SPEC
from simulator.experiment.engine.executor import open_session
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Blocked, Failed, Returned, Silent
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _


class CommandError(VitrinaError):
    """A command that could not be run to its end."""


@click.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("spec", type=SPEC)
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND...")
@click.option("--without", multiple=True, metavar="MECHANISM", help="lift a wall")
@click.pass_context
def command(
    ctx: click.Context, spec: str, words: tuple[str, ...], without: tuple[str, ...]
) -> None:
    """Run COMMAND as root of a sandbox of SPEC (write -- before it)."""
    session = open_session(load_world(), parse_spec(spec, without))
    line = words[0] if len(words) == 1 else shlex.join(words)
    match session.shell("guest", line):
        case Returned(value, data):
            write_output(data)
            ctx.exit(value)
        case Failed(denial):
            raise CommandError(f"{spec}: fork: {denial.errno.message}")
        case Blocked(on, data):
            write_output(data)
            raise CommandError(_("{line}: waits for ever ({on})").format(line=line, on=on))
        case Silent(note, data):
            write_output(data)
            raise CommandError(
                _("{line}: the model has no answer: {note}").format(line=line, note=_(note))
            )
        case other:
            raise CommandError(f"{line}: {type(other).__name__}")


def write_output(data: object) -> None:
    """The bytes that a command printed, as they are."""
    if isinstance(data, bytes):
        sys.stdout.flush()
        buffer = getattr(sys.stdout, "buffer", None)
        if buffer is None:
            sys.stdout.write(data.decode("utf-8", "backslashreplace"))
        else:
            buffer.write(data)
            buffer.flush()
