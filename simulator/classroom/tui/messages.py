"""What screens ask of the application."""

from dataclasses import dataclass

from textual.message import Message

from simulator.classroom.tui.playback import Playback
from simulator.classroom.tui.studio import Surprise


@dataclass
class PlayRequested(Message):
    """Step through ``scenario`` on ``spec``; ``ask`` lets the person type the options first."""

    scenario: str
    spec: str
    ask: bool = False
    without: tuple[str, ...] = ()


@dataclass
class CourseRequested(Message):
    """Show the lessons."""


@dataclass
class MatrixRequested(Message):
    """Show every probe on every technology."""


@dataclass
class MomentsRequested(Message):
    """Show the moments."""


@dataclass
class AttachRequested(Message):
    """Watch a running engine, which the person will name."""


@dataclass
class MomentRequested(Message):
    """Play ``moment`` on its technologies side by side."""

    moment: Surprise


@dataclass
class VerificationRequested(Message):
    """Show the model against a real kernel."""


@dataclass
class ComparisonRequested(Message):
    """Compare ``scenario`` on ``spec`` with a technology that the person will name."""

    scenario: str
    spec: str
    without: tuple[str, ...] = ()


@dataclass
class BranchRequested(Message):
    """Make ``run`` again without these mechanisms and show it beside the first."""

    run: Playback
    without: tuple[str, ...]


@dataclass
class FlowRequested(Message):
    """Show who reached whose objects in ``run``."""

    run: Playback


@dataclass
class CurvesRequested(Message):
    """Draw what ``runs`` took of the machine over time, one below the other."""

    runs: tuple[Playback, ...]
