"""Where the screens get their runs: the one place of the TUI that knows the engine.

Importing it is cheap; the engine is loaded when something is first asked of it, so that the first
screen is there at once.
"""

import msgspec

from simulator.classroom.tui.playback import Playback
from simulator.machine.abi.i18n import gettext as _


class Technology(msgspec.Struct, frozen=True):
    """A technology as the home screen shows it."""

    name: str
    title: str
    year: int | None
    about: str = ""


class Offer(msgspec.Struct, frozen=True):
    """A scenario as the home screen shows it."""

    id: str
    group: str
    title: str
    question: str
    matters: str
    program: str


class Studio:
    """Everything the screens can ask for. Bad requests raise ``VitrinaError``."""

    def technologies(self) -> tuple[Technology, ...]:
        """Those that can be played on: the bare machine, then by year, then the sealed one."""
        from simulator.isolation.technologies.registry import TECHNOLOGIES

        shown = [
            Technology(name, _(t.title), t.year or None, _(t.about))
            for name, t in TECHNOLOGIES.items()
        ]
        return tuple(sorted(shown, key=_place))

    def names(self) -> tuple[str, ...]:
        """The technologies' names, for completion."""
        return tuple(technology.name for technology in self.technologies())

    def offers(self) -> tuple[Offer, ...]:
        """The scenarios in the order of their subjects, in the language now spoken."""
        from simulator.experiment.scenarios import load

        return tuple(
            Offer(
                scenario.id,
                load.words(f"group.{scenario.group}").title,
                (words := load.words(scenario.id)).title,
                words.asks,
                words.why,
                scenario.text.strip(),
            )
            for scenario in load.load_all()
        )

    def play(self, scenario: str, spec: str, without: tuple[str, ...] = ()) -> Playback:
        """Run ``scenario`` on ``spec`` less the mechanisms ``without``."""
        from simulator.classroom.tui import recording

        return recording.record(scenario, spec, without)


_CONTROLS = {"none": -1, "sealed": 9999}
"""The two controls stand at the ends of the line: they belong to no year."""


def _place(technology: Technology) -> tuple[int, str]:
    return _CONTROLS.get(technology.name, technology.year or 0), technology.name
