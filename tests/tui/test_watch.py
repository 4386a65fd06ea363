"""A running engine through the glass, with a real client on a real socket."""

import asyncio

from simulator.classroom.tui.screens.requests import RequestsDialog
from simulator.classroom.tui.watch import WatchApp
from simulator.experiment.engine_api.server import Server

_ASK = b"POST /v1.47/networks/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
_BODY = b'{"Name": "front"}'


async def test_what_a_client_does_is_seen_while_it_happens(tmp_path):
    server = Server()
    path = str(tmp_path / "docker.sock")
    await server.listen_unix(path)
    async with WatchApp(server, path).run_test(size=(100, 30)) as pilot:
        reader, writer = await asyncio.open_unix_connection(path)
        length = f"Content-Type: application/json\r\nContent-Length: {len(_BODY)}\r\n\r\n"
        writer.write(_ASK + length.encode() + _BODY)
        answer = await reader.read()
        writer.close()
        assert b" 201 Created" in answer

        pilot.app.look()
        await pilot.press("v")
        text = "\n".join(s.text for s in pilot.app.screen._compositor.render_strips())
        assert "201 POST /networks/create" in text
        assert "front  bridge" in text
        await pilot.press("d")
        assert isinstance(pilot.app.screen, RequestsDialog)
