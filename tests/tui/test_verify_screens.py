"""The page of the comparison: counts, entries, two traces with the first difference marked."""

import json
import sys
from pathlib import Path

import pytest

from simulator.classroom.tui.app import VitrinaApp
from simulator.classroom.tui.screens.home import HomeScreen
from simulator.classroom.tui.screens.verify import EntriesScreen, PairScreen, VerifyScreen
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.report import Report, Row, read
from tests.tui.screen import screen_text, until

ROWS = tuple(
    Row(spec=spec, probe="proc.locks", step=step, actor="guest", call=call, **words)
    for spec in ("none", "docker --cap-drop ALL --pids-limit 20 --read-only --network=none")
    for step, (call, words) in enumerate(
        [
            ("open", {"kind": "agree", "model": "fd", "real": "fd"}),
            ("read", {"kind": "unexplained", "model": "0", "real": "42"}),
            (
                "close",
                {"kind": "known_difference", "model": "0", "real": "EIO", "reason": "x: why"},
            ),
        ]
    )
)
REPORT = Report(stamp={"kernel": "6.1.0", "probes": "abc"}, rows=ROWS)


def test_a_saved_report_is_read_as_it_was_written() -> None:
    assert read(json.dumps(REPORT.to_json()).encode()).rows == ROWS


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"[" * 99_999, b'{"entries": [3]}'])
def test_anything_else_is_one_clear_line(content: bytes) -> None:
    with pytest.raises(RealError, match="no report of vitrina verify") as caught:
        read(content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_a_cell_opens_to_entries_and_an_entry_to_both_traces(size: tuple[int, int]) -> None:
    app = VitrinaApp()
    async with app.run_test(size=size) as pilot:
        await app.push_screen(VerifyScreen(REPORT))
        await pilot.pause()
        text = screen_text(app)
        assert "33.33% agree · 2 unexplained · Linux 6.1.0" in text
        assert "none" in text
        await until(pilot, lambda: "⏎ open" in screen_text(app))
        await pilot.press("right", "right", "right", "right", "enter")
        await pilot.pause()
        assert isinstance(app.screen, EntriesScreen)
        assert "model | kernel" in screen_text(app)
        await until(pilot, lambda: "⏎ open" in screen_text(app))
        assert "proc.locks 1 guest.read  0 | 42" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, PairScreen)
        lines = screen_text(app).splitlines()
        assert any("▶" in line and "guest.read" in line and "42" in line for line in lines)
        assert any("≠" in line and "guest.close" in line for line in lines)
        await pilot.press("down")
        await pilot.pause()
        assert "known: x: why" in screen_text(app)
        await pilot.press("escape", "escape", "escape")
        await pilot.pause()
        assert isinstance(app.screen, HomeScreen)


async def test_the_home_screen_leads_there_and_a_file_can_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "verify.json"
    path.write_text(json.dumps(REPORT.to_json()))
    app = VitrinaApp()
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("v")
        await pilot.pause()
        assert isinstance(app.screen, VerifyScreen)
        assert "No report yet" in screen_text(app)
        await pilot.press("o")
        await pilot.pause()
        field = app.screen.query_one("#verify-file")
        field.value = str(tmp_path / "nothing")  # type: ignore[attr-defined]
        await pilot.press("enter")
        await pilot.pause()
        assert "No report yet" in screen_text(app)
        await pilot.press("o")
        await pilot.pause()
        app.screen.query_one("#verify-file").value = str(path)  # type: ignore[attr-defined]
        await pilot.press("enter")
        await pilot.pause()
        assert "2 unexplained" in screen_text(app)


async def test_a_comparison_runs_in_the_background_and_its_report_is_shown(tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    saved.write_text(json.dumps(REPORT.to_json()))
    code = (
        "import shutil, sys; print('1/2', file=sys.stderr); print('2/2', file=sys.stderr);"
        f"shutil.copy({str(saved)!r}, sys.argv[-1])"
    )
    app = VitrinaApp()
    async with app.run_test(size=(120, 30)) as pilot:
        await app.push_screen(VerifyScreen(command=(sys.executable, "-c", code)))
        await pilot.pause()
        await pilot.press("r")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "2 unexplained" in screen_text(app)


async def test_a_comparison_that_fails_says_why(tmp_path: Path) -> None:
    code = "import sys; print('vitrina: no such thing', file=sys.stderr); sys.exit(2)"
    app = VitrinaApp()
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await app.push_screen(VerifyScreen(command=(sys.executable, "-c", code)))
        await pilot.pause()
        await pilot.press("r")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert any("no such thing" in note.message for note in app._notifications)
