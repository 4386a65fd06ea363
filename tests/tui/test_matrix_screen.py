"""The matrix of the screens: filled while one looks, and each cell a door to its run."""

from textual.widgets import DataTable, Input

from simulator.classroom.tui.app import VitrinaApp
from simulator.classroom.tui.screens import matrix
from simulator.classroom.tui.screens.home import HomeScreen
from simulator.classroom.tui.screens.matrix import MatrixScreen
from simulator.classroom.tui.screens.play import PlayScreen
from simulator.machine.abi import i18n
from tests.tui.screen import screen_text, until

SMALL = (80, 24)


async def test_the_matrix_is_filled_and_a_cell_opens_to_the_run_and_back():
    app = VitrinaApp()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, MatrixScreen))
        await pilot.press("slash", *"walking out")
        await until(pilot, lambda: app.screen.query_one(DataTable).row_count == 1)
        await pilot.press("enter", "right")
        await until(pilot, lambda: ("fs.chroot-escape", "sealed") in app.studio.found, 2000)
        await pilot.pause()
        text = screen_text(app)
        assert "Walking out of a chroot · chroot: LEAKS" in text
        assert app.studio.found["fs.chroot-escape", "docker"].outcome == "HOLDS"

        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PlayScreen))
        assert app.screen.run.spec == "chroot"
        await pilot.press("escape")
        assert isinstance(app.screen, MatrixScreen)

        await pilot.press("escape")
        assert app.screen.query_one(Input).value == ""
        assert app.screen.query_one(DataTable).row_count == len(app.studio.probes())
        await pilot.press("escape")
        assert isinstance(app.screen, HomeScreen)


async def test_words_that_no_probe_has_leave_nothing_to_open():
    app = VitrinaApp()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("x", "slash", *"zzzz", "enter", "enter")
        await until(pilot, lambda: "nothing is called that" in screen_text(app))
        assert isinstance(app.screen, MatrixScreen)


async def test_a_question_is_read_to_its_end_on_the_narrowest_screen():
    i18n.use("es")
    try:
        async with VitrinaApp().run_test(size=(60, 20)) as pilot:
            await pilot.press("x")
            await until(pilot, lambda: "anfitrión?" in screen_text(pilot.app))
            said = " ".join(screen_text(pilot.app).split())
    finally:
        i18n.use("en")
    assert "¿Puede el huésped hacer legible para todos el secreto del anfitrión?" in said
    assert "~ LIMITADO - N" in said.partition("sonda")[0]


async def test_the_matrix_is_left_at_any_moment_while_it_is_filled(monkeypatch):
    monkeypatch.setattr(matrix, "_SLICE", 0)
    monkeypatch.setattr(matrix, "_PAUSE", 0)  # it asks in every turn, also in those of its removal
    app = VitrinaApp()
    async with app.run_test(size=SMALL) as pilot:
        for _time in range(3):
            await pilot.press("x")
            await until(pilot, lambda: isinstance(app.screen, MatrixScreen))
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, HomeScreen))
