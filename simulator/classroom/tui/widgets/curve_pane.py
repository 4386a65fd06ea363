"""Curves on the screen: a line of blocks for each, coloured by owner."""

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from simulator.classroom.tui.present.curves import Row, bars, heading, marks, rows, shown
from simulator.classroom.tui.widgets.tones import domain_style
from simulator.experiment.engine.curves import Curves
from simulator.machine.abi.i18n import gettext as _


class CurveLine(Widget):
    """One curve on the scale of its kind, as wide as there is room."""

    def __init__(self, row: Row) -> None:
        super().__init__()
        self._row = row

    def render(self) -> Content:
        """Each column is the mean of the samples that fall into it."""
        row = self._row
        drawn = bars(row.values, row.full, self.size.width, self.size.height)
        return Content.styled("\n".join(drawn), domain_style(row.domain))


class CurvePane(VerticalScroll):
    """One run's curves, kind by kind, and what the kernel did about them."""

    DEFAULT_CSS = """
    CurvePane { padding: 0 1; }
    CurvePane .kind { color: $text-muted; text-style: bold; margin-top: 1; }
    CurvePane .curve { height: 1; }
    CurvePane .owner { width: 12; }
    CurvePane .most { width: 24; padding-left: 1; color: $text-muted; }
    CurvePane CurveLine { width: 1fr; height: 100%; }
    """

    def __init__(self, curves: Curves, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._curves = curves

    def compose(self) -> ComposeResult:
        """A heading, then each kind with a line for each owner."""
        yield Static(heading(self._curves), markup=False)
        title = ""
        drawn = rows(self._curves)
        for row in drawn:
            if row.title != title:
                title = row.title
                top = _("full height: {value}").format(value=shown(row.full))
                yield Static(f"{title} ({top})", classes="kind", markup=False)
            yield from self._curve(row)
        if not drawn:
            yield Static(_("nothing was taken"), markup=False)
        for mark in marks(self._curves):
            yield Static(mark, markup=False)

    def _curve(self, row: Row) -> ComposeResult:
        """One owner's line."""
        mean = sum(row.values) / len(row.values)
        with Horizontal(classes="curve"):
            yield Static(row.domain, classes="owner", markup=False)
            yield CurveLine(row)
            yield Static(
                _("mean {mean}, most {most}").format(mean=shown(mean), most=shown(max(row.values))),
                classes="most",
                markup=False,
            )
