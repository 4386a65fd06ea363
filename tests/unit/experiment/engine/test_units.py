"""Daemons that a world asks for: started by init, with their sockets, in every session."""

import msgspec
import pytest

from simulator.experiment.engine import executor, worlds
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.control.toolset import Toolset, Unit
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Call, Returned
from simulator.machine.abi.constants import AF_UNIX, SOCK_STREAM
from simulator.machine.userland.registry import TOOLS, enter

SHOUTER = Toolset(
    product="shouter",
    kernels=frozenset({"linux"}),
    programs=("shouterd",),
    files=(("/etc/shouter.conf", 0o644, "loud\n"),),
    units=(Unit(argv=("shouterd", "--loud"), sockets=("/run/shouter.sock",)),),
)


@enter("shouterd", collection=TOOLS)
async def shouterd(sys, argv):
    """Answer every line in capitals."""
    assert sys.env["LISTEN_FDS"] == "1"
    while True:
        peer = await sys.value("accept4", 3, 0)
        asked = await sys.read(peer)
        await sys.write(peer, asked.upper())
        await sys.close(peer)


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(worlds, "installed", lambda technology: (SHOUTER,))
    executor.forget()
    yield msgspec.structs.replace(load_world(), services=("shouter",))
    executor.forget()


def ask(session, text):
    fd = session.call("host", Call("socket", (AF_UNIX, SOCK_STREAM, 0))).value
    assert session.call("host", Call("connect", (fd, "/run/shouter.sock"))) == Returned(0)
    session.call("host", Call("write", (fd, text, len(text))))
    return session.call("host", Call("read", (fd, 100))).data


def test_a_daemon_serves_each_session_from_its_beginning(world):
    none = parse_spec("none")
    for _ in range(2):
        session = executor.open_session(world, none)
        assert ask(session, b"hello") == b"HELLO"
        assert ask(session, b"again") == b"AGAIN"


def test_its_calls_bear_its_name(world):
    session = executor.open_session(world, parse_spec("none"))
    ask(session, b"hello")
    events = session.kernels[0].timeline.events
    told = {e.actor for e in events if e.call.name in ("accept4", "read") and not e.woken}
    assert "shouterd" in told


def test_a_world_that_does_not_ask_has_no_daemon(world):
    session = executor.open_session(msgspec.structs.replace(world, services=()), parse_spec("none"))
    assert (
        session.shell("host", "cat /etc/shouter.conf; ps | grep -c shouter[d]").data == b"loud\n0\n"
    )
