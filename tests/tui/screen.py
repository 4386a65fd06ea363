"""What a person sees of an application that runs in a test."""

from collections.abc import Callable

from textual.app import App
from textual.pilot import Pilot


def screen_text(app: App[object]) -> str:
    """What the terminal shows, line by line."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def until(pilot: Pilot[object], true: Callable[[], object], pauses: int = 200) -> None:
    """Go on when what is waited for is so; a busy machine composes a screen in several turns."""
    for _turn in range(pauses):
        if true():
            return
        await pilot.pause()
    raise AssertionError(screen_text(pilot.app))
