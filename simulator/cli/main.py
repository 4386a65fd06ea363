"""``vitrina``: the group of commands, and what every one of them does when something is wrong."""

import errno
import importlib
import io
import os
import sys
import warnings
from collections.abc import Sequence

import click

from simulator.cli.spoken import click_speaks, spoken
from simulator.machine.abi import i18n
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

USAGE = 2
INTERRUPTED = 130
PIPE_GONE = 141
"""Exit statuses beside 0 (done) and 1 (the thing asked about fails), as shells count signals."""
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What write(2) answers where standard output leads to a disk that takes no more."""

COMMANDS: dict[str, tuple[str, str]] = {
    "list": ("listing", N_("technologies, mechanisms, probes, scenarios, lessons")),
    "run": ("run", N_("ask one question of several technologies")),
    "trace": ("trace", N_("run the text of a program, one entry a step")),
    "matrix": ("matrix", N_("every probe on every technology")),
    "claims": ("claims", N_("what the literature says against what the model answers")),
    "compare": ("compare", N_("technologies side by side, in lock-step")),
    "flow": ("flow", N_("who reached whose objects, and which wall kept the rest away")),
    "curves": ("curves", N_("processors, memory, disk and tasks over time")),
    "plan": ("plan", N_("how a sandbox is built, call by call")),
    "exec": ("execute", N_("one command in a fresh sandbox of the model")),
    "shell": ("shell", N_("an interactive shell inside a sandbox of the model")),
    "import": ("importing", N_("a real container's configuration as a SPEC, and what it leaks")),
    "search": ("search", N_("programs on which the model and this machine's kernel differ")),
    "verify": ("verify", N_("the model against this machine's kernel, entry by entry")),
    "engine": ("engine", N_("a Docker Engine API served by the simulated kernel")),
    "watch": ("watch", N_("a running engine through the glass, while clients use it")),
    "compose": ("compose", N_("a Compose file on an engine of the simulated kernel")),
    "serve": ("serve", N_("the screens in a browser")),
    "check": ("check", N_("lint scenarios and lessons")),
    "lesson": ("lesson", N_("lessons and how far you are")),
}
"""Each command's module and its line of help."""


class _Commands(click.Group):
    """A group that imports a command's module only when that command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"simulator.cli.commands.{COMMANDS[cmd_name][0]}")
        return spoken(module.command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, _(text)) for name, (_module, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, 1)
            hint = _(" (did you mean {near}?)").format(near=near[0]) if near else ""
            ctx.fail(
                _("there is no command {name}{hint}; 'vitrina --help' lists them").format(
                    name=repr(name), hint=hint
                )
            )
        return super().resolve_command(ctx, args)


def _speak(_ctx: click.Context, _parameter: click.Parameter, language: str | None) -> None:
    i18n.use(language)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--lang",
    type=click.Choice(i18n.LANGUAGES),
    callback=_speak,
    is_eager=True,
    expose_value=False,
    help="en, es; else the locale's",
)
@click.version_option(package_name="vitrina", message="vitrina %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """A glass case for isolation technologies: see call by call what leaks and what is isolated.

    Without a command: the screens.
    """
    if ctx.invoked_subcommand is None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            ctx.fail(_("the screens need a terminal; 'vitrina --help' lists the commands"))
        from simulator.classroom.tui.app import main as open_screens

        open_screens()


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit status; nothing but bugs leaves a traceback."""
    with click_speaks(i18n.use(_language(arguments))):
        return _run(arguments)


def _run(arguments: Sequence[str] | None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    output = sys.stdout
    try:
        words = _language_first(arguments)
        status = spoken(cli).main(words, prog_name="vitrina", standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as ended:
        # click ends with status 1 when nobody reads on, and puts calm streams in place
        status = PIPE_GONE if sys.stdout is not output else ended.code
    except click.exceptions.Exit as done:
        status = done.exit_code
    except (click.Abort, KeyboardInterrupt):
        _hush()
        return INTERRUPTED
    except click.ClickException as error:
        return _complain(error.format_message())
    except VitrinaError as error:
        _hush()
        return _complain(str(error))
    except BrokenPipeError:
        _drop_output()
        return PIPE_GONE
    except OSError as error:
        if error.errno not in _UNWRITABLE or error.filename is not None:
            raise
        _drop_output()
        return _complain(
            _("{path}: can't be written: {reason}").format(
                path=_("standard output"), reason=error.strerror
            )
        )
    return status if isinstance(status, int) else 0


def _hush() -> None:
    """Simulated programs that were born and never ran end here, and that is no mistake."""
    warnings.simplefilter("ignore", RuntimeWarning)


def _drop_output() -> None:
    """The interpreter flushes at exit what is left; nobody can have it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _language(arguments: Sequence[str] | None) -> str | None:
    """``--lang`` is needed before the help text is built, so it is looked for here as well."""
    words = _language_first(arguments)[:2]
    first = words[0] if words else ""
    chosen = first.partition("=")[2] if "=" in first else words[1] if words[1:] else ""
    return chosen if first.startswith("--lang") and chosen in i18n.LANGUAGES else None


def _language_first(arguments: Sequence[str] | None) -> list[str]:
    """``--lang`` may also stand after a command's name; what follows ``--`` is a program's own."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    end = words.index("--") if "--" in words else len(words)
    for index, word in enumerate(words[:end]):
        if word == "--lang" or word.startswith("--lang="):
            taken = words[index : index + (2 if word == "--lang" else 1)]
            return taken + words[:index] + words[index + len(taken) :]
    return words


def _complain(message: str) -> int:
    line = "; ".join(" ".join(part.split()) for part in message.splitlines() if part.strip())
    print(f"vitrina: {line}", file=sys.stderr)
    return USAGE


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script."""
    sys.exit(run(arguments))
