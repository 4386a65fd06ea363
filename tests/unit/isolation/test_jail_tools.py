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


@pytest.mark.parametrize(
    ("words", "output"),
    [
        ("-u nobody guest id -un", "nobody\n"),
        ("-U user guest sh -c 'echo $HOME; pwd'", "/home/user\n/\n"),
        ("-l -u user guest sh -c 'echo $USER; pwd'", "user\n/home/user\n"),
        ("-l guest sh -c 'echo $HERE$HOME'", "/root\n"),
        ("guest sh -c 'echo $HERE'", "outside\n"),
        ("-d /tmp guest pwd", "/tmp\n"),
        ("-d /nowhere guest pwd", "jexec: chdir: /nowhere: No such file or directory\n"),
        ("-U stranger guest id", "jexec: stranger: no such user\n"),
        ("guest /etc/passwd", "jexec: execvp: /etc/passwd: Permission denied\n"),
    ],
)
def test_jexec_enters_as_whom_and_where_it_is_told(
    session: SimSession, words: str, output: str
) -> None:
    assert said(session, f"export HERE=outside; jexec {words}") == output


def test_jexec_takes_a_user_of_the_jails_or_of_the_hosts(session: SimSession) -> None:
    said(session, "echo 'only:x:77:77::/:/bin/sh' >> /srv/guest/etc/passwd")
    assert said(session, "jexec -U only guest id -u") == "77\n"
    assert said(session, "jexec -u only guest id -u") == "jexec: only: no such user\n"


def test_a_file_says_as_whom_its_commands_run_and_in_what_environment(session: SimSession) -> None:
    text = (
        "exec.clean; persist; path=/srv/guest; exec.start='echo $HERE $USER; pwd';"
        " web { exec.jail_user=user; } plain { exec.clean=false; exec.start='echo $HERE'; }"
    )
    said(session, f'cat > /etc/jail.conf <<"E"\n{text}\nE')
    assert said(session, "export HERE=outside; jail -q -c") == "user\n/home/user\noutside\n"
    said(session, "echo 'web { path=/srv/guest; persist; exec.jail_user=none; exec.start=id; }'"
         " > /etc/jail.conf")  # fmt: skip
    assert "web: none: no such user" in said(session, "jail -rc web")


def test_a_restart_removes_and_makes_anew(session: SimSession) -> None:
    said(session, "echo 'web { path=/srv/guest; persist; exec.start=\"echo up\"; }'"
         " > /etc/jail.conf")  # fmt: skip
    assert said(session, "jail -rc web") == 'jail: "web" not found\n'
    said(session, "jail -c web")
    # Only -r by itself tells of what it removes (note_remove).
    assert said(session, "jail -rc web") == "web: created\nup\n"


def test_the_letters_of_the_command_line_are_parameters_too(session: SimSession) -> None:
    said(session, "jail -n web -s 2 -c path=/srv/guest persist")
    assert said(session, "jls -j web name securelevel") == "web 2\n"
    assert said(session, "jail -u user -c path=/srv/guest command=/bin/id -u") == "1000\n"


def test_jls_by_name_shows_names_in_a_column_of_their_own(session: SimSession) -> None:
    head, first, *_rest = said(session, "jls -N").splitlines()
    assert head == " JID             IP Address      Hostname                      Path"
    assert first.startswith(" guest           192.0.2.21      ")


def test_jls_n_lists_parameters_of_no_group_first(session: SimSession) -> None:
    words = said(session, "jls -n -j guest").split()
    assert words.index("vnet=0") < words.index("allow.nomount")


def test_ps_shows_the_processes_of_one_jail(session: SimSession) -> None:
    assert said(session, "ps -J guest -o jid,comm") == "JID COMMAND\n  1 sh\n"
    assert said(session, "ps -J nobody") == "ps: Invalid jail id: nobody\n"


def test_a_file_includes_others_where_it_says_so(session: SimSession) -> None:
    text = 'persist; path=/srv/guest; .include "jail.conf.d/*.conf"; one { host.hostname=here; }'
    said(session, f"mkdir /etc/jail.conf.d; echo '{text}' > /etc/jail.conf")
    said(session, "echo 'two { host.hostname=there; }' > /etc/jail.conf.d/b.conf")
    said(session, "echo 'three {' > /etc/jail.conf.d/c.bak")
    assert said(session, "jail -c") == "two: created\none: created\n"
    assert said(session, "jexec two hostname") == "there\n"
    said(session, "echo '.include \"/etc/nowhere\";' > /etc/jail.conf")
    assert said(session, "jail -c") == "jail: /etc/nowhere: No such file or directory\n"
    said(session, "echo '.include \"/etc/jail.conf\";' > /etc/jail.conf")
    assert "maximum include depth exceeded" in said(session, "jail -c")


def test_a_long_file_is_read_in_a_line_a_moment() -> None:
    with pytest.raises(conf.ConfError, match="line 20003: "):
        conf.parse("a {\n" + "x = 1;\n" * 20_001 + "x = ;\n}", "jail.conf")
