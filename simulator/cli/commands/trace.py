"""``vitrina trace``: the text of a program on one technology, entry by entry."""

import sys
from pathlib import Path

import click

from simulator.cli.output import emit_json
from simulator.cli.present.strace import lines
from simulator.cli.spec import SPEC
from simulator.experiment.engine.compare import traced
from simulator.experiment.probes.language import parse
from simulator.experiment.probes.program import Program
from simulator.experiment.probes.serial import to_json
from simulator.experiment.probes.source import MAX_FILE, decoded, read_text
from simulator.experiment.probes.trace import Trace
from simulator.experiment.probes.world import World
from simulator.experiment.scenarios.load import find, listed, load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _


class EmptyProgramError(VitrinaError):
    """There is nothing to run."""


@click.command("trace")
@click.argument("file")
@click.option("--on", type=SPEC, metavar="SPEC", help="a technology and its own options")
@click.option("--without", multiple=True, metavar="MECHANISM", help="lift a wall")
@click.option("--real", is_flag=True, help="on this machine's kernel")
@click.option("--json", "as_json", is_flag=True)
def command(file: str, on: str | None, without: tuple[str, ...], real: bool, as_json: bool) -> None:
    """Run the program in FILE (- is standard input, .toml or an id a scenario).

    A demonstration needs no --on: it shows what the host does.
    """
    program, world, shows = _read(file)
    if on is None:
        if not shows:
            raise click.UsageError(_("name a technology: --on SPEC"))
        on = "none"
    trace = _trace(program, world, on, without, real)
    if as_json:
        emit_json(to_json(trace))
        return
    for line in lines(trace):
        click.echo(line)


def _read(file: str) -> tuple[Program, World, bool]:
    if file.endswith(".toml") or _is_known(file):
        scenario = find(file)
        return scenario.program, load_world(scenario.world), scenario.demonstrates
    program = parse(_text(file), file)
    if not program.steps:
        raise EmptyProgramError(
            _("{path}: no step in it; write lines such as guest.getpid()").format(path=file)
        )
    return program, load_world(), False


def _is_known(name: str) -> bool:
    """Whether ``name`` is the id of a scenario that comes with Vitrina, also as ``topic/name``."""
    return name.replace("/", ".") in {identity for _group, identity in listed()}


def _text(file: str) -> str:
    if file != "-":
        return read_text(Path(file))
    return decoded(sys.stdin.buffer.read(MAX_FILE + 1), file)


def _trace(program: Program, world: World, on: str, without: tuple[str, ...], real: bool) -> Trace:
    if real:
        from simulator.cli.real import traced as on_this_machine

        return on_this_machine(program, world, on, without)
    return traced(program, world, parse_spec(on, without))
