"""Key bindings in the language now spoken."""

from dataclasses import replace

from textual.binding import BindingsMap

from simulator.machine.abi.i18n import gettext as _


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
