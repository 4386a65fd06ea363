"""What the lists of calls and the words beside them say, at the size of a small terminal."""

import pytest

from simulator.classroom.tui.app import VitrinaApp
from simulator.classroom.tui.present.step import Step, Tone, statement
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
