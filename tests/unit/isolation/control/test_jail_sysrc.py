"""sysrc(8): usr.sbin/sysrc, usr.sbin/bsdconfig/share/sysrc.subr."""

import pytest
from mistakes import Mistake, host, said, typed, unlike

from simulator.experiment.engine.session import SimSession
from simulator.isolation.control.freebsd.etc import DEFAULT_TEXT


@pytest.fixture
def bsd() -> SimSession:
    """A host on which nobody has set anything."""
    return host("jail")


def test_a_variable_is_told_with_its_default_and_set(bsd: SimSession) -> None:
    assert said(bsd, "cat /etc/defaults/rc.conf") == DEFAULT_TEXT
    assert said(bsd, "sysrc jail_enable") == "jail_enable: NO\n"
    assert said(bsd, "sysrc jail_enable=YES") == "jail_enable: NO -> YES\n"
    assert said(bsd, "cat /etc/rc.conf") == 'jail_enable="YES"\n'
    assert typed(bsd, "service jail enabled") == (0, "")
    assert said(bsd, "sysrc -n jail_enable") == "YES\n"
    assert said(bsd, "sysrc -e jail_enable") == 'jail_enable="YES"\n'
    assert said(bsd, "sysrc -v jail_conf") == "/etc/defaults/rc.conf: jail_conf: /etc/jail.conf\n"
    assert said(bsd, "sysrc -F jail_enable") == "jail_enable: /etc/rc.conf\n"
    assert said(bsd, "sysrc -x jail_enable") == ""
    assert said(bsd, "cat /etc/rc.conf") == ""


def test_words_are_added_and_taken_away(bsd: SimSession) -> None:
    assert said(bsd, "sysrc jail_list+='web db'") == "jail_list:  -> web db\n"
    assert said(bsd, "sysrc jail_list+='db mail'") == "jail_list: web db -> web db mail\n"
    assert said(bsd, "sysrc jail_list-='web mail'") == "jail_list: web db mail -> db\n"
    assert said(bsd, "sysrc list+=,a,b; sysrc list-=,a") == "list:  -> a,b\nlist: a,b -> b\n"


def test_the_last_assignment_changes_and_what_stands_behind_it_stays(bsd: SimSession) -> None:
    said(bsd, "printf 'a=one\\nif true; then\\n  a=two; fi\\nb=3 # why\\n' > /etc/rc.conf")
    assert said(bsd, "sysrc a=three b=4") == "a: two -> three\nb: 3 -> 4\n"
    assert said(bsd, "cat /etc/rc.conf") == ('a=one\nif true; then\n  a="three"; fi\nb="4" # why\n')
    said(bsd, "echo \"c='x y' # z\" > /etc/rc.conf.local")
    assert said(bsd, "sysrc -v c=w") == "/etc/rc.conf.local: c: x y -> w\n"
    assert said(bsd, "cat /etc/rc.conf.local") == "c='w' # z\n"


def test_a_service_has_files_of_its_own(bsd: SimSession) -> None:
    said(bsd, "mkdir /etc/rc.conf.d; echo jail_enable=YES > /etc/rc.conf.d/jail")
    assert said(bsd, "sysrc -n jail_enable") == "NO\n"
    assert said(bsd, "sysrc -s jail -n jail_enable") == "YES\n"
    assert said(bsd, "service jail disable; service jail onedisable") == (
        "jail disabled in /etc/rc.conf.d/jail\njail disabled in /etc/rc.conf.d/jail\n"
    )
    assert typed(bsd, "service jail enabled") == (1, "")


def test_a_check_changes_nothing(bsd: SimSession) -> None:
    assert typed(bsd, "sysrc -c jail_enable=NO jail_enable") == (0, "")
    assert typed(bsd, "sysrc -vc jail_enable=YES") == (
        1,
        "/etc/defaults/rc.conf: jail_enable: would change from `NO' to `YES'\n",
    )
    assert typed(bsd, "sysrc -vc other=1") == (1, "other: not currently set\n")
    assert typed(bsd, "cat /etc/rc.conf")[0] == 1


def test_what_it_does_not_take_is_said(bsd: SimSession) -> None:
    mistakes = [
        Mistake("sysrc", 1, "Usage: sysrc [OPTIONS] {name[[+|-]=value] ... | -a | -A | -l"),
        Mistake("sysrc -h", 1, "Try `sysrc --help' for more information."),
        Mistake("sysrc -Z", 1, "Illegal option -Z"),
        Mistake("sysrc -f", 1, "No arg for -f option"),
        Mistake("sysrc -l name", 1, "Usage: sysrc"),
        Mistake("sysrc a,b=c", 1, "sysrc: a,b: name contains characters not allowed in shell"),
        Mistake("sysrc nosuch", 1, "sysrc: unknown variable 'nosuch'"),
        Mistake("sysrc -q nosuch", 1),
        Mistake("sysrc -a", 1, "not modelled"),
        Mistake("sysrc --help", 1, "not modelled"),
        Mistake("su user -c 'sysrc a=b'", 1, "cannot create /etc/rc.conf: Permission denied"),
    ]
    assert unlike(bsd, mistakes) == []
