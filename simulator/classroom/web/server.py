"""textual-serve's server with a page of ours, one line at the start, and visitors told apart.

A visitor is known by a cookie that holds a number and nothing else; how far each one is in the
lessons is in a file of that name beside the progress of whoever serves.
"""

import copy
import logging
import re
import shlex
import uuid
from pathlib import Path

import aiohttp_jinja2
from aiohttp import web
from textual_serve.server import Server

from simulator.machine.abi import i18n
from simulator.machine.abi.i18n import gettext as _

COOKIE = "vitrina"
_NUMBER = re.compile(r"[0-9a-f]{32}")
_YEAR = 365 * 24 * 3600
"""Seconds for which a browser keeps the number."""


class PageServer(Server):
    """Serves the page to whatever address a visitor came by: the whole class, or a proxy."""

    def __init__(
        self, command: str, *, host: str, port: int, title: str, visitors: Path | None = None
    ) -> None:
        """``visitors`` is the directory for their progress; None: all go on with one's own."""
        templates = Path(__file__).with_name("templates")
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            command, host=host, port=port, title=title, templates_path=templates
        )
        self._visitors = visitors

    async def handle_index(self, request: web.Request) -> web.StreamResponse:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The page, and a number for a visitor that has none."""
        page = await super().handle_index(request)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        assert isinstance(page, web.StreamResponse)
        if self._visitors is not None:
            number = number_of(request) or uuid.uuid4().hex
            page.set_cookie(COOKIE, number, max_age=_YEAR, httponly=True, samesite="Strict")
        return page

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """The screens, with the visitor's own progress."""
        if self._visitors is None:
            return await super().handle_websocket(request)
        number = number_of(request) or uuid.uuid4().hex  # without cookies: until the page closes
        mine = copy.copy(self)
        mine.command = shlex.join([*shlex.split(self.command), str(self._visitors / number)])
        return await super(PageServer, mine).handle_websocket(request)

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


def number_of(request: web.Request) -> str:
    """The visitor's number, if the browser brings one that we gave."""
    brought = request.cookies.get(COOKIE, "")
    return brought if _NUMBER.fullmatch(brought) else ""
