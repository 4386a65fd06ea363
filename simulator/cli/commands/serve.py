"""``vitrina serve``: the screens in a browser."""

import click

from simulator.classroom.web.serve import serve


@click.command("serve")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--host", default="localhost", show_default=True, metavar="ADDRESS")
def command(port: int, host: str) -> None:
    """The screens at http://ADDRESS:PORT, one run of them for each visitor; Ctrl-C ends it.

    At localhost the lessons go on where you left them; at another address (0.0.0.0 for a class)
    each browser has progress of its own, kept by a cookie.
    """
    serve(host, port)
