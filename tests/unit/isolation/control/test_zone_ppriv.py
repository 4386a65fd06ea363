"""ppriv(1): cmd/ptools/ppriv/ppriv.c, lib/libc/port/gen/priv_str_xlate.c of illumos."""

import pytest
from mistakes import Mistake, host, said, unlike

from simulator.isolation.mechanisms.zone_limitpriv import DEFAULT
from simulator.machine.kernel import privset

ZONE = DEFAULT["shared"]
USAGE = "usage:\tppriv [-v] [-S] [-D|-N] [-s spec] { pid | core } ..."


@pytest.mark.parametrize(
    ("bits", "portable", "short"),
    [
        (privset.ALL, "all", "all"),
        (privset.BASIC, "basic", "basic"),
        (ZONE, "basic,contract_event,contract_observer,file_chown,", "zone"),
        (0, "basic,!file_link_any,!proc_exec,!proc_fork,!proc_info,!proc_session", "none"),
        (
            privset.BASIC ^ privset.mask("proc_fork sys_time"),
            "basic,!proc_fork,sys_time",
            "basic,!proc_fork,sys_time",
        ),
        (ZONE ^ privset.mask("proc_fork"), "basic,contract_event,", "zone,!proc_fork"),
        (privset.ALL ^ privset.mask("sys_time"), "basic,contract_event,", "all,!sys_time"),
        (
            privset.mask("proc_fork sys_time"),
            "basic,!file_link_any,!proc_exec,!proc_info,!proc_session,sys_time",
            "proc_fork,sys_time",
        ),
    ],
)
def test_a_set_is_written_in_three_ways(bits: int, portable: str, short: str) -> None:
    assert privset.text(bits, "portable", ZONE).startswith(portable)
    assert privset.text(bits, "short", ZONE) == short
    assert privset.text(bits, "literal", ZONE) == (",".join(privset.names(bits)) or "none")
    for style in ("portable", "short", "literal"):
        written = privset.text(bits, style, ZONE)
        assert privset.parse(written, {"zone": ZONE}) == bits


def test_what_a_process_has_and_what_a_command_is_started_with() -> None:
    session = host("zone")
    shown = said(session, "ppriv $$")
    assert shown.endswith("flags = <none>\n\tE: all\n\tI: basic\n\tP: all\n\tL: all\n")
    assert "\tL: zone\n" in said(session, "ppriv -S $$", "guest")
    assert "\tL: basic,contract_event," in said(session, "ppriv $$", "guest")
    line = "ppriv -e -s L-sys_time,proc_zone sh -c 'ppriv -S $$'"
    assert "\tL: all,!proc_zone,!sys_time\n" in said(session, line)


def test_what_it_does_not_take_is_said() -> None:
    mistakes = [
        Mistake("ppriv", 2, USAGE),
        Mistake("ppriv -Q", 2, "ppriv: illegal option -- Q"),
        Mistake("ppriv -s", 2, "ppriv: option requires an argument -- s"),
        Mistake("ppriv -D -N 1", 2, USAGE),
        Mistake("ppriv -l -e ls", 2, USAGE),
        Mistake("ppriv -M 1", 2, USAGE),
        Mistake("ppriv -D 1", 1, "not modelled"),
        Mistake("ppriv -s E=basic 1", 1, "not modelled"),
        Mistake("ppriv -lv basic", 1, "not modelled"),
        Mistake("ppriv -l basic", 0, "file_link_any\nproc_exec\nproc_fork\nproc_info"),
        Mistake("ppriv -l zoo default basic", 2, "ppriv: default: bad privilege list"),
        Mistake("ppriv -e -s E ls", 3, 'ppriv: bad privilege specification: "E"'),
        Mistake("ppriv -e -s E=zoo ls", 3, 'ppriv: bad privilege specification: "zoo"'),
        Mistake("ppriv -e -s E= ls", 3, 'ppriv: bad privilege specification: ""'),
        Mistake("ppriv -e -s X=all ls", 3, 'ppriv: bad privilege specification: "X=all"'),
        Mistake("ppriv -e -s L=all -s L-sys_time ls", 1, "ppriv: conflicting spec: L-sys_time"),
        Mistake("ppriv -e -s I+all -s A=all ls", 1, "ppriv: conflicting spec: A=all"),
        Mistake("ppriv 99999", 1, "ppriv: cannot examine 99999: no such process"),
        Mistake("ppriv 99998 99999", 2, "ppriv: cannot examine 99999: no such process"),
    ]
    assert unlike(host("zone"), mistakes) == []
