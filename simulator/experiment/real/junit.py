"""A report as JUnit XML, which continuous integration servers read: one case for each probe."""

from collections.abc import Iterator
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from simulator.experiment.real.report import Report, Row

_SKIPPED = ("not_here", "model_silent")


def document(report: Report) -> str:
    """One suite for each SPEC, one case for each probe; a probe fails by its unexplained rows."""
    top = Element("testsuites", name="vitrina verify")
    for spec, rows in groupby(report.rows, key=lambda row: row.spec):
        suite = SubElement(top, "testsuite", name=spec)
        properties = SubElement(suite, "properties")
        for name, value in report.stamp.items():
            SubElement(properties, "property", name=name, value=str(value))
        counts = [_case(suite, spec, name, list(of)) for name, of in _by_probe(list(rows))]
        suite.set("tests", str(len(counts)))
        suite.set("failures", str(counts.count("failure")))
        suite.set("skipped", str(counts.count("skipped")))
    indent(top)
    return tostring(top, encoding="unicode", xml_declaration=True) + "\n"


def _by_probe(rows: list[Row]) -> "Iterator[tuple[str, Iterator[Row]]]":
    return groupby(rows, key=lambda row: row.probe)


def _case(suite: Element, spec: str, probe: str, rows: list[Row]) -> str:
    case = SubElement(suite, "testcase", name=probe, classname=spec)
    bad = [row for row in rows if row.kind == "unexplained"]
    if bad:
        failure = SubElement(case, "failure", message=f"{len(bad)} unexplained")
        failure.text = "\n".join(_line(row) for row in bad)
        return "failure"
    if all(row.kind in _SKIPPED for row in rows):
        SubElement(case, "skipped", message=rows[0].reason or rows[0].model)
        return "skipped"
    noted = [row for row in rows if row.kind not in ("agree", "agree_in_set")]
    if noted:
        SubElement(case, "system-out").text = "\n".join(_line(row) for row in noted)
    return "passed"


def _line(row: Row) -> str:
    place = "" if row.step is None else f"step {row.step}: {row.actor}.{row.call}: "
    return f"{row.kind}: {place}model {row.model!r}, real {row.real!r} {row.reason}".rstrip()
