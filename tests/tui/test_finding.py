"""Finding one's way: the filter over the scenarios, the moments, several technologies at once."""

import asyncio

import pytest
from textual.widgets import Input, OptionList

from simulator.classroom.tui.app import VitrinaApp
from simulator.classroom.tui.screens.compare import CompareScreen
from simulator.classroom.tui.screens.moments import MomentsScreen
from simulator.classroom.tui.screens.place import PlaceDialog
from simulator.classroom.tui.screens.play import PlayScreen
from simulator.classroom.tui.search import matches
from simulator.classroom.tui.studio import Studio
from simulator.machine.abi import i18n
from tests.tui.screen import screen_text, until


def listed(app):
    options = app.screen.query_one("#scenarios", OptionList)
    return [o.id for o in map(options.get_option_at_index, range(options.option_count)) if o.id]


def test_words_match_in_any_order_without_accents_and_case():
    assert matches("MAQUINA cayo", "Se cayó la máquina")
    assert matches("fs esc", "fs.chroot-escape", "Walking out")
    assert not matches("fs zone", "fs.chroot-escape")
    assert matches("", "anything")


async def test_typing_narrows_the_scenarios_by_id_title_or_topic_and_enter_plays():
    async with VitrinaApp().run_test(size=(80, 24)) as pilot:
        every = len(listed(pilot.app))
        await pilot.press("slash", *"chroot-esc")
        assert listed(pilot.app) == ["fs.chroot-escape"]
        pilot.app.screen.query_one(Input).value = "docker step"
        await pilot.pause()
        assert {name.partition(".")[0] for name in listed(pilot.app)} == {"docker"}
        pilot.app.screen.query_one(Input).value = "no such thing"
        await pilot.pause()
        assert listed(pilot.app) == []
        assert "nothing is called that" in screen_text(pilot.app)
        await pilot.press("enter")
        pilot.app.screen.query_one(Input).value = "under another"
        await pilot.press("escape")
        assert len(listed(pilot.app)) == every
        await pilot.press("slash", *"socket", "down", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, PlayScreen)
        assert pilot.app.screen.run.scenario == "ipc.path-socket"


@pytest.mark.parametrize("language", i18n.LANGUAGES)
async def test_the_moments_are_listed_and_enter_plays_one_side_by_side(language):
    i18n.use(language)
    moments = Studio().moments()
    assert [one.number for one in moments] == list(range(1, 16))
    assert all(one.title and one.why and len(one.on) > 1 for one in moments)
    async with VitrinaApp().run_test(size=(80, 24)) as pilot:
        await pilot.press("m", "down", "down")
        assert isinstance(pilot.app.screen, MomentsScreen)
        assert moments[2].title in screen_text(pilot.app)
        assert "host.kill(GUEST_PID" in screen_text(pilot.app)
        await pilot.press("enter")
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, CompareScreen)
        assert [run.label for run in screen._runs] == list(moments[2].on)
        shown = [c.id for c in screen.query(".column") if not c.has_class("hidden")]
        assert shown == ["run0", "run1"]
        await pilot.press("d", "right", "right")
        shown = [c.id for c in screen.query(".column") if not c.has_class("hidden")]
        assert shown == ["run2", "run3"]
        assert screen.line
        await pilot.press("escape", "escape", "a")
        assert isinstance(pilot.app.screen, PlaceDialog)
        pilot.app.screen.query_one(Input).value = "/no/such.sock"
        await pilot.press("enter")
        await pilot.pause()
        assert "/no/such.sock: No such file or directory" in screen_text(pilot.app)
        assert isinstance(pilot.app.screen, PlaceDialog)
        await pilot.press("question_mark")
        await pilot.pause()
        assert pilot.app.screen.query_one(Input).value == "/no/such.sock?"  # no help: it is typed


async def test_a_wide_terminal_shows_more_than_two_at_a_time():
    app = VitrinaApp()
    async with app.run_test(size=(200, 40)) as pilot:
        runs = [app.studio.play("hostname.set", spec) for spec in ("docker", "jail", "none")]
        await app.push_screen(CompareScreen(*runs))
        await pilot.pause()
        text = screen_text(app)
        assert "docker — " in text
        assert "none — " in text


async def test_the_palette_asks_in_the_language_spoken():
    i18n.use("es")
    async with VitrinaApp().run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        assert pilot.app.screen.query_one(Input).placeholder == "Buscar órdenes…"
        await pilot.press("escape")
        pilot.app.action_change_theme()
        await pilot.pause()
        assert pilot.app.screen.query_one(Input).placeholder == "Buscar temas…"


async def test_the_palette_lists_commands_finds_scenarios_and_says_when_there_is_nothing():
    i18n.use("es")
    async with VitrinaApp().run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Lecciones" in screen_text(pilot.app))
        assert "Adónde van los paquetes" not in screen_text(pilot.app)

        await pilot.press(*"paquetes")
        await until(pilot, lambda: "Adónde van los paquetes" in screen_text(pilot.app))

        await pilot.press(*"zzz")
        for _look in range(100):
            if "no hay nada con ese nombre" in screen_text(pilot.app):
                break
            await asyncio.sleep(0.1)
        else:
            pytest.fail(screen_text(pilot.app))
    i18n.use("en")


async def test_a_demonstration_has_its_own_host_whatever_is_chosen_on_the_line():
    app = VitrinaApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.technology = app.studio.names().index("jail")
        await pilot.press("slash", *"docker.run", "enter")
        await until(pilot, lambda: isinstance(app.screen, PlayScreen))
        run = app.screen.run
        assert not any("not found" in step.output for step in run.steps)
        assert run.engine
        assert "none" not in screen_text(app).splitlines()[0]

        await pilot.press("f")
        await pilot.pause()
        assert app.screen.run is run  # nothing judged it, so there is no flow to draw
