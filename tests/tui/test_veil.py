"""What comes after the cursor can be hidden: a class says first what it expects."""

from simulator.classroom.tui.app import VitrinaApp
from simulator.classroom.tui.screens.compare import CompareScreen
from simulator.classroom.tui.widgets.call_list import CallList
from tests.tui.screen import screen_text, until

SIZE = (120, 40)


async def test_h_hides_marks_answers_and_the_verdict_until_one_steps_to_them():
    async with VitrinaApp().run_test(size=SIZE) as pilot:
        await pilot.press("enter", "h")
        calls = pilot.app.screen.query_one(CallList)
        await until(pilot, lambda: calls.option_count)
        await pilot.pause()
        text = screen_text(pilot.app)
        assert "LEAKS" not in text
        assert "!" not in text
        assert "canary-quartz" not in text
        assert str(calls.get_option_at_index(5).prompt).endswith('mkdir("/tmp/deeper", 0o755)')

        await pilot.press("n")
        assert str(calls.get_option_at_index(5).prompt).endswith("= 0")
        assert str(calls.get_option_at_index(6).prompt).endswith('chroot("/tmp/deeper")')

        await pilot.press("p")
        assert str(calls.get_option_at_index(5).prompt).endswith("0o755)")

        await pilot.press("end")
        await pilot.pause()
        assert "LEAKS" in screen_text(pilot.app)
        assert "░" not in screen_text(pilot.app)


async def test_what_is_hidden_stays_so_in_the_next_run_and_where_runs_are_compared():
    async with VitrinaApp().run_test(size=SIZE) as pilot:
        await pilot.press("enter", "h", "escape", "c", *"docker", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen))
        await until(pilot, lambda: "mkdir(" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        assert "≠" not in text
        assert "HOLDS" not in text

        await pilot.press("d")
        await pilot.pause()
        assert screen_text(pilot.app).count("≠ 15") == 2

        await pilot.press("h")
        await pilot.pause()
        assert "HOLDS" in screen_text(pilot.app)
