"""rctl(8): usr.bin/rctl/rctl.c, sys/kern/kern_rctl.c."""

import pytest
from mistakes import Mistake, host, said, typed, unlike

OFF = "rctl: RACCT/RCTL present, but disabled; enable using kern.racct.enable=1 tunable"
USAGE = "usage: rctl [ -h ] [-a rule | -l filter | -r filter | -u filter | filter]"
LIMITED = "jail jail::maxproc:deny=6"

ON_GENERIC = [
    Mistake("rctl", 1, OFF),
    Mistake("rctl -a jail:guest:maxproc:deny=5 jail:guest:nthr:deny=5", 1, OFF),
    Mistake("rctl -z", 1, f"rctl: illegal option -- z\n{USAGE}"),
    Mistake("rctl -a foo", 1, "rctl: malformed rule 'foo': missing subject"),
    Mistake("jexec guest rctl", 1, OFF),
    Mistake(
        "sysctl kern.racct.enable=1",
        1,
        "sysctl: oid 'kern.racct.enable' is a read only tunable\n"
        "sysctl: Tunable values are set in /boot/loader.conf",
    ),
    Mistake("sysctl hw.ncpu=8", 1, "sysctl: oid 'hw.ncpu' is read only"),
    Mistake("sysctl kern.nosuch=8", 1, "sysctl: unknown oid 'kern.nosuch'"),
]
WHERE_IT_IS_ON = [
    Mistake("rctl -al x", 1, "rctl: at most one of -a, -l, -r, or -u may be specified"),
    Mistake("rctl -u", 1, USAGE),
    Mistake("rctl foo jail:x", 1, "rctl: malformed rule 'foo': missing subject"),
    Mistake(
        "rctl -a u:nosuch:maxproc:deny=5",
        1,
        "rctl: malformed rule 'u:nosuch:maxproc:deny=5': unknown user 'nosuch'",
    ),
    Mistake(
        "rctl -a u:5x:maxproc:deny=5",
        1,
        "rctl: malformed rule 'u:5x:maxproc:deny=5': trailing characters after numerical id",
    ),
    Mistake(
        "rctl -a j:web:maxproc:deny=5z",
        1,
        "rctl: malformed rule 'j:web:maxproc:deny=5z': invalid numeric value '5z'",
    ),
    Mistake(
        "rctl -a j:web:nosuch:deny=5 j:web:cputime:deny=5 j:web:nthr:deny=5",
        2,
        "rctl: failed to add rule 'j:web:nosuch:deny=5': Invalid argument\n"
        "rctl: failed to add rule 'j:web:cputime:deny=5': Operation not supported",
    ),
    Mistake(
        "rctl -a p:99999:nthr:deny=5",
        1,
        "rctl: failed to add rule 'p:99999:nthr:deny=5': No such process",
    ),
    Mistake("rctl -r j:nosuch", 1, "rctl: failed to remove rule 'j:nosuch': No such process"),
    Mistake("rctl -l j:web", 1, "rctl: failed to get limits for 'j:web': Operation not supported"),
    Mistake("rctl -l p:", 1, "rctl: failed to get limits for 'p:': Invalid argument"),
    Mistake(
        "rctl -u j:", 1, "rctl: failed to show resource consumption for 'j:': Invalid argument"
    ),
    Mistake("rctl g:wheel", 1, "rctl: failed to show rules for 'g:wheel': Invalid argument"),
    # What is not asked for by name is no failure (rctl.c main()).
    Mistake("jexec guest rctl", 0, "rctl: failed to show rules for '::': Operation not permitted"),
    Mistake(
        "jexec guest rctl -a jail:guest:maxproc:deny=999",
        1,
        "rctl: failed to add rule 'jail:guest:maxproc:deny=999': Operation not permitted",
    ),
]


@pytest.mark.parametrize(("spec", "mistakes"), [("jail", ON_GENERIC), (LIMITED, WHERE_IT_IS_ON)])
def test_bad_input_gets_the_answer_of_the_real_tool(spec: str, mistakes: list[Mistake]) -> None:
    assert unlike(host(spec), mistakes) == []


def test_rules_are_listed_with_names_and_units() -> None:
    session = host(LIMITED)
    said(session, "rctl -r j:neighbour; rctl -a u:root:vmemoryuse:deny=2g/process")
    rules = "user:root:vmemoryuse:deny=2147483648/process\njail:guest:maxproc:deny=6\n"
    assert said(session, "rctl") == rules
    assert said(session, "rctl -n u:root") == "user:0:vmemoryuse:deny=2147483648/process\n"
    assert said(session, "rctl -h u:") == "user:root:vmemoryuse:deny=2048M/process\n"
    assert said(session, "rctl -r :; rctl") == ""


def test_what_a_jail_holds_is_told() -> None:
    figures = said(host(LIMITED), "rctl -hu jail:guest").splitlines()
    assert len(figures) == 25
    assert figures[6:9] == ["maxproc=1", "openfiles=0", "vmemoryuse=16M"]


def test_a_rule_given_at_the_keyboard_holds_from_then_on() -> None:
    session = host("jail kern.racct.enable=1")
    fork = "jexec guest sh -c 'sleep 1 & sleep 1 & sleep 1 & wait'"
    assert typed(session, fork) == (0, "")
    said(session, "rctl -a jail:guest:maxproc:deny=3")
    assert typed(session, fork) == (2, "sh: can't fork: Resource temporarily unavailable\n")


def test_jail_conf_gives_a_jail_its_rules_before_it_starts() -> None:
    session = host("jail kern.racct.enable=1")
    said(
        session,
        "echo 'web { path = /srv/guest; persist;"
        ' exec.created = "rctl -a jail:$name:maxproc:deny=1";'
        ' exec.poststop = "rctl -r jail:$name"; }\' > /etc/jail.conf; jail -c web',
    )
    assert said(session, "rctl") == "jail:web:maxproc:deny=1\n"
    assert typed(session, "jexec web sh -c 'ls | wc'")[0] == 2
    assert said(session, "jail -r web; rctl") == "web: removed\n"


def test_a_loop_without_end_ends_by_a_rule_about_processor_time() -> None:
    session = host("jail jail::cputime:sigterm=2")
    assert typed(session, "jexec guest sh -c 'while :; do :; done'") == (128 + 15, "")
    assert typed(session, "jexec guest sh -c 'sleep 5'") == (0, "")
