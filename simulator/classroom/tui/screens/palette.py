# pyright: reportPrivateUsage=false, reportUnknownMemberType=false
"""Textual's palette of commands, with the one sentence in it that is Textual's own translated."""

from textual.command import CommandList, CommandPalette
from textual.widgets.option_list import Option

from simulator.machine.abi.i18n import gettext as _


class Palette(CommandPalette):
    """Says in the language spoken that nothing was found."""

    def _start_no_matches_countdown(self, search_value: str) -> None:
        """As Textual's, which has no other place for the sentence."""
        self._stop_no_matches_countdown()

        def show() -> None:
            if search_value:
                told = Option(_("nothing is called that"), disabled=True, id=self._NO_MATCHES)
                self.query_one(CommandList).add_option(told)
            self._list_visible = bool(search_value)

        self._no_matches_timer = self.set_timer(self._NO_MATCHES_COUNTDOWN, show)
