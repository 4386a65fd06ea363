"""What a newcomer meets at 80 columns and 24 lines, in both languages."""

import pytest
from textual.app import App
from textual.widgets import Button, OptionList, SelectionList

from simulator.classroom.tui.app import VitrinaApp
from simulator.classroom.tui.present.lesson import dots
from simulator.classroom.tui.present.line import Line
from simulator.classroom.tui.present.sides import first_view
from simulator.classroom.tui.present.views import VIEWS
from simulator.classroom.tui.screens.course import CourseScreen
from simulator.classroom.tui.screens.home import HomeScreen
from simulator.classroom.tui.screens.lesson import LessonScreen
from simulator.classroom.tui.screens.mechanisms import MechanismsDialog
from simulator.classroom.tui.screens.play import PlayScreen
from simulator.classroom.tui.widgets.era_line import EraLine
from simulator.classroom.tui.widgets.exercises.choices import Row
from simulator.classroom.tui.widgets.foot import Foot
from simulator.classroom.tui.widgets.state_panel import StatePanel
from simulator.classroom.tui.widgets.why_panel import WhyPanel
from simulator.machine.abi import i18n
from tests.tui.screen import screen_text, until

SMALL = (80, 24)
WIDE = (200, 50)


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINA_PROGRESS", str(tmp_path / "progress.json"))
    i18n.use("en")
    yield
    i18n.use("en")


async def test_the_line_of_years_says_when_there_is_more_than_fits():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        line = pilot.app.screen.query_one(EraLine)
        assert "›" in str(line.render())
        assert "‹" not in str(line.render())

        await pilot.press(*["right"] * 30)
        assert "‹" in str(line.render())
        assert "›" not in str(line.render())


async def test_the_text_beside_a_list_scrolls_by_keys():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        await until(pilot, lambda: pilot.app.screen.query_one("#about").max_scroll_y > 0)
        await pilot.press("shift+down", "shift+down")
        assert pilot.app.screen.query_one("#about").scroll_y == 2


async def test_the_words_under_why_scroll_by_keys():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        await pilot.press("enter", "end")
        why = pilot.app.screen.query_one(WhyPanel)
        await until(pilot, lambda: why.max_scroll_y > 0)
        await pilot.press("shift+down")
        assert why.scroll_y == 1


@pytest.mark.parametrize(("size", "named"), [(SMALL, False), (WIDE, True)])
async def test_every_key_is_named_at_the_foot_where_there_is_room(size, named):
    async with VitrinaApp().run_test(size=size) as pilot:
        await until(pilot, lambda: "? help" in screen_text(pilot.app))
        await pilot.pause()
        foot = screen_text(pilot.app).rpartition("\n")[2]

    assert ("v verify" in foot and "a attach" in foot and "q quit" in foot) == named


def test_a_scenario_opens_with_the_view_in_which_its_subject_shows():
    assert VIEWS[first_view("fs.chroot-escape")][0] == "files"
    assert VIEWS[first_view("processes.kill-host")][0] == "processes"
    assert VIEWS[first_view("")][0] == "processes"


async def test_a_demonstration_opens_with_what_it_is_about():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        pilot.app.play("docker.mounts", "none")
        await until(pilot, lambda: "Host: volumes" in screen_text(pilot.app))

        pilot.app.screen.dismiss()
        pilot.app.play("docker.mounts", "jail")  # no engine, none of its views
        await until(pilot, lambda: "Host: " in screen_text(pilot.app))
        assert "Host: volumes" not in screen_text(pilot.app)


async def test_the_walls_stand_over_the_run_and_each_says_how_its_product_lifts_it():
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        pilot.app.play("fs.chroot-escape", "warden")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlayScreen))
        await pilot.press("t")
        await until(pilot, lambda: "--network=host" in screen_text(pilot.app))
        text = screen_text(pilot.app)

        assert isinstance(pilot.app.screen, MechanismsDialog)
        assert "Walls of warden" in text
        await pilot.press(*["down"] * 4)
        chosen = pilot.app.screen.query_one(SelectionList).highlighted
        title = pilot.app.screen._switches[chosen].title
        await until(pilot, lambda: title in " ".join(screen_text(pilot.app).split()))
        assert pilot.app.screen.styles.background.a < 1  # the run shows through


async def test_predictions_stand_in_rows_and_marks_tell_the_choice_without_colours():
    async with VitrinaApp(lesson="010-what-is-a-wall").run_test(size=SMALL) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: pilot.app.screen.query(Row))
        assert "●" not in screen_text(pilot.app).split("\n", 1)[1]

        await pilot.press("right", "down", "right", "right", "down", "left", "down")
        rows = list(pilot.app.screen.query(Row))
        assert [row.pressed_index for row in rows] == [0, 1, 0]
        assert isinstance(pilot.app.focused, Button)
        lines = [line for line in screen_text(pilot.app).splitlines() if "does not get" in line]
        assert [line.index("●") < line.index("○") for line in lines] == [True, False, True]


async def test_the_end_of_a_lesson_leads_to_the_next():
    async with VitrinaApp(lesson="010-what-is-a-wall").run_test(size=SMALL) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, LessonScreen))
        lesson = pilot.app.screen
        while lesson.at < len(lesson.lesson.parts) - 1:
            assert not lesson.query("#next")
            await lesson.action_part(1)
        lesson.query_one("#next", Button).press()
        await until(pilot, lambda: pilot.app.screen is not lesson and pilot.app.screen.is_mounted)
        assert pilot.app.screen.lesson.id == "020-chroot"

        await pilot.press("escape")
        course = pilot.app.screen
        assert isinstance(course, CourseScreen)
        assert course.query_one("#lessons", OptionList).highlighted == 1


def test_a_part_that_is_only_read_is_not_shown_as_done():
    assert dots([None, True, False, False], 3) == "· ● ○ ◉"


async def test_q_leaves_from_the_first_screen():
    app = VitrinaApp()
    async with app.run_test(size=SMALL) as pilot:
        assert isinstance(app.screen, HomeScreen)
        await pilot.press("q")
        await pilot.pause()
        assert app._exit


async def test_the_colours_that_were_chosen_are_there_the_next_time():
    app = VitrinaApp()
    async with app.run_test(size=SMALL) as pilot:
        app.theme = "textual-light"
        await pilot.pause()
        await until(pilot, lambda: app.studio.theme == "textual-light")

    again = VitrinaApp(lesson="010-what-is-a-wall")
    async with again.run_test(size=SMALL) as pilot:
        assert again.theme == "textual-light"
        await until(pilot, lambda: isinstance(again.screen, LessonScreen))
        await pilot.press("n")  # what is kept of a lesson keeps the colours
        await pilot.pause()

    async with VitrinaApp().run_test(size=SMALL) as pilot:
        assert pilot.app.theme == "textual-light"


async def test_colours_that_cannot_be_kept_are_one_notice(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VITRINA_PROGRESS", str(tmp_path / "file" / "progress.json"))
    app = VitrinaApp()
    async with app.run_test(size=SMALL) as pilot:
        app.theme = "textual-light"
        await until(pilot, lambda: app._notifications)
        assert "progress.json: can't be" in str(next(iter(app._notifications)).message)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
async def test_what_textual_says_by_itself_is_said_in_the_language_spoken(language):
    i18n.use(language)
    app = VitrinaApp()
    async with app.run_test() as pilot:
        await pilot.press("ctrl+c")
        app.notify("Saved screenshot to 'x.svg'", title="Screenshot")
        await until(pilot, lambda: len(app._notifications) > 1)
        said = " ".join(f"{one.title}: {one.message}" for one in app._notifications)
    assert "Ctrl+Q" in said
    assert "'x.svg'" in said
    assert ("Screenshot: " in said) == (language == "en")


async def test_an_option_as_long_as_its_line_is_not_cut():
    i18n.use("es")
    async with VitrinaApp(lesson="130-data").run_test(size=SMALL) as pilot:
        lesson = pilot.app.screen
        while lesson.at < 2:
            await lesson.action_part(1)
        options = [text for _letter, text in lesson.lesson.parts[2].options]
        longest = max(options, key=len).replace("`", "")
        await until(pilot, lambda: longest in screen_text(pilot.app))
        assert "…" not in screen_text(pilot.app)


NARROW = (60, 20)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("keys", [[], ["m"], ["o"]])
async def test_the_narrowest_foot_names_whole_keys_and_help_among_them(language, keys):
    i18n.use(language)
    async with VitrinaApp().run_test(size=NARROW) as pilot:
        await pilot.press(*keys)
        shown = pilot.app.screen
        await until(pilot, lambda: shown.query(Foot) and "?" in _foot(pilot.app))
        named = [f"{key.key_display} {key.description}" for key in shown.query("FooterKey")]

        assert _foot(pilot.app).split() == " ".join(named).split()
        assert any(one.startswith("? ") for one in named)


async def test_a_wider_terminal_names_more_keys_at_once():
    async with VitrinaApp().run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "? help" in _foot(pilot.app))
        assert "l español" not in _foot(pilot.app)
        await pilot.resize_terminal(100, 20)
        await until(pilot, lambda: "l español" in _foot(pilot.app))


def _foot(app) -> str:
    return screen_text(app).rpartition("\n")[2]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (Line(text="fd 3  /srv/canary/secret"), "▌fd 3\n /srv/canary/secret"),
        (
            Line(text="+ /srv/guest/tmp/deeper/and/deeper"),
            "▌+ /srv/guest/tmp/de\n   eper/and/deeper",
        ),
        (Line(text="   1 0 S /bin/sh -c it"), "▌   1 0 S /bin/sh -c\n    it"),
    ],
)
async def test_a_folded_line_goes_on_below_its_words_and_not_below_its_mark(line, shown):
    class One(App[None]):
        CSS = ".lines { text-wrap: wrap; }"

        def compose(self):
            yield StatePanel("", id="host")

    async with One().run_test(size=(20, 5)) as pilot:
        pilot.app.query_one(StatePanel).show([line], frozenset({0}))
        await until(pilot, lambda: shown in _rows(pilot.app))


def _rows(app) -> str:
    return "\n".join(row.rstrip() for row in screen_text(app).splitlines())


async def test_the_first_changed_line_is_brought_into_sight_below_folded_ones():
    above = [Line(text="a path as long as this is folded into rows: " * 3)] * 6
    async with VitrinaApp().run_test(size=SMALL) as pilot:
        pilot.app.play("fs.chroot-escape", "chroot")
        await until(pilot, lambda: pilot.app.screen.query("#host"))
        pilot.app.screen.query_one("#host", StatePanel).show(
            [*above, Line(text="the one that changed")], frozenset({6})
        )
        await until(pilot, lambda: "▌the one that changed" in screen_text(pilot.app))


@pytest.mark.parametrize("size", [NARROW, SMALL])
async def test_the_last_wall_of_many_is_in_sight_when_it_is_chosen(size):
    async with VitrinaApp().run_test(size=size) as pilot:
        pilot.app.play("fs.chroot-escape", "docker")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlayScreen))
        await pilot.press("t")
        await until(pilot, lambda: pilot.app.screen.query(SelectionList))
        walls = pilot.app.screen.query_one(SelectionList)
        await pilot.press("end")
        last = pilot.app.screen._switches[-1].id
        await until(pilot, lambda: f"stands   {last}" in screen_text(pilot.app))
        assert walls.highlighted == walls.option_count - 1
