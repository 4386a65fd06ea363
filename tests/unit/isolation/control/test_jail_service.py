"""service(8) with rc.d/jail: usr.sbin/service/service.sh, libexec/rc/{rc.subr,rc.d/jail}."""

import pytest
from mistakes import Mistake, host, said, typed, unlike

from simulator.experiment.engine.session import SimSession

CONF = """\
exec.start = "/bin/sh -c true"; persist;
web { path = /srv/web; host.hostname = web.example; ip4.addr = 192.0.2.40; }
db { path = /srv/web; ip4.addr = 192.0.2.41; }
bad { path = /nosuch; }
"""
DISABLED = (
    "Cannot '{0}' jail. Set jail_enable to YES in /etc/rc.conf or use 'one{0}' instead of '{0}'.\n"
)
KEYWORDS = (
    "(start|stop|restart|rcvar|enable|disable|delete|enabled|describe|extracommands"
    "|config|console|status|status|poll)"
)


@pytest.fixture
def jails() -> SimSession:
    """A host with a jail.conf of three, one of which can't start, and the service enabled."""
    session = host("jail")
    said(session, "mkdir -p /srv/web/bin && cp /bin/busybox /srv/web/bin/sh")
    said(session, f"printf '%s' '{CONF}' > /etc/jail.conf")
    said(session, "service jail enable")
    return session


def test_a_service_that_is_not_enabled_is_told_how(jails: SimSession) -> None:
    assert said(jails, "service jail disable") == "jail disabled in /etc/rc.conf\n"
    assert said(jails, "cat /etc/rc.conf") == 'jail_enable="NO"\n'
    for command in ("start", "stop", "restart", "status", "disable"):
        assert said(jails, f"service jail {command} web") == DISABLED.format(command)
    assert said(jails, "service jail quietstart web") == ""
    assert typed(jails, "service jail enabled") == (1, "")
    assert said(jails, "service jail onestart web") == "Starting jails: web.\n"
    assert said(jails, "service jail forcestop web") == "Stopping jails: web.\n"
    assert said(jails, "service jail delete") == "jail_enable deleted in /etc/rc.conf\n"
    assert said(jails, "cat /etc/rc.conf") == ""


def test_what_is_neither_yes_nor_no_is_warned_about(jails: SimSession) -> None:
    said(jails, "echo jail_enable=maybe > /etc/rc.conf")
    warning = "/etc/rc.d/jail: WARNING: $jail_enable is not set properly - see rc.conf(5).\n"
    assert said(jails, "service jail start web") == warning + DISABLED.format("start")
    assert typed(jails, "service jail enabled") == (1, warning)


def test_a_jail_starts_restarts_and_stops(jails: SimSession) -> None:
    assert typed(jails, "service jail enabled") == (0, "")
    assert said(jails, "service jail start web") == "Starting jails: web.\n"
    number = said(jails, "jls -j web jid")
    assert said(jails, "cat /var/run/jail_web.id") == number
    assert " web             192.0.2.40      web.example " in said(jails, "service jail status")
    assert said(jails, "service jail restart web") == (
        "Stopping jails: web.\nStarting jails: web.\n"
    )
    assert said(jails, "jls -j web jid") != number
    assert said(jails, "service jail stop web") == "Stopping jails: web.\n"
    assert typed(jails, "jls -j web")[0] == 1
    assert said(jails, "ls /var/run /tmp") == "/tmp:\n\n/var/run:\n"


def test_a_failure_is_told_and_the_rest_goes_on(jails: SimSession) -> None:
    assert typed(jails, "service jail start bad web") == (
        0,
        'Starting jails: cannot start jail  "bad": \n'
        "jail: bad: path /nosuch: No such file or directory\n"
        " web.\n",
    )
    assert said(jails, "service jail start web") == (
        'Starting jails: cannot start jail  "web": \njail: "web" already exists\n.\n'
    )
    # What the file does not define is no jail of the service's; what does not run is not stopped.
    assert 'jail: "nosuch" not found' in said(jails, "service jail start nosuch")
    assert said(jails, "service jail stop db nosuch") == "Stopping jails:.\n"


def test_without_a_name_it_is_about_all(jails: SimSession) -> None:
    assert said(jails, "service jail start") == (
        "Starting jails:web: created\ndb: created\n"
        "jail: bad: path /nosuch: No such file or directory\n.\n"
    )
    said(jails, "sed -i /bad/d /etc/jail.conf")
    # Those that run are named, started now or not, in the file or not.
    assert said(jails, "service jail start") == "Starting jails: guest neighbour web db.\n"


def test_a_list_in_rc_conf_stands_for_all(jails: SimSession) -> None:
    said(jails, "echo 'jail_list=\"db web\"; jail_reverse_stop=YES' >> /etc/rc.conf")
    assert said(jails, "service jail start") == "Starting jails: db web.\n"
    assert said(jails, "service jail stop") == "Stopping jails: web db.\n"
    assert "guest" in said(jails, "jls name")


def test_stopping_all_stops_what_the_file_does_not_know(jails: SimSession) -> None:
    said(jails, "service jail start web")
    assert said(jails, "service jail stop") == "Stopping jails: guest neighbour web.\n"
    assert said(jails, "jls name") == ""


def test_where_a_jails_parameters_are(jails: SimSession) -> None:
    said(jails, "mkdir /etc/jail.conf.d")
    said(jails, "echo 'a_b { path = /srv/web; persist; }' > /etc/jail.conf.d/a_b.conf")
    said(jails, "cp /etc/jail.conf /etc/jail.web.conf; cp /etc/jail.conf /etc/other")
    said(jails, "echo jail_db_conf=/etc/other >> /etc/rc.conf")
    assert said(jails, "service jail config a.b web db bad") == (
        "a_b: parameters are in /etc/jail.conf.d/a_b.conf.\n"
        "web: parameters are in /etc/jail.web.conf.\n"
        "db: parameters are in /etc/other.\n"
        "bad: parameters are in /etc/jail.conf.\n"
    )
    assert said(jails, "service jail start a.b") == "Starting jails: a_b.\n"
    said(jails, "rm /etc/jail.conf")
    assert said(jails, "service jail start bad") == (
        "Starting jails:/etc/rc.d/jail: WARNING: Invalid configuration for bad  "
        "(no jail.conf, no hostname, or no path).   Jail bad was ignored.\n.\n"
    )


def test_a_jail_of_variables_alone_is_said_not_to_be_modelled(jails: SimSession) -> None:
    said(jails, "echo 'jail_old_rootdir=/srv/web jail_old_hostname=old' >> /etc/rc.conf")
    assert said(jails, "service jail start old") == (
        "Starting jails:/etc/rc.d/jail: WARNING: $jail_old_rootdir: not modelled.  "
        "Jail old was ignored.\n.\n"
    )


def test_a_console_is_a_command_in_the_jail(jails: SimSession) -> None:
    said(jails, "service jail start web")
    said(jails, "printf 'echo $1 > /told; exit $1' > /srv/web/bin/end")
    assert typed(jails, "service jail console web /bin/sh /bin/end 7") == (1, "")
    assert said(jails, "cat /srv/web/told") == "7\n"
    # rc.subr evaluates its arguments once more: of what was quoted, sh takes the first word.
    assert typed(jails, "service jail console web /bin/sh -c 'exit 7'") == (0, "")
    assert typed(jails, "service jail console web") == (
        1,
        "jexec: execvp: /usr/bin/login: No such file or directory\n",
    )
    assert typed(jails, "service jail console") == (
        3,
        "/etc/rc.d/jail: ERROR: Specify a jail name.\n",
    )


def test_the_script_and_the_service_say_the_same(jails: SimSession) -> None:
    assert said(jails, "/etc/rc.d/jail start web") == "Starting jails: web.\n"
    assert said(jails, "service -v jail stop web") == (
        "jail is located in /etc/rc.d\nStopping jails: web.\n"
    )
    assert said(jails, "service -e") == "/etc/rc.d/jail\n"
    assert said(jails, "service -l") == "jail\n"
    assert said(jails, "service jail rcvar") == (
        '# jail : Manage system jails\n#\njail_enable="YES"\n#   (default: "")\n\n'
    )
    said(jails, "printf '#!/bin/sh\\necho $0 $@ $HOME\\n' > /etc/rc.d/mine")
    assert typed(jails, "service mine start")[0] == 1
    said(jails, "chmod 755 /etc/rc.d/mine")
    assert said(jails, "service mine start now") == "/etc/rc.d/mine start now /\n"


def test_what_service_does_not_take_is_said() -> None:
    usage = f"Usage: /etc/rc.d/jail [fast|force|one|quiet]{KEYWORDS}"
    mistakes = [
        Mistake("service", 1, "service [-j <jail name or id>] [-v] <rc.d script> start|stop|etc."),
        Mistake("service jail", 1, "service -h"),
        Mistake("service -h", 0, "-v\tVerbose"),
        Mistake("service -Q", 1, "Illegal option -Q"),
        Mistake("service -j", 1, "No arg for -j option"),
        Mistake("service -j nosuch jail start", 1, 'jexec: jail "nosuch" not found'),
        Mistake(
            "service nosuch start",
            1,
            "nosuch does not exist in /etc/rc.d or the local startup\n"
            "directories (/usr/local/etc/rc.d), or is not executable",
        ),
        Mistake("service jail bogus", 1, f"/etc/rc.d/jail: unknown directive 'bogus'.\n{usage}"),
        Mistake("/etc/rc.d/jail", 1, usage),
        Mistake("service jail describe", 0, "Manage system jails"),
        Mistake("service jail extracommands", 0, DISABLED.format("extracommands").strip()),
        Mistake("service jail oneextracommands", 0, "config console status"),
    ]
    assert unlike(host("jail"), mistakes) == []
