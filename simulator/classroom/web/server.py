"""textual-serve's server with a page of ours and one line at the start."""

import logging
from pathlib import Path

import aiohttp_jinja2
from aiohttp import web
from textual_serve.server import Server

from simulator.machine.abi import i18n
from simulator.machine.abi.i18n import gettext as _


class PageServer(Server):
    """Serves the page to whatever address a visitor came by: the whole class, or a proxy."""

    def __init__(self, command: str, *, host: str, port: int, title: str) -> None:
        templates = Path(__file__).with_name("templates")
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            command, host=host, port=port, title=title, templates_path=templates
        )

    def initialize_logging(self) -> None:
        """Only what went wrong: a visitor more is no news."""
        logging.basicConfig(level=logging.WARNING, format="%(message)s")

    async def on_startup(self, app: web.Application) -> None:
        """Where it is, and how to end it."""
        aiohttp_jinja2.get_env(app).globals["words"] = {  # pyright: ignore[reportUnknownMemberType]
            "language": i18n.language(),
            "begins": _("One moment..."),
            "ended": _("The session has ended."),
            "again": _("Begin again"),
        }
        told = _("Vitrina is served at {url} (Ctrl-C ends it)").format(url=self.public_url)
        print(told, flush=True)
