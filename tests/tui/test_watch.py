"""A running engine through the glass, with a real client on a real socket."""

import asyncio
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from simulator.classroom.tui.screens.layers import LayersDialog
from simulator.classroom.tui.screens.watch import WatchScreen
from simulator.classroom.tui.watch import WatchApp
from simulator.classroom.tui.watching import feed as feeding
from simulator.classroom.tui.watching.feed import Feed
from simulator.classroom.tui.watching.linear import Speaker
from simulator.classroom.tui.watching.sources import EndedError, Here, There, WatchError
from simulator.classroom.tui.watching.wire import EventNews, Hello, Missed, RequestNews
from simulator.cli.commands.watch import command
from simulator.experiment.engine_api import glass
from simulator.experiment.engine_api.server import Server
from simulator.machine.abi import i18n
from tests.tui.screen import screen_text


async def ask(path, method, target, body=b""):
    reader, writer = await asyncio.open_unix_connection(path)
    head = f"{method} /v1.47{target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    answer = await reader.read()
    writer.close()
    return answer


async def engine(tmp_path):
    server = Server()
    path = str(tmp_path / "docker.sock")
    await server.listen_unix(path)
    feed = Feed(server.machine, (f"unix://{path}",), "vitrina")
    server.glass = feed
    return server, path, feed, asyncio.ensure_future(server.run())


async def until(true, seconds=20):
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.05)


async def test_what_a_client_does_is_seen_while_it_happens(tmp_path):
    server, path, feed, running = await engine(tmp_path)
    app = WatchApp(Here(feed))
    async with app.run_test(size=(100, 30)) as pilot:
        assert b" 201 " in await ask(path, "POST", "/networks/create", b'{"Name": "front"}')
        await pilot.press("v")
        await until(lambda: "front  bridge" in screen_text(app))
        await until(lambda: "201 POST /networks/create" in screen_text(app))
        assert "connect" not in screen_text(app)
        await pilot.press("v", "v")
        await until(lambda: "network create front" in screen_text(app))
        await ask(path, "POST", "/images/create?fromImage=alpine&tag=latest")
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, LayersDialog))
        await until(lambda: "alpine:latest" in screen_text(app))
        await until(lambda: "+ /bin  new" in screen_text(app))
        await pilot.press("escape", "d")
        assert isinstance(app.screen, WatchScreen)
    server.stop()
    await running


async def test_a_second_process_follows_by_the_socket_and_hears_of_the_end(tmp_path):
    server, path, _feed, running = await engine(tmp_path)
    source = There(f"unix://{path}")
    await source.begin()
    heard, ended = [], []

    async def follow():
        try:
            async for news in source.follow():
                heard.extend(news)
        except EndedError as error:
            ended.append(str(error))

    following = asyncio.ensure_future(follow())
    await ask(path, "POST", "/volumes/create", b'{"Name": "kept"}')
    await until(lambda: any(isinstance(one, EventNews) for one in heard))
    await until(lambda: any(isinstance(one, RequestNews) and one.status for one in heard))
    assert isinstance(heard[0], Hello)
    told = next(one for one in heard if isinstance(one, RequestNews) and one.status)
    assert (told.method, told.target, told.status) == ("POST", "/volumes/create", 201)
    calls = await source.calls(told.number)
    assert any(one.call.startswith("mkdir(") for one in calls.calls)
    assert await source.calls(99) is None
    assert await source.difference("no-such-layer") is None
    i18n.use("es")
    panels = await source.view("volumes", 0)
    i18n.use("en")
    assert any(line.text == "kept  local" for line in panels.host.lines)
    assert panels.host.title.startswith("Anfitrión")

    # No process of the machine saw any of it.
    assert not [e for e in server.machine.kernel.timeline.events if "vitrina/" in str(e.call.args)]
    lines = list(filter(None, map(Speaker().spoken, heard)))
    assert "201 POST /volumes/create" in lines
    assert any(line.endswith("volume create kept  driver=local") for line in lines)

    server.stop()
    await running
    await asyncio.wait_for(following, 10)
    assert ended == [f"unix://{path}: the engine has ended"]


async def test_what_was_too_much_is_said_to_be_missed(tmp_path, monkeypatch):
    monkeypatch.setattr(feeding, "_KEPT", 2)
    server, path, feed, running = await engine(tmp_path)
    onlooker = feed.onlooker()
    for number in range(4):
        await ask(path, "POST", "/volumes/create", b'{"Name": "v%d"}' % number)
    while feed.look():
        pass
    told = onlooker.fresh()
    assert [one.requests for one in told if isinstance(one, Missed)] == [2]
    assert [one.number for one in told if isinstance(one, RequestNews)] == [3, 4]
    assert [one.attributes["driver"] for one in told if isinstance(one, EventNews)] == ["local"] * 2
    assert onlooker.fresh() == []
    assert feed.calls(2) is None
    assert feed.calls(3).calls
    server.stop()
    await running


async def test_the_end_of_the_engine_is_the_end_of_the_screen(tmp_path):
    server, path, _feed, running = await engine(tmp_path)
    app = WatchApp(There(path))
    async with app.run_test(size=(80, 24)):
        server.stop()
        await running
        await until(lambda: app.return_value is not None)
    assert app.return_value == f"{path}: the engine has ended"


def test_an_onlooker_that_does_not_read_is_passed_over_and_then_let_go(monkeypatch):
    said, ended = [], []
    waiting = 0
    transport = SimpleNamespace(
        write=said.append,
        is_closing=lambda: False,
        get_write_buffer_size=lambda: waiting,
        abort=lambda: ended.append(True),
    )
    onlooker = SimpleNamespace(news=lambda: [b"{}"])
    shown = SimpleNamespace(onlooker=lambda: onlooker)
    window = glass.Window(SimpleNamespace(admit=lambda _one: True), shown, transport)
    window.data_received(b"GET /vitrina/watch HTTP/1.1\r\nHost: x\r\n\r\n")
    before = len(said)
    assert before
    waiting = 1 << 30
    window.pump()
    assert len(said) == before
    assert not ended
    monkeypatch.setattr(glass, "PATIENCE", -1.0)
    window.pump()
    assert ended


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("/no/such.sock", "does 'vitrina engine' run there?"),
        ("tcp://localhost:nonsense", "is no port"),
        ("ftp://x", "was expected"),
    ],
)
async def test_where_nobody_can_be_watched_one_line_says_so(place, said):
    with pytest.raises(WatchError, match=said.replace("?", r"\?")):
        await There(place).begin()


async def test_a_server_of_another_kind_is_no_engine_to_watch(tmp_path):
    async def other(reader, writer):
        await reader.read(100)
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")
        writer.close()

    path = str(tmp_path / "other.sock")
    server = await asyncio.start_unix_server(other, path)
    with pytest.raises(WatchError, match="no engine of this version"):
        await There(path).begin()
    server.close()


def test_watch_needs_an_address(monkeypatch):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    result = CliRunner().invoke(command, [])
    assert "set DOCKER_HOST" in str(result.exception)
