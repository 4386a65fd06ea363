"""What a person sees of an application that runs in a test."""

from textual.app import App


def screen_text(app: App[object]) -> str:
    """What the terminal shows, line by line."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())
