# pyright: reportUnknownMemberType=false
"""The keys at the foot of a screen: as many as there is room for, and always the way to help."""

from textual.app import ComposeResult
from textual.content import Content
from textual.events import Resize
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

_KEPT = frozenset({"question_mark", "escape"})
"""The keys that are named on the narrowest screen: help, which tells all the others, and out."""


class Foot(Footer):
    """Textual's in its compact form, without half a word at its end."""

    _named_for = 0
    """The width for which the keys were chosen."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False, compact=True)

    def compose(self) -> ComposeResult:
        """The keys that fit, in their order."""
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        self._named_for = self.app.size.width
        room = self._named_for - sum(_width(key) for key in keys if key.key in _KEPT)
        for key in keys:
            if key.key not in _KEPT:
                room -= _width(key)
            if key.key in _KEPT or room >= 0:
                yield key

    def on_resize(self, event: Resize) -> None:
        """Another width has room for other keys."""
        if event.size.width != self._named_for:
            self.refresh(recompose=True)


def _width(key: FooterKey) -> int:
    """The key, a space, what it does, a space."""
    return Content(f"{key.key_display} {key.description} ").cell_length
