"""``vitrina shell``: an interactive shell inside a sandbox of the model."""

import shlex
import sys

import click

from simulator.cli.commands.execute import write_output
from simulator.experiment.engine.executor import open_session
from simulator.experiment.engine.session import SimSession
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Blocked, Call, Failed, Returned, Silent
from simulator.machine.abi.i18n import gettext as _


@click.command("shell")
@click.argument("spec")
@click.option("--without", multiple=True, metavar="MECHANISM", help="lift a wall")
@click.pass_context
def command(ctx: click.Context, spec: str, without: tuple[str, ...]) -> None:
    """Type commands as root of a sandbox of SPEC; exit, or end of input, leaves."""
    session = open_session(load_world(), parse_spec(spec, without))
    status = 0
    while (line := _read(spec)) is not None:
        words = _words(line)
        if words[:1] == ["exit"]:
            status = int(words[1]) if words[1:] and words[1].isdigit() else status
            break
        if line.strip():
            status = _change(session, words) if _is_cd(words) else _run(session, line)
    ctx.exit(status)


def _read(spec: str) -> str | None:
    if sys.stdin.isatty():
        print(f"{spec} # ", end="", flush=True, file=sys.stderr)
    line = sys.stdin.readline()
    return line if line else None


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return []


def _is_cd(words: list[str]) -> bool:
    return words[:1] == ["cd"] and not set(" ".join(words)) & set(";&|<>$`")


def _change(session: SimSession, words: list[str]) -> int:
    """cd is the shell's own: the directory of the sandbox's first process, which lines inherit."""
    where = words[1] if len(words) > 1 else "/root"
    result = session.call("guest", Call("chdir", (where,)))
    if isinstance(result, Failed):
        print(f"sh: cd: {where}: {result.errno.message}", file=sys.stderr)
        return 2
    return 0


def _run(session: SimSession, line: str) -> int:
    match session.shell("guest", line):
        case Returned(value, data):
            write_output(data)
            return value
        case Failed(denial):
            print(f"sh: fork: {denial.errno.message}", file=sys.stderr)
        case Blocked(on):
            print(_("sh: waits for ever ({on})").format(on=on), file=sys.stderr)
        case Silent(note):
            print(_("sh: the model has no answer: {note}").format(note=_(note)), file=sys.stderr)
        case other:
            print(f"sh: {type(other).__name__}", file=sys.stderr)
    return 1
