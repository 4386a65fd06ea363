"""A REST request and a kernel call, each as one line of a list."""

from textual.content import Content

from simulator.classroom.tui.present.engine.calls import CallLine
from simulator.classroom.tui.widgets.tones import domain_style
from simulator.machine.abi.i18n import ngettext

_BAD = 400


def request_line(method: str, path: str, status: int, count: int) -> Content:
    """Status, method, path, and how many calls are below it. ``status`` 0: not answered yet."""
    style = "$text-success" if status < _BAD else "$text-error"
    calls = ngettext("{count} call", "{count} calls", count).format(count=count)
    return Content.assemble(
        (f"{status or '…':<3} ", f"bold {style if status else '$text-disabled'}"),
        f"{method} {path}",
        (f"  {calls}", "$text-muted"),
    )


def call_line(one: CallLine) -> Content:
    """One call with its result, and the wall that it builds."""
    return Content.assemble(
        (f"{one.pid} ", domain_style(one.actor)),
        one.call,
        (f" {one.result}" if one.result else "", "$text-accent" if one.failed else "$text-success"),
        (f"  {one.mechanism}" if one.mechanism else "", "$text-warning"),
    )
