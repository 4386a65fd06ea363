"""What the lists of calls and the words beside them say, at the size of a small terminal."""

import pytest

from simulator.classroom.tui.app import VitrinaApp
from simulator.classroom.tui.present.step import Step, Tone, inside, statement
from simulator.classroom.tui.screens.compare import CompareScreen
from simulator.classroom.tui.widgets.call_list import CallList
from tests.tui.screen import screen_text, until

SMALL = (80, 24)
ESCAPE = "fs.chroot-escape"


def step(call, actor="guest"):
    return Step(number=0, actor=actor, call=call, outcome="= 0", tone=Tone.OK, after=(1,))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("fd = open(CANARY, O_RDONLY)", "fd = guest.open(CANARY, O_RDONLY)"),
        ('chdir("..")', 'guest.chdir("..")'),
        ("$ PATH = /bin ps", "guest$ PATH = /bin ps"),
    ],
)
def test_a_step_is_said_as_the_probe_language_writes_it(call, said):
    assert "".join(statement(step(call))) == said


async def test_a_comparison_opens_on_the_program_line_beside_line():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        await pilot.press("c", *"docker", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen))
        await until(pilot, lambda: "mkdir(" in screen_text(pilot.app))
        lines = screen_text(pilot.app).splitlines()

    first = next(line for line in lines if "mkdir(" in line)
    assert first.count("   0 ✓ g mkdir(") == 2
    assert any("Can root inside" in line for line in lines)


@pytest.mark.parametrize("width", [80, 200])
async def test_what_came_of_a_call_is_never_cut_away(width):
    async with VitrinaApp().run_test(size=(width, 24)) as pilot:
        pilot.app.play(ESCAPE, "docker")
        await until(pilot, lambda: pilot.app.screen.query(CallList))
        calls = pilot.app.screen.query_one(CallList)
        await until(pilot, lambda: calls.option_count)
        await pilot.pause()
        cut = [
            str(option.prompt)
            for option, one in zip(calls.options, calls.steps, strict=True)
            if not str(option.prompt).endswith(one.outcome) or len(str(option.prompt)) > width
        ]

    assert cut == []


async def test_the_calls_inside_a_line_are_listed_while_one_stands_in_it():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        pilot.app.play("docker.mounts", "none")
        await until(pilot, lambda: pilot.app.screen.query(CallList))
        screen, calls = pilot.app.screen, pilot.app.screen.query_one(CallList)
        await until(pilot, lambda: calls.option_count)
        lines = sum(one.depth == 0 for one in screen.run.steps)
        assert calls.option_count == lines

        await pilot.press("n", "n")
        within = len(inside(screen.run.steps, screen.cursor - 1))
        assert f"echo v1 > /srv/code/app = 0 ▸{within}" in screen_text(pilot.app)
        await pilot.press("right_square_bracket")
        assert calls.option_count == lines + within
        assert calls.highlighted_option.id == str(screen.cursor - 1)
        assert f"▸{within}" not in screen_text(pilot.app)
        await pilot.press("n")
        assert calls.option_count == lines

        await pilot.press("end", "n")  # after the last line there is nothing more
        assert screen.run.steps[screen.cursor - 1].depth == 0
        assert calls.highlighted == lines - 1


async def test_a_line_that_was_clicked_is_stood_after():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        pilot.app.play("docker.mounts", "none")
        await until(pilot, lambda: pilot.app.screen.query(CallList))
        screen, calls = pilot.app.screen, pilot.app.screen.query_one(CallList)
        await until(pilot, lambda: calls.option_count)
        calls.highlighted = calls.option_count - 1
        calls.action_select()
        await until(pilot, lambda: screen.run.steps[screen.cursor - 1].number == 14)
        assert screen.run.steps[screen.cursor - 1].depth == 0
