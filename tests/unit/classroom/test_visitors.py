"""Whoever comes to a served page from elsewhere has progress of their own."""

from pathlib import Path
from typing import ClassVar

import pytest
from aiohttp import DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer

from simulator.classroom.web import server
from simulator.classroom.web.server import COOKIE, PageServer


class Started:
    """In place of the process for a visitor: what would have been started."""

    commands: ClassVar[list[str]] = []

    def __init__(self, command: str, **_more: object) -> None:
        self.commands.append(command)

    async def start(self, _width: int, _height: int) -> None:
        pass

    async def stop(self) -> None:
        pass


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr("textual_serve.server.AppService", Started)
    Started.commands = []
    return Started.commands


def served(visitors: Path | None) -> PageServer:
    return PageServer("python -m screens en", host="h", port=1, title="t", visitors=visitors)


async def visit(client: "TestClient[object, object]", cookies: dict[str, str]) -> str:
    page = await client.get("/", headers={"Cookie": "; ".join(map("=".join, cookies.items()))})
    assert page.status == 200
    given = page.cookies.get(COOKIE)
    return given.value if given is not None else ""


async def test_each_browser_has_a_number_and_keeps_it(tmp_path: Path, commands: list[str]) -> None:
    app = await served(tmp_path)._make_app()
    async with TestClient(TestServer(app), cookie_jar=DummyCookieJar()) as client:
        first, second = await visit(client, {}), await visit(client, {COOKIE: "0"})
        again = await visit(client, {COOKIE: first})
        for number in (first, second, "../../etc/passwd"):
            async with client.ws_connect("/ws", headers={"Cookie": f"{COOKIE}={number}"}):
                pass

    assert first != second
    assert again == first
    assert commands[:2] == [f"python -m screens en {tmp_path / one}" for one in (first, second)]
    assert Path(commands[2].split()[-1]).parent == tmp_path
    assert "passwd" not in commands[2]


async def test_at_home_the_progress_is_ones_own(commands: list[str]) -> None:
    app = await served(None)._make_app()
    async with TestClient(TestServer(app), cookie_jar=DummyCookieJar()) as client:
        assert await visit(client, {}) == ""
        async with client.ws_connect("/ws"):
            pass

    assert commands == ["python -m screens en"]


def test_what_a_visitor_is_known_by_holds_nothing_but_a_number() -> None:
    assert server._NUMBER.fullmatch("0" * 32)
    assert not server._NUMBER.fullmatch("0" * 31 + "/")
