"""News of an engine as lines of text, for a pipe or for a reader that speaks."""

from simulator.classroom.tui.present.engine.happened import Happened, spelled
from simulator.classroom.tui.watching.wire import EventNews, Hello, Missed, News, RequestNews
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.i18n import ngettext


class Speaker:
    """Says everything once."""

    def __init__(self) -> None:
        self._answered: dict[int, int] = {}

    def spoken(self, one: News) -> str:
        """One line, or nothing for what is not worth one: a request that has no answer yet."""
        match one:
            case Hello(places=places):
                return _("watching {place}").format(place=", ".join(places))
            case RequestNews(number=number, status=status):
                if status in (0, self._answered.get(number)):
                    return ""
                self._answered[number] = status
                return f"{status} {one.method} {one.target}"
            case EventNews():
                told = Happened(one.time, one.kind, one.action, one.ident, one.attributes)
                return f"    {spelled(told, {})}"
            case Missed(requests=count):
                missed = ngettext("{count} request missed", "{count} requests missed", count)
                return missed.format(count=count)
            case _other:
                return ""
