"""Key bindings in the language now spoken."""

from dataclasses import replace
from typing import Any

from textual.binding import Binding, BindingsMap
from textual.screen import Screen

from simulator.machine.abi.i18n import gettext as _

TEXT_KEYS = (
    Binding("shift+down", "scroll_text(1)", show=False, priority=True),
    Binding("shift+up", "scroll_text(-1)", show=False, priority=True),
)
"""For a screen with a text beside or below its list: ``action_scroll_text`` takes lines."""

_WIDE = "wide."
"""An id that begins so is of a binding that the foot names only where there is room."""
_ROOM = 120
"""Columns from which there is."""


def translated(bindings: BindingsMap) -> BindingsMap:
    """The same bindings with their descriptions translated.

    Textual collects bindings when a class is made, before a language is chosen; a screen passes its
    map through here when it is made.
    """
    copy = bindings.copy()
    for key, alternatives in copy.key_to_bindings.items():
        copy.key_to_bindings[key] = [
            replace(binding, description=_(binding.description)) for binding in alternatives
        ]
    return copy


def widened(screen: Screen[Any], width: int) -> None:
    """Name more keys at the foot of a wide screen: those with an id that begins with ``wide.``."""
    bindings = screen._bindings.key_to_bindings  # pyright: ignore[reportPrivateUsage]
    for key, alternatives in bindings.items():
        bindings[key] = [
            replace(one, show=width >= _ROOM) if (one.id or "").startswith(_WIDE) else one
            for one in alternatives
        ]
    screen.refresh_bindings()
