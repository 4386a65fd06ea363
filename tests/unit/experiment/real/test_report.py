"""A report as data, as JUnit, and a call's purity: no kernel is asked."""

from xml.etree import ElementTree

from simulator.experiment.real.junit import document
from simulator.experiment.real.purity import pure
from simulator.experiment.real.report import Report, Row
from simulator.machine.abi.call import Call, Denial, Failed, Returned
from simulator.machine.abi.errno import Errno

ROWS = (
    Row(spec="runc", probe="a", step=0, call="open", kind="agree", model="fd", real="fd"),
    Row(spec="runc", probe="a", step=1, call="read", kind="unexplained", model="1", real="EIO"),
    Row(spec="runc", probe="b", kind="not_here", reason="no runc"),
    Row(spec="lxc", probe="a", step=0, call="open", kind="agree_in_set", model="1", real="2"),
)
REPORT = Report(stamp={"kernel": "6.1"}, rows=ROWS)


def test_a_pair_holds_both_sides_and_where_they_part() -> None:
    pairs = REPORT.pairs()
    assert set(pairs) == {("runc", "a"), ("runc", "b"), ("lxc", "a")}
    assert pairs["runc", "a"].kind == "unexplained"
    assert pairs["runc", "a"].first_difference == 1
    assert pairs["lxc", "a"].first_difference is None
    assert [row[3] for row in pairs["runc", "a"].beside()] == [False, True]


def test_no_row_is_dropped_from_the_counts() -> None:
    assert sum(sum(row.values()) for row in REPORT.summary().values()) == len(ROWS)
    assert REPORT.agreement() == 2 / 3


def test_junit_has_a_case_for_every_probe() -> None:
    top = ElementTree.fromstring(document(REPORT).partition("?>")[2])
    suites = {suite.get("name"): suite for suite in top}
    assert suites["runc"].get("tests") == "2"
    assert suites["runc"].get("failures") == "1"
    assert suites["runc"].get("skipped") == "1"
    failure = suites["runc"].find("testcase/failure")
    assert failure is not None
    assert "step 1" in (failure.text or "")


def test_a_call_that_failed_or_only_looked_changed_nothing() -> None:
    assert pure(Call("mkdir", ("/x", 0o755)), Failed(Denial(Errno.EPERM)))
    assert pure(Call("stat", ("/x",)), Returned(0))
    assert pure(Call("open", ("/x", 0)), Returned(3))
    assert not pure(Call("open", ("/x", 0o101, 0o644)), Returned(3))
    assert not pure(Call("mkdir", ("/x", 0o755)), Returned(0))
    assert not pure(Call("close", (0,)), Returned(0))
