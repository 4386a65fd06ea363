"""Resources on the screen: the view of a step, and the curves of a run."""

from textual.app import App

from simulator.classroom.tui.present.views import view
from simulator.classroom.tui.screens.curves import CurvesScreen
from simulator.experiment.engine.curves import curves
from simulator.experiment.engine.executor import open_session
from simulator.experiment.probes.run import run
from simulator.experiment.scenarios.ask import question
from simulator.experiment.scenarios.load import find
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi import i18n


def test_the_view_of_resources_tells_owners_and_limits_as_each_side_sees_them() -> None:
    i18n.use("en")
    asked = question(find("resources.cpu-share"))
    session = open_session(asked.world, parse_spec("docker --cpus 0.5 --pids-limit 64"))
    run(asked.program, session)
    kernel = session.kernels[0]
    host, guest = session.actors["host"].pid, session.actors["guest"].pid
    seen = [line.text for line in view("usage", kernel.store, kernel.family, host)]
    assert any(line.startswith("guest: 1.50 s of processors") for line in seen)
    assert any("0.50 processors, throttled in 30 of 30" in line for line in seen)
    inside = [line.text for line in view("usage", kernel.store, kernel.family, guest)]
    assert not any(line.startswith("neighbour") for line in inside)
    assert any(line.endswith("9 of 64 tasks") for line in inside)


async def test_curves_are_drawn_for_every_owner() -> None:
    i18n.use("en")
    asked = question(find("resources.cpu-share"))
    drawn = curves(asked, parse_spec("none"), "none")

    class Shown(App[None]):
        def on_mount(self) -> None:
            self.push_screen(CurvesScreen(drawn))

    async with Shown().run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        strips = pilot.app.screen._compositor.render_strips()
        text = "\n".join(strip.text for strip in strips)
    assert "resources.cpu-share on none: 3.00 s" in text
    assert "guest" in text
    assert "▇▇▇▇" in text
    assert "mean 0.2" in text
