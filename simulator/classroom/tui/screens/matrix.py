# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""Every probe on every technology: the whole map, and each cell a door to its run."""

import asyncio
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import DataTable, Input, Static

from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.messages import PlayRequested
from simulator.classroom.tui.present.matrix import MARKS, counted, told
from simulator.classroom.tui.search import matches
from simulator.classroom.tui.studio import Offer, Studio
from simulator.classroom.tui.widgets.foot import Foot
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

_TITLE, _CRAMPED = 46, 30
"""Columns for a probe's title, on a wide screen and on one of 80 columns."""
_WIDE = 120
_PROBE = "probe"
_SLICE, _PAUSE = 0.1, 0.05
"""Seconds in which the model is asked, and then keys are heard."""


class MatrixScreen(Screen[None]):
    """Filled while one looks, row by row; what was found is kept by the studio."""

    HELP = N_(
        """\
# Matrix

Each line is a probe, each column a technology, by year. The model is asked while you look.

- arrows move; below stands what the chosen cell says, and the wall that stopped the probe
- `Enter` steps through that probe on that technology
- `/` filter the probes: words of a title, an id or a topic; Escape shows all again
- `Escape` leaves

Marks: ! it leaks, ┃ it holds: this probe did not get through, ~ it is limited, + it was granted,
- it does not apply, ? inconclusive.
"""
    )

    DEFAULT_CSS = """
    MatrixScreen DataTable { height: 1fr; background: $background; }
    MatrixScreen #cell { height: 3; padding: 0 1; border-top: solid $surface-lighten-2; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "play", N_("step through it"), priority=True),
        Binding("slash", "filter", N_("filter"), key_display="/"),
        Binding("escape", "leave", N_("leave"), priority=True),
        Binding("q", "leave", show=False),
    ]

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._bindings = translated(self._bindings)
        self._studio = studio
        self._specs = studio.names()
        self._probes = {offer.id: offer for offer in studio.probes()}
        self._shown: list[Offer] = []

    def compose(self) -> ComposeResult:
        """How far it is, the filter, the table, the chosen cell in words."""
        yield Static("", id="title")
        yield Input(
            placeholder=_("words of a title, an id or a topic"),
            id="filter",
            classes="hidden",
            compact=True,
        )
        yield DataTable[Content](id="matrix", cursor_type="cell", fixed_columns=1)
        yield Static("", id="cell", markup=False)
        yield Foot()

    def on_mount(self) -> None:
        """An empty table, and begin to ask."""
        table = self.query_one(DataTable)
        width = _TITLE if self.app.size.width >= _WIDE else _CRAMPED
        table.add_column(_("probe"), key=_PROBE, width=width)
        for spec in self._specs:
            table.add_column(spec, key=spec, width=len(spec))
        self._list("")
        table.focus()
        self._ask()

    def _list(self, typed: str) -> None:
        table = self.query_one(DataTable)
        table.clear()
        self._shown = [
            one for one in self._probes.values() if matches(typed, one.id, one.title, one.group)
        ]
        width = table.columns[next(iter(table.columns))].width
        for one in self._shown:
            title = one.title if len(one.title) <= width else f"{one.title[: width - 1]}…"
            cells = (self._cell(one.id, spec) for spec in self._specs)
            table.add_row(Content(title), *cells, key=one.id)
        if self._shown:
            table.move_cursor(column=1)
        self._tell()

    def _cell(self, probe: str, spec: str) -> Content:
        found = self._studio.found.get((probe, spec))
        mark, style = MARKS[found.outcome] if found is not None else (" ", "")
        return Content.styled(mark.center(len(spec)), style)

    @work(exclusive=True)
    async def _ask(self) -> None:
        """Some rows at a time, and then keys are heard; it rests while another screen is shown."""
        loop = asyncio.get_running_loop()
        # A screen that is being left loses its table before its worker ends.
        while self.display and self._next() is not None:
            until = loop.time() + _SLICE
            while self.is_current and loop.time() < until and (probe := self._next()):
                self._fill(probe)
            if self.is_current:
                self._tell()
            await asyncio.sleep(_PAUSE)

    def _next(self) -> str | None:
        """The first row that is not filled, from where one stands."""
        found, last, at = self._studio.found, self._specs[-1], self._row
        wanted = (*self._shown[at:], *self._shown[:at], *self._probes.values())
        return next((one.id for one in wanted if (one.id, last) not in found), None)

    def _fill(self, probe: str) -> None:
        for spec in self._specs:
            self._studio.find(probe, spec)
        if any(one.id == probe for one in self._shown):
            table = self.query_one(DataTable)
            for spec in self._specs:
                table.update_cell(probe, spec, self._cell(probe, spec))

    @property
    def _row(self) -> int:
        return self.query_one(DataTable).cursor_coordinate.row

    @on(DataTable.CellHighlighted)
    def _tell(self) -> None:
        found = self._studio.found
        self.query_one("#title", Static).update(
            Content.assemble(
                (_("Matrix"), "bold $text-primary"),
                f"  {len(found)}/{len(self._probes) * len(self._specs)}  ",
                *(part for part in _legend()),
            )
        )
        chosen = self._chosen
        if chosen is None:
            self.query_one("#cell", Static).update(_("nothing is called that"))
            return
        offer, spec = chosen
        leaks, asked = counted(found, spec)
        self.query_one("#cell", Static).update(
            Content.assemble(
                (f"{offer.title} · {spec}: ", "bold"),
                (told(found.get((offer.id, spec))), "bold"),
                "   ",
                (_("{spec} leaks {leaks} of {asked}").format(spec=spec, leaks=leaks, asked=asked)),
                (f"\n{offer.question}", "$text-muted"),
            )
        )

    @property
    def _chosen(self) -> tuple[Offer, str] | None:
        place = self.query_one(DataTable).cursor_coordinate
        if place.row >= len(self._shown):
            return None
        return self._shown[place.row], self._specs[max(0, place.column - 1)]

    def action_play(self) -> None:
        """Step through the chosen cell; from the filter, go to the table."""
        if self.query_one(Input).has_focus:
            self.query_one(DataTable).focus()
        elif (chosen := self._chosen) is not None:
            self.post_message(PlayRequested(chosen[0].id, chosen[1]))

    def on_data_table_cell_selected(self, message: DataTable.CellSelected) -> None:
        """A cell was clicked."""
        message.stop()
        self.action_play()

    def action_filter(self) -> None:
        """Type what to look for."""
        field = self.query_one(Input)
        field.remove_class("hidden")
        field.focus()

    @on(Input.Changed)
    def _narrow(self, message: Input.Changed) -> None:
        self._list(message.value)

    def action_leave(self) -> None:
        """First all probes again, then back."""
        field = self.query_one(Input)
        if field.has_class("hidden"):
            self.dismiss()
            return
        field.clear()
        field.add_class("hidden")
        self.query_one(DataTable).focus()


def _legend() -> list[tuple[str, str] | str]:
    parts: list[tuple[str, str] | str] = []
    for outcome in ("LEAKS", "HOLDS", "LIMITED", "NOT_APPLICABLE"):
        parts += [MARKS[outcome], f" {_(outcome)}  "]
    return parts
