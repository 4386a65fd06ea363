"""The linter of lessons: what it says of footnotes that name a run or a moment."""

from pathlib import Path

import pytest

from simulator.classroom.lessons.check import check

LESSON = """+++
format = 1
id = "900-note"
order = 900
minutes = 1
technologies = []
+++

# A note

A sentence.[^one]

[^one]: {note}
"""


@pytest.mark.parametrize(
    ("note", "mistake"),
    [
        ("`vitrina compare --moment blind-host`", ""),
        ("`vitrina compare --moment blind-hosts`", "there is no moment"),
        ("`vitrina compare --moment blind-host` shows it", "must read"),
        ("`vitrina run hostname.set --on jail`: HOLDS", ""),
        ("`vitrina run hostname.set --on jail`: LEAKS", "says LEAKS, but the run gives HOLDS"),
        ("`vitrina run hostname.set`: HOLDS", "must read"),
        ("reboot(2)", ""),
    ],
)
def test_a_footnote_is_what_it_says(tmp_path: Path, note: str, mistake: str) -> None:
    path = tmp_path / "900-note.md"
    path.write_text(LESSON.format(note=note), "utf-8")
    found = [str(one) for one in check([path])]
    assert mistake in "".join(found)
    assert bool(found) == bool(mistake)
