"""``vitrina compose``: a Compose file carried out on the simulated Docker Engine."""

import asyncio
import os

import click

_HELP = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command("compose", context_settings=_HELP, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def command(words: tuple[str, ...]) -> int:
    """Bring up a Compose file: up, down, ps, logs, exec, run, config, build, scale ...

    With --socket PATH (or DOCKER_HOST) on a running `vitrina engine`; else on an engine that lives
    as long as the command.
    """
    from simulator.experiment.engine_api.compose import run

    try:
        return asyncio.run(run(words, os.environ))
    except KeyboardInterrupt:
        return 130
