"""The course through Pilot: predict, answer, try; what was done is kept."""

import pytest
from textual.widgets import Input, OptionList, RadioButton, TextArea

from simulator.classroom.lessons.load import find
from simulator.classroom.lessons.progress import read
from simulator.classroom.tui.app import VitrinaApp
from simulator.classroom.tui.present.lesson import shown
from simulator.classroom.tui.screens.course import CourseScreen
from simulator.classroom.tui.screens.lesson import LessonScreen
from simulator.classroom.tui.screens.play import PlayScreen
from simulator.classroom.tui.widgets.exercises import challenge
from simulator.classroom.tui.widgets.exercises.challenge import ChallengeExercise
from simulator.classroom.tui.widgets.exercises.choices import Row
from simulator.machine.abi import i18n
from tests.tui.screen import screen_text, until

SMALL = (80, 24)
LESSON = "020-chroot"


@pytest.fixture(autouse=True)
def progress(tmp_path, monkeypatch):
    i18n.use("en")
    path = tmp_path / "progress.json"
    monkeypatch.setenv("VITRINA_PROGRESS", str(path))
    yield path
    i18n.use("en")


async def press(pilot, button):
    """As with the keyboard: to the button, which scrolls it into view, and Enter."""
    widget = pilot.app.screen.query_one(button)
    widget.focus()
    while widget.has_class("-active"):  # it takes no second Enter while it shows the first
        await pilot.pause(0.05)
    await pilot.press("enter")
    await pilot.pause()


async def go_to(pilot, kind):
    screen = pilot.app.screen
    for _ in screen.lesson.parts:
        if screen.lesson.parts[screen.at].kind == kind:
            return
        await screen.action_part(1)
        await pilot.pause()


async def test_home_leads_to_the_lessons_and_back():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        await pilot.press("o")
        assert isinstance(pilot.app.screen, CourseScreen)
        assert find(LESSON).title in screen_text(pilot.app)
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, LessonScreen)
        await pilot.press("escape", "escape")
        assert "Vitrina" in screen_text(pilot.app)


async def test_a_prediction_is_asked_for_before_the_answer_is_shown(progress):
    async with VitrinaApp(lesson=LESSON).run_test(size=SMALL) as pilot:
        await go_to(pilot, "predict")
        await press(pilot, "#look")
        await pilot.pause()
        assert "Choose for each one first." in screen_text(pilot.app)
        assert not progress.exists() or not read(progress)[0].answers

        for index in (0, 2, 5):  # none: through, chroot: through, chroot-freebsd: not
            pilot.app.screen.query(RadioButton)[index].value = True
        await pilot.pause()
        await press(pilot, "#look")
        await pilot.pause()
        assert "chroot-freebsd: it does not get through" in screen_text(pilot.app)
        assert "Step through it" in screen_text(pilot.app)
        kept = read(progress)[0].answered(LESSON, "escape")
    assert kept.answer == "LEAKS LEAKS HOLDS"
    assert kept.first_right


async def test_a_line_of_a_demonstration_is_foretold_and_then_shown(progress):
    async with VitrinaApp(lesson="130-data").run_test(size=SMALL) as pilot:
        await go_to(pilot, "predict")
        await press(pilot, "#look")
        assert "Choose one first." in screen_text(pilot.app)
        for index, mark in ((0, "✗ $ docker run"), (1, "✓ $ docker run")):
            pilot.app.screen.query(RadioButton)[index].value = True
            await pilot.pause()
            await press(pilot, "#look")
            assert mark in screen_text(pilot.app)
            assert "can't open '/note'" in screen_text(pilot.app)
    kept = read(progress)[0].answered("130-data", "dies")
    assert (kept.answer, kept.done, kept.first_right) == ("b", True, False)


async def test_lines_for_the_hosts_shell_are_judged_by_what_they_leave(progress):
    async with VitrinaApp(lesson="130-data").run_test(size=(100, 40)) as pilot:
        await go_to(pilot, "challenge")
        assert "cat /data/note: says 'ours'" in screen_text(pilot.app)
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert "No such file or directory" in screen_text(pilot.app)
        assert "wanted: says 'ours'" in screen_text(pilot.app)
        pilot.app.screen.query_one(TextArea).text = find("130").front.challenge[0].solution
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert "Met." in screen_text(pilot.app)
    assert read(progress)[0].answered("130-data", "survives").done


async def test_a_wrong_option_names_its_misconception_and_a_right_one_is_kept(progress):
    async with VitrinaApp(lesson=LESSON).run_test(size=(100, 40)) as pilot:
        await go_to(pilot, "question")
        options = pilot.app.screen.query_one(OptionList)
        options.focus()
        options.highlighted = 2
        await pilot.press("enter")
        await pilot.pause()
        assert "chroot hides the host's processes." in screen_text(pilot.app)
        assert not read(progress)[0].answered(LESSON, "why").done

        options.highlighted = 1
        await pilot.press("enter")
        await pilot.pause()
        assert "Right." in screen_text(pilot.app)
        assert read(progress)[0].answered(LESSON, "why").done


def test_a_source_names_outcomes_as_everything_else_does():
    i18n.use("es")
    lesson = find(LESSON)
    text = shown(lesson, "Sale.[^kill]")
    assert text.startswith("Sale.³")
    assert "`vitrina run processes.kill-host --on chroot`: SE FILTRA" in text


async def test_stepping_through_opens_the_play_screen_and_comes_back():
    async with VitrinaApp(lesson=LESSON).run_test(size=SMALL) as pilot:
        await go_to(pilot, "steps")
        await press(pilot, "#step")
        await pilot.pause()
        assert isinstance(pilot.app.screen, PlayScreen)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, LessonScreen)


async def test_a_challenge_is_judged_and_its_answer_kept_for_the_next_time(progress):
    async with VitrinaApp(lesson=LESSON).run_test(size=(100, 40)) as pilot:
        await go_to(pilot, "challenge")
        assert "chroot: it gets through" in screen_text(pilot.app)
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert "Not met yet." in screen_text(pilot.app)
        field = pilot.app.screen.query_one(TextArea)
        field.text = find(LESSON).front.challenge[0].solution
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert "Met." in screen_text(pilot.app)
    assert read(progress)[0].answered(LESSON, "by-descriptor").done
    async with VitrinaApp(lesson=LESSON).run_test(size=(100, 40)) as pilot:
        await go_to(pilot, "challenge")
        field = pilot.app.screen.query_one(TextArea)
        assert field.text == find(LESSON).front.challenge[0].solution


async def test_hints_come_one_by_one_and_the_solution_last():
    async with VitrinaApp(lesson=LESSON).run_test(size=(100, 50)) as pilot:
        await go_to(pilot, "challenge")
        exercise = pilot.app.screen.query_one(ChallengeExercise)
        told = []
        for _ in range(3):
            await exercise.more()
            await pilot.pause()
            told.append(screen_text(pilot.app))
    assert "A descriptor of a directory" in told[0]
    assert "fchdir(2) makes" not in told[0]
    assert "fchdir(2) makes" in told[1]
    assert "guest.fchdir(fd)" in told[2]


async def test_a_lesson_opens_where_it_was_left():
    async with VitrinaApp(lesson=LESSON).run_test(size=SMALL) as pilot:
        await pilot.press("n", "n")
        at = pilot.app.screen.at
    async with VitrinaApp(lesson=LESSON).run_test(size=SMALL) as pilot:
        assert pilot.app.screen.at == at


async def test_a_broken_progress_file_is_set_aside_and_said(progress):
    progress.write_text("{")
    async with VitrinaApp(lesson=LESSON).run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert any("was broken" in str(note.message) for note in pilot.app._notifications)
    assert progress.with_name("progress.json.broken-1").read_text() == "{"


async def test_typing_in_a_field_is_not_taken_for_a_key():
    async with VitrinaApp(lesson=LESSON).run_test(size=(100, 40)) as pilot:
        await go_to(pilot, "challenge")
        at = pilot.app.screen.at
        field = pilot.app.screen.query_one("#answer")
        field.focus()
        await pilot.press("n", "p", "q")
        assert pilot.app.screen.at == at
        assert isinstance(field, TextArea | Input)


async def test_the_keys_of_a_challenge_speak_spanish():
    i18n.use("es")
    async with VitrinaApp(lesson=LESSON).run_test(size=SMALL) as pilot:
        await go_to(pilot, "challenge")
        assert "ejecutar" in screen_text(pilot.app)


async def test_what_is_written_is_kept_without_being_run(progress):
    async with VitrinaApp(lesson=LESSON).run_test(size=SMALL) as pilot:
        await go_to(pilot, "challenge")
        await pilot.press("x", "y", "escape", "escape")
        assert isinstance(pilot.app.screen, CourseScreen)
    kept = read(progress)[0].answered(LESSON, "by-descriptor")
    assert (kept.answer[:4], kept.tries, kept.done) == ("xyfd", 0, False)

    async with VitrinaApp(lesson=LESSON).run_test(size=SMALL) as pilot:
        assert pilot.app.screen.query_one(TextArea).text == kept.answer


async def test_what_is_written_is_kept_when_nobody_leaves_properly(progress, monkeypatch):
    monkeypatch.setattr(challenge, "PAUSE", 0.001)
    async with VitrinaApp(lesson=LESSON).run_test(size=SMALL) as pilot:
        await go_to(pilot, "challenge")
        await pilot.press("x")
        await until(pilot, lambda: read(progress)[0].answered(LESSON, "by-descriptor").answer)
        assert pilot.app.screen.query_one(TextArea).has_focus


async def test_a_challenge_can_be_started_over_and_that_taken_back(progress):
    async with VitrinaApp(lesson=LESSON).run_test(size=SMALL) as pilot:
        await go_to(pilot, "challenge")
        field = pilot.app.screen.query_one(TextArea)
        given = field.text
        await pilot.press("x", "ctrl+g")
        assert field.text == given
        await pilot.press("ctrl+z")
        assert field.text == f"x{given}"
        await pilot.press("ctrl+g", "escape", "escape")
    assert not read(progress)[0].answered(LESSON, "by-descriptor").answer


async def test_escape_leads_out_of_a_field_to_the_keys_of_the_lesson():
    async with VitrinaApp(lesson=LESSON).run_test(size=SMALL) as pilot:
        await go_to(pilot, "challenge")
        at = pilot.app.screen.at
        await pilot.press("escape")
        await until(pilot, lambda: "p back" in screen_text(pilot.app))
        await pilot.press("p")
        assert pilot.app.screen.at == at - 1


async def test_what_was_not_predicted_is_gone_to_and_arrows_turn_no_page_there():
    async with VitrinaApp(lesson=LESSON).run_test(size=SMALL) as pilot:
        await go_to(pilot, "predict")
        at = pilot.app.screen.at
        rows = list(pilot.app.screen.query(Row))
        await pilot.press("right", "down", "down", "down")
        assert pilot.app.focused.id == "look"
        await pilot.press("right", "left")
        assert pilot.app.screen.at == at
        await pilot.press("enter")
        assert rows[1].has_focus
        await pilot.press("right", "down", "down", "up")
        assert rows[2].has_focus


async def test_choosing_leads_on_to_looking_and_a_wrong_choice_is_told_what_happened():
    async with VitrinaApp(lesson="110-images").run_test(size=SMALL) as pilot:
        await go_to(pilot, "predict")
        await pilot.press("down", "enter", "enter")
        await until(pilot, lambda: "What happened: It runs" in screen_text(pilot.app))
        await pilot.press("up", "up", "enter")  # back to the options, one up
        assert pilot.app.focused.id == "look"
        await press(pilot, "#look")
        await until(pilot, lambda: "✓ $ docker run" in screen_text(pilot.app))
        assert "What happened" not in screen_text(pilot.app)
