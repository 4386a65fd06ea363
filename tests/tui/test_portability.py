"""One image on several machines, side by side, with the reason where it does not run."""

from click.testing import CliRunner

from simulator.classroom.tui.app import VitrinaApp
from simulator.classroom.tui.playback import program
from simulator.classroom.tui.present.step import Tone
from simulator.classroom.tui.screens.compare import CompareScreen
from simulator.cli.commands.compare import command
from simulator.machine.abi import i18n


async def test_it_runs_on_three_distributions_and_fails_on_two_machines_for_reasons_shown():
    i18n.use("en")
    async with VitrinaApp().run_test(size=(80, 24)) as pilot:
        pilot.app.play("docker.anywhere", "none")
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, CompareScreen)
        runs = {run.label: {step.number: step for step in program(run)} for run in screen._runs}
        assert list(runs) == ["debian", "ubuntu-host", "fedora", "raspberry", "minimal"]
        image = {run[2].output for run in runs.values()}
        assert len(image) == 1
        for name in ("debian", "ubuntu-host", "fedora"):
            assert runs[name][3].output == 'NAME="Alpine Linux"\n'
        assert len({runs[name][4].output for name in ("debian", "ubuntu-host", "fedora")}) == 3
        arm, minimal = runs["raspberry"], runs["minimal"]
        assert arm[3].tone is Tone.REFUSED
        assert (arm[3].cause.outcome, arm[3].cause.call[:6]) == ("ENOEXEC", "execve")
        assert arm[6].output == "aarch64\n"
        assert (minimal[3].cause.outcome, minimal[3].cause.call[:5]) == ("ENODEV", "mount")

        await pilot.press("n", "n", "n", "n", *["right"] * 3)
        text = "\n".join(strip.text for strip in screen._compositor.render_strips())
        assert "✓ fedora  ✗ raspberry  ✗ minimal" in text
        assert "ENOEXEC: The binary is" in text


def test_the_command_line_shows_it_too():
    i18n.use("en")
    told = CliRunner().invoke(command, ["--scenario", "docker.anywhere"])
    assert told.exit_code == 0, told.output
    assert "raspberry   255  exec /bin/head: exec format error" in told.output
    assert "no such device" in told.output
