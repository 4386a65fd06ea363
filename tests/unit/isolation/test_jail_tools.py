"""jail(8), jls(8) and jexec(8) on a FreeBSD host, and jail.conf(5)."""

import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.engine.session import SimSession
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.control.freebsd import conf
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Returned

CONF = """
exec.clean; $base = "/srv";      # for all
* { path = "${base}/$name"; mount.devfs; }
// one jail
neighbour2 { path = /srv/neighbour; host.hostname = "$name.example.org";
  ip4.addr = 192.0.2.30, 192.0.2.31; exec.start = 'echo $HOME > /tmp/a';
  exec.start += "echo two >> /tmp/a"; exec.stop = "echo end >> /tmp/a"; persist; }
"""


@pytest.fixture
def session() -> SimSession:
    return open_session(load_world(), parse_spec("jail"))


def said(session: SimSession, line: str) -> str:
    result = session.shell("host", line)
    assert isinstance(result, Returned), result
    return result.data.decode()


def test_a_file_is_blocks_wildcards_variables_and_lists() -> None:
    found = conf.settings(conf.parse(CONF, "jail.conf"), "neighbour2")
    assert found["path"] == ["/srv/neighbour"]
    assert found["host.hostname"] == ["neighbour2.example.org"]
    assert found["ip4.addr"] == ["192.0.2.30", "192.0.2.31"]
    assert found["exec.start"] == ["echo $HOME > /tmp/a", "echo two >> /tmp/a"]
    assert found["persist"] == []
    assert conf.settings(conf.parse(CONF, "jail.conf"), "www")["path"] == ["/srv/www"]


@pytest.mark.parametrize("text", ["a = ;", "= b;", "a = b c;", "{ }", "a = b }"])
def test_what_is_no_jail_conf_is_told_with_its_line(text: str) -> None:
    with pytest.raises(conf.ConfError, match=r"f( line 1: .*: syntax error|: unexpected EOF)"):
        conf.parse(text, "f")


def test_a_variable_that_nobody_set_is_said() -> None:
    blocks = conf.parse('web { path = "$nowhere"; }', "f")
    with pytest.raises(conf.ConfError, match='path: variable "nowhere" not found'):
        conf.settings(blocks, "web")


def test_jls_shows_the_sessions_own_prison(session: SimSession) -> None:
    assert said(session, "jls name jid path").splitlines()[0] == "guest 1 /srv/guest"
    assert said(session, "jls -n -j guest ip4.addr allow.mount") == (
        "ip4.addr=192.0.2.21 allow.nomount\n"
    )
    assert said(session, "jls -j nobody") == 'jls: jail "nobody" not found\n'


def test_a_jail_lives_as_long_as_its_command(session: SimSession) -> None:
    command = "jail -c name=quick path=/srv/guest host.hostname=q command=/bin/hostname"
    assert said(session, command) == "q\n"
    assert "quick" not in said(session, "jls name")
    assert said(session, "jail /srv/guest old 192.0.2.77 /bin/hostname") == "old\n"


def test_a_jail_that_persists_is_changed_entered_and_removed(session: SimSession) -> None:
    said(session, "jail -c name=web path=/srv/guest ip4.addr=192.0.2.40 persist")
    assert said(session, "jail -c name=web path=/srv/guest persist") == (
        'jail: "web" already exists\n'
    )
    said(session, "jail -m name=web host.hostname=new")
    assert said(session, "jexec web hostname") == "new\n"
    assert said(session, "jexec web sh -c 'exit 4'; echo $?") == "4\n"
    assert said(session, "jail -r web") == ""
    assert said(session, "jexec web true") == 'jexec: jail "web" not found\n'


def test_a_jail_of_the_file_runs_its_commands(session: SimSession) -> None:
    text = CONF.replace("\n", "\\n").replace("'", "'\\''")
    said(session, f"printf '{text}' > /etc/jail.conf")
    assert said(session, "jail -c neighbour2") == "neighbour2: created\n"
    said(session, "jail -r neighbour2")
    assert said(session, "cat /srv/neighbour/tmp/a").splitlines()[1:] == ["two", "end"]
    assert said(session, "jail -c nosuch") == 'jail: "nosuch" not found\n'
