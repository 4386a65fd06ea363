"""How two results compare, without any kernel."""

from typing import Any

import pytest

from simulator.experiment.probes.language import parse
from simulator.experiment.probes.trace import Entry, Status, Trace
from simulator.experiment.real import facts, verify
from simulator.experiment.real.outcome import (
    Allowed,
    Difference,
    Known,
    Reason,
    in_range,
    sources,
    word,
)
from simulator.experiment.real.report import CLASSES, Row
from simulator.machine.abi import i18n
from simulator.machine.abi.errno import Errno

WHY = Reason("because", "porque")
FACTS = facts.Facts(
    release="6.1.0-18-amd64",
    machine="x86_64",
    cgroups="v2",
    controllers={},
    features={"kexec": False, "modules": True},
    sysctls={},
    bounding=(),
    effective=(),
    versions={},
)


def entry(step: int, status: Status = Status.RETURNED, **fields: Any) -> Entry:
    defaults: dict[str, Any] = {"value": 0 if status is Status.RETURNED else None, "call": "kill"}
    return Entry(
        step=step, line=step + 1, rep=0, actor="guest", status=status, **(defaults | fields)
    )


def failed(step: int, errno: Errno, call: str = "kill") -> Entry:
    return entry(step, Status.FAILED, value=-1, errno=errno, call=call)


def compared(model: list[Entry], real: list[Entry], known: Known) -> list[Row]:
    job = verify.Job(_never, _never, known, FACTS)
    return verify.compare(job, "docker", "p", Trace(tuple(model)), Trace(tuple(real)))


def kinds(model: list[Entry], real: list[Entry], known: Known | None = None) -> list[str]:
    return [row.kind for row in compared(model, real, known or Known())]


def test_which_names_an_image_has_in_its_root_is_its_own_affair() -> None:
    def listed(step: int, *names: str) -> Entry:
        return entry(step, call="getdents64", args=(3, 4096), value=24 * len(names), data=names)

    root = ("dev", "etc", "proc", "sys")
    assert kinds([listed(0, *root)], [listed(0, *root, "lib")]) == ["agree_in_set"]
    assert kinds([listed(0, "etc")], [listed(0, "etc", "lib")]) == ["unexplained"]


def _never(_spec: str, _program: object) -> Trace:
    raise AssertionError


def test_equal_results_agree_down_to_errno() -> None:
    assert kinds([failed(0, Errno.EPERM)], [failed(0, Errno.EPERM)]) == ["agree"]
    assert kinds([failed(0, Errno.EPERM)], [failed(0, Errno.ESRCH)]) == ["unexplained"]


def test_descriptors_compare_by_class_and_numbers_by_value() -> None:
    three = entry(0, value=3, value_class="fd")
    assert kinds([three], [entry(0, value=7, value_class="fd")]) == ["agree"]
    assert kinds([entry(0, value=3)], [entry(0, value=7)]) == ["unexplained"]


def test_what_the_model_does_not_know_is_silent_not_wrong() -> None:
    assert kinds([entry(0, Status.SILENT)], [failed(0, Errno.EPERM)]) == ["model_silent"]


def test_what_the_guard_kept_back_is_not_here() -> None:
    assert kinds([entry(0)], [entry(0, Status.SILENT)]) == ["not_here"]


def test_a_step_skipped_on_one_side_follows_the_difference_before_it() -> None:
    rules = Known(difference=(Difference(id="x", reason=WHY, call="kill", real="ESRCH"),))
    model = [entry(0), entry(1)]
    real = [failed(0, Errno.ESRCH), entry(1, Status.SKIPPED)]
    assert kinds(model, real, rules) == ["known_difference", "known_difference"]
    assert kinds(model, real) == ["unexplained", "unexplained"]


def test_a_specification_that_leaves_a_result_open_lets_both_agree() -> None:
    rules = Known(allowed=(Allowed(call="unlink", results=("EISDIR", "EPERM"), reason=WHY),))
    here, there = failed(0, Errno.EISDIR, "unlink"), failed(0, Errno.EPERM, "unlink")
    assert kinds([here], [there], rules) == ["agree_in_set"]


def test_a_difference_of_a_missing_feature_holds_only_without_the_feature() -> None:
    one, two = failed(0, Errno.EINVAL), failed(0, Errno.ENOSYS)
    for feature, kind in (("kexec", "known_difference"), ("modules", "unexplained")):
        rules = Known(difference=(Difference(id="x", reason=WHY, lacks=feature),))
        assert kinds([one], [two], rules) == [kind]


@pytest.mark.parametrize(
    ("kernel", "wanted", "inside"),
    [
        ("6.1.0-18-amd64", "", True),
        ("6.1.0-18-amd64", ">=5.6", True),
        ("6.1.0-18-amd64", ">=5.6,<6.1", False),
        ("6.18.44-fc", ">6.9", True),
        ("5.4.0", "<5.4", False),
    ],
)
def test_kernel_ranges(kernel: str, wanted: str, inside: bool) -> None:
    assert in_range(kernel, wanted) is inside


def test_words() -> None:
    assert word(failed(0, Errno.EROFS)) == "EROFS"
    assert word(entry(0, Status.KILLED, signal="SIGSYS")) == "killed SIGSYS"
    assert word(entry(0, Status.BLOCKED)) == "blocked"


def test_no_pair_of_spec_and_probe_is_ever_dropped() -> None:
    probes = [
        verify.Probe("a", parse("guest.getpid()")),
        verify.Probe("b", parse("# on: docker\nguest.getpid()")),
        verify.Probe("c", parse("guest.getpid()"), ("model-only",)),
    ]
    trace = Trace((entry(0),))
    report = verify.verify(["none", "jail"], probes, lambda *_: trace, lambda *_: trace)
    assert {(row.spec, row.probe) for row in report.rows} == {
        (spec, name) for spec in ("none", "jail") for name in "abc"
    }
    assert set(report.summary()["jail"]) == set(CLASSES)
    assert report.summary()["jail"]["not_here"] == 3
    keys = {"spec", "probe", "step", "class", "model", "real", "reason"}
    assert all(keys <= set(row) for row in report.to_json()["entries"])


def test_the_list_of_known_differences_can_be_read_and_every_one_has_a_reason() -> None:
    rules = verify.known()
    assert rules.difference
    assert all(item.reason and item.id for item in rules.difference)
    assert len({item.id for item in rules.difference}) == len(rules.difference)


def test_a_text_of_the_kernel_is_known_wherever_a_probe_mounts_it() -> None:
    made = entry(0, call="mount", args=("none", "/tmp/p", "proc", 0, None), value=0)
    opened = entry(1, call="open", args=("/tmp/p/locks", 0), value=3)
    read = entry(2, call="read", args=(3, 64), value=12)
    assert sources((made, opened, read)) == {2: "/proc/locks"}


def test_a_bug_of_the_model_costs_one_row() -> None:
    def broken(_spec: str, _program: object) -> Trace:
        raise NameError("nobody")

    real = Trace((entry(0),))
    probes = [verify.Probe("a.b", parse("guest.getpid()"))]
    report = verify.verify(["none"], probes, broken, lambda *_: real)
    (row,) = report.rows
    assert row.kind in ("unexplained", "not_here")
    if row.kind == "unexplained":
        assert row.model == "NameError: nobody"


def test_a_reason_is_told_in_the_language_spoken() -> None:
    rules = Known(difference=(Difference(id="x", reason=WHY),))
    told: list[str] = []
    for language in ("es", "en"):
        i18n.use(language)
        told += [row.reason for row in compared([entry(0)], [failed(0, Errno.EIO)], rules)]
    assert told == ["x: porque", "x: because"]
