"""The screens through Pilot: a person steps, looks, lifts a mechanism, compares."""

import pytest
from textual.widgets import Input

from simulator.classroom.tui.app import VitrinaApp
from simulator.classroom.tui.playback import differing, program
from simulator.classroom.tui.recording import record
from simulator.classroom.tui.screens.compare import CompareScreen
from simulator.classroom.tui.screens.flow import FlowDialog
from simulator.classroom.tui.screens.home import HomeScreen
from simulator.classroom.tui.screens.mechanisms import MechanismsDialog
from simulator.classroom.tui.screens.play import PlayScreen
from simulator.classroom.tui.widgets.state_panel import StatePanel
from simulator.machine.abi import i18n
from tests.tui.screen import screen_text, until

SMALL = (80, 24)
ESCAPE = "fs.chroot-escape"


async def test_home_shows_the_technologies_on_a_line_and_the_scenarios():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        text = screen_text(pilot.app)

    assert "chroot" in text
    assert "1979" in text
    assert "Walking out of a chroot" in text


async def test_enter_plays_the_scenario_and_stands_where_its_program_begins():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        await pilot.press("enter")

        screen = pilot.app.screen
        assert isinstance(screen, PlayScreen)
        assert screen.cursor == screen.run.launched


async def test_n_and_p_step_forward_and_back():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        await pilot.press("enter", "n", "full_stop", "p")

        assert pilot.app.screen.cursor == pilot.app.screen.run.launched + 1


async def test_home_and_end_go_to_both_ends_of_the_time_line():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        await pilot.press("enter", "end")
        assert pilot.app.screen.cursor == len(pilot.app.screen.run.steps)

        await pilot.press("home")
        assert pilot.app.screen.cursor == 0


async def test_a_number_jumps_to_that_line_of_the_program():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        await pilot.press("enter", "1", "5", "enter")

        screen = pilot.app.screen
        assert screen.run.steps[screen.cursor - 1].number == 15


async def test_a_step_marks_what_it_changed_forward_and_back():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        await pilot.press("enter", "n", "n")
        screen = pilot.app.screen
        assert isinstance(screen, PlayScreen)
        sandbox = screen.query_one("#sandbox", StatePanel)
        forward = str(sandbox.query_one(".lines").render())

        await pilot.press("p")
        back = str(sandbox.query_one(".lines").render())

    assert "▌working directory" in forward
    assert "▌working directory" in back


async def test_lifting_a_mechanism_branches_the_time_line_where_it_first_differs():
    app = VitrinaApp()
    async with app.run_test(size=SMALL) as pilot:
        app.play(ESCAPE, "docker")
        await pilot.pause()
        await pilot.press("t")
        assert isinstance(app.screen, MechanismsDialog)
        boxes = app.screen.query_one("#mechanisms")
        boxes.deselect("pivot-root")
        await pilot.press("enter")
        await pilot.pause()

        screen = app.screen
        assert isinstance(screen, PlayScreen)
        assert screen.run.without == ("pivot-root",)
        assert screen.trunk is not None
        stood = screen.run.steps[screen.cursor - 1]
        before = {step.number: step.outcome for step in program(screen.trunk)}
        assert stood.outcome != before[stood.number]


async def test_walls_can_be_lifted_at_the_end_of_a_run_that_is_longer_than_the_branch():
    app = VitrinaApp()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("enter", "end", "t", "space", "enter")
        await until(pilot, lambda: getattr(app.screen, "run", None) and app.screen.run.without)
        assert app.screen.cursor <= len(app.screen.run.steps)

        await pilot.press("end", "b")
        await until(pilot, lambda: app.screen.run.without == ())


async def test_compare_walks_two_technologies_in_lock_step_to_the_difference():
    app = VitrinaApp()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("c")
        app.screen.query_one(Input).value = "docker"
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, CompareScreen)

        await pilot.press("d")

        left, right = app.screen._runs
        line = app.screen.line
        assert program(left)[line - 1].outcome != program(right)[line - 1].outcome


def test_a_number_of_a_process_alone_makes_no_difference():
    i18n.use("en")
    counted = record("resources.processes", "cgroups pids.max=16")
    beans = record("resources.processes", "openvz --numproc 16")
    numbers = {counted.steps[at - 1].number for at in differing(counted, beans)}
    outcomes = {step.outcome for step in program(counted) if step.number in numbers}
    assert outcomes == {"EAGAIN"}


async def test_a_mistyped_technology_is_said_where_it_was_typed_and_can_be_mended_there():
    app = VitrinaApp()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("s")
        field = app.screen.query_one(Input)
        field.value = "dockre"
        await pilot.press("enter")
        await until(pilot, lambda: "did you mean docker?" in screen_text(app))
        assert app.focused is field

        field.value = "docker"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PlayScreen))


async def test_l_changes_the_language_of_everything_that_is_shown():
    app = VitrinaApp()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("l")
        await pilot.pause()

        text = screen_text(app)
        assert "Salir andando de un chroot" in text
        assert "ayuda" in text


async def test_the_help_of_a_screen_opens_and_closes():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        await pilot.press("question_mark")
        assert "Ctrl+P" in screen_text(pilot.app)

        await pilot.press("escape")
        assert isinstance(pilot.app.screen, HomeScreen)


@pytest.mark.parametrize("spec", ["none", "sealed", "chroot", "jail", "docker"])
async def test_every_technology_can_be_walked_from_end_to_end_in_every_view(spec):
    app = VitrinaApp()
    async with app.run_test(size=SMALL) as pilot:
        app.play(ESCAPE, spec)
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, PlayScreen)
        for view in range(4):
            screen.view_number = view
            for cursor in range(0, len(screen.run.steps) + 1, 7):
                screen.cursor = cursor
                await pilot.pause()
            assert screen.query_one("#host", StatePanel).query_one(".lines").render()


async def test_f_draws_the_flow_and_an_access_leads_to_its_line():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        await pilot.press("enter", "f")
        await pilot.pause()
        assert isinstance(pilot.app.screen, FlowDialog)
        text = screen_text(pilot.app)
        assert "/srv/canary/secret" in text
        assert "read" in text
        await pilot.press("down", "enter")
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, PlayScreen)
        assert screen.run.steps[screen.cursor - 1].number == 15


async def test_r_draws_the_curves_of_a_run_and_escape_comes_back():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        pilot.app.play("resources.cpu-share", "docker")
        await pilot.pause()
        await pilot.press("r")
        await pilot.pause()
        text = screen_text(pilot.app)
        assert "processors" in text
        assert "neighbour" in text
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, PlayScreen)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("scenario", ["resources.cpu-share", "docker.run"])
async def test_the_way_to_the_help_fits_on_a_small_terminal(language, scenario):
    i18n.use(language)
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        pilot.app.play(scenario, "docker")
        words = "? ayuda" if language == "es" else "? help"
        await until(pilot, lambda: words in screen_text(pilot.app).rpartition("\n")[2])


async def test_the_why_panel_says_who_was_asked_and_who_said_no():
    async with VitrinaApp().run_test(size=(110, 40)) as pilot:
        await pilot.app.push_screen(PlayScreen(record("fs.mount", "vserver")))
        await pilot.press("n", "n")
        refused = screen_text(pilot.app)
        await pilot.press("p")
        granted = screen_text(pilot.app)

    assert "freezer ✓ · seccomp ✓ · vserver-context ✓ · apparmor ✓ · vserver-context ✗" in refused
    assert "freezer ✓ · seccomp ✓ · vserver-context ✓" in granted
    assert "vserver-context ✗" not in granted


def test_nobody_is_asked_for_a_whole_line_whose_calls_are_steps_of_their_own():
    run = record("docker.layers", "docker")
    at = next(at for at, step in enumerate(run.steps, start=1) if run.steps[at].depth > step.depth)
    assert run.asked(0) == run.asked(at) == ()
    assert run.asked(at + 1) != ()
