# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""The model against a real kernel: configurations by classes, entries, two traces side by side."""

import asyncio
import contextlib
import signal
import sys
import tempfile
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import DataTable, Input, OptionList, ProgressBar, Static
from textual.widgets.option_list import Option

from simulator.classroom.tui.keys import translated
from simulator.classroom.tui.widgets.foot import Foot
from simulator.experiment.real.report import CLASSES, Class, Pair, Report, Row, read
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

SHORT: dict[Class, str] = {
    "agree": N_("agree"),
    "agree_in_set": N_("in set"),
    "known_difference": N_("known"),
    "unexplained": N_("unexplained"),
    "model_silent": N_("silent"),
    "not_here": N_("not here"),
    "unstable": N_("unstable"),
}
STYLES: dict[Class, str] = {
    "agree": "$text-success",
    "agree_in_set": "$text-success",
    "known_difference": "$text-warning",
    "unexplained": "bold $text-error",
    "model_silent": "$text-secondary",
    "not_here": "dim",
    "unstable": "bold $text-accent",
}
COMMAND = (sys.executable, "-m", "simulator.cli", "verify", "--told", "-o")
"""The comparison runs in a process of its own: it forks, and this one draws."""

NARROW, CRAMPED = 64, 14
"""Columns for the name of a configuration, on a wide screen and on one of 80 columns."""

WIDE = 120
LONGEST = 60
"""Columns for one answer."""
_BESIDE_THE_CALL = 1 + 3 + 5 * 2 + 2
"""Columns for mark and step, the padding of five, the scroll bar."""
_LEAST = 20
"""Columns that a call has at least."""


class VerifyScreen(Screen[None]):
    """The counts of a report; a cell opens to its entries."""

    HELP = N_(
        """\
# The model and this machine's kernel

Each line is a configuration, each column what became of its entries: every call of every probe,
made in the model and on a real kernel. Arrows choose a cell, Enter opens it to the entries, and an
entry opens to both traces.

- `o` open a report that `vitrina verify -o FILE` wrote
- `r` run the comparison now (as root on Linux; it takes minutes), `r` again stops it
- `Escape` back
"""
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "entries", N_("open"), priority=True),
        Binding("o", "open", N_("open a report")),
        Binding("r", "run", N_("run")),
        Binding("escape,q", "leave", N_("back"), priority=True),
    ]

    def __init__(self, report: Report | None = None, command: tuple[str, ...] = COMMAND) -> None:
        super().__init__()
        self._bindings = translated(self._bindings)
        self._report = report
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    def compose(self) -> ComposeResult:
        """What it was measured on, how far it is, the table."""
        yield Static("", id="title")
        yield ProgressBar(id="verify-bar", classes="hidden", show_eta=False)
        yield DataTable[Content](id="verify-grid", cursor_type="cell")
        yield Foot()

    def on_mount(self) -> None:
        """The report, or what to do to get one."""
        self.query_one(DataTable).focus()
        self._show()

    @property
    def _wide(self) -> bool:
        return self.app.size.width >= WIDE

    def take(self, report: Report) -> None:
        """Show another report."""
        self._report = report
        self._show()
        self.refresh_bindings()

    def _show(self) -> None:
        table = self.query_one(DataTable)
        table.clear(columns=True)
        title = self.query_one("#title", Static)
        if self._report is None:
            title.update(_("No report yet: o opens one, r compares now"))
            return
        stamp = self._report.stamp
        title.update(
            _("{agreement:.2%} agree · {unexplained} unexplained · Linux {kernel}").format(
                agreement=self._report.agreement(),
                unexplained=self._report.unexplained,
                kernel=stamp.get("kernel", "?"),
            )
        )
        most = NARROW if self._wide else CRAMPED
        counted = self._report.summary()
        width = min(most, max(len(_("configuration")), *(len(spec) for spec in counted), 0))
        table.add_column(_("configuration"), key="spec", width=width)
        for kind in CLASSES:
            table.add_column(_(SHORT[kind]), key=kind, width=max(len(_(SHORT[kind])), 5))
        for spec, counts in counted.items():
            name = spec if len(spec) <= most else f"{spec[: most - 1]}…"
            cells = (
                Content.styled(f"{counts[kind]:>5}", STYLES[kind] if counts[kind] else "dim")
                for kind in CLASSES
            )
            table.add_row(Content(name), *cells, key=spec)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a report there is no cell to open."""
        if action == "entries":
            return self._report is not None
        return super().check_action(action, parameters)

    def action_entries(self) -> None:
        """The cell that is chosen."""
        self.query_one(DataTable).action_select_cursor()

    def on_data_table_cell_selected(self, message: DataTable.CellSelected) -> None:
        """The entries of a configuration, all or those of one class."""
        if self._report is None:
            return
        spec, label = message.cell_key.row_key.value, message.cell_key.row_key.value or ""
        rows = [row for row in self._report.rows if row.spec == spec]
        kind: Class | None = next(
            (one for one in CLASSES if one == message.cell_key.column_key.value), None
        )
        if kind is not None:
            rows = [row for row in rows if row.kind == kind]
            label = f"{label} · {_(SHORT[kind])}"
        if rows:
            self.app.push_screen(EntriesScreen(label, rows, self._report.pairs()))

    def action_open(self) -> None:
        """Ask for a file."""

        def go(path: str | None) -> None:
            if path is None:
                return
            try:
                self.take(read(Path(path).expanduser().read_bytes()))
            except OSError as error:
                self.notify(f"{path}: {error.strerror}", severity="error", timeout=10)
            except VitrinaError as error:
                self.notify(f"{path}: {error}", severity="error", timeout=10)

        self.app.push_screen(FileDialog(_("Open a report"), "verify.json"), go)

    def action_run(self) -> None:
        """Begin, or stop what runs."""
        if self._process is not None:
            self._stop()
        else:
            self._compare()

    @work(exclusive=True)
    async def _compare(self) -> None:
        bar = self.query_one(ProgressBar)
        bar.remove_class("hidden")
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "report.json"
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                str(path),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            try:
                last = await self._follow(process, bar)
                status = await process.wait()
                if not self.display:
                    pass  # it was left meanwhile
                elif path.exists():
                    self.take(read(path.read_bytes()))
                elif status:
                    self.notify(last or str(status), severity="error", timeout=10)
            except VitrinaError as error:
                self.notify(str(error), severity="error", timeout=10)
            finally:
                self._stop()
                self._process = None
                bar.add_class("hidden")

    async def _follow(self, process: asyncio.subprocess.Process, bar: ProgressBar) -> str:
        """Move the bar; the last line that was no progress."""
        assert process.stderr is not None
        last = ""
        async for line in process.stderr:
            done, slash, most = line.decode("utf-8", "replace").strip().partition("/")
            if slash and done.isdigit() and most.isdigit():
                bar.update(total=int(most), progress=int(done))
            else:
                last = done + slash + most
        return last

    def _stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)

    def action_leave(self) -> None:
        """Back; a comparison that runs is ended."""
        self._stop()
        self.dismiss()


class EntriesScreen(Screen[None]):
    """The entries of one cell; one opens to the traces that it stands in."""

    HELP = N_(
        """\
# Entries

One line for each call: the probe, its step, what the model and what the kernel answered, and why
they may differ. Enter shows both traces of the probe side by side.
"""
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "traces", N_("open"), priority=True),
        Binding("escape,q", "app.pop_screen", N_("back"), priority=True),
    ]

    def __init__(self, label: str, rows: list[Row], pairs: dict[tuple[str, str], Pair]) -> None:
        super().__init__()
        self._bindings = translated(self._bindings)
        self._label = label
        self._rows = rows
        self._pairs = pairs

    def compose(self) -> ComposeResult:
        """The list."""
        model, kernel = _("model"), _("kernel")
        yield Static(f"{self._label} ({len(self._rows)})   {model} | {kernel}", id="title")
        listed = (Option(_entry(row), id=str(number)) for number, row in enumerate(self._rows))
        yield OptionList(*listed, id="entries")
        yield Foot()

    def action_traces(self) -> None:
        """The entry that is chosen."""
        self.query_one("#entries", OptionList).action_select()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Both traces of that probe."""
        row = self._rows[int(message.option.id or 0)]
        number = self._pairs[row.spec, row.probe].rows.index(row)
        self.app.push_screen(PairScreen(self._pairs[row.spec, row.probe], number))


def _entry(row: Row) -> Content:
    step = "" if row.step is None else f" {row.step}"
    call = f" {row.actor}.{row.call}" if row.call else ""
    words = f"  {row.model} | {row.real}" if row.model or row.real else ""
    return Content.assemble(
        (f"{row.probe}{step}", "bold"),
        call,
        (words, STYLES[row.kind]),
        (f"  {row.reason}" if row.reason else "", "$text-muted"),
    )


class PairScreen(Screen[None]):
    """The model's trace beside the kernel's, step by step; the first difference is marked."""

    HELP = N_(
        """\
# Two traces

The same program in the model and on the kernel. ≠ marks answers that differ, ▶ the first of them;
what comes after it may only follow from it. `d` goes to the first difference.
"""
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "difference", N_("first difference")),
        Binding("escape,q", "app.pop_screen", N_("back"), priority=True),
    ]

    def __init__(self, pair: Pair, chosen: int = 0) -> None:
        super().__init__()
        self._bindings = translated(self._bindings)
        self._pair = pair
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """A line for each step, the reason of the chosen one below."""
        yield Static(f"{self._pair.probe} · {self._pair.spec}", id="title")
        yield DataTable[Content](id="verify-traces", cursor_type="row")
        yield Static("", id="verify-reason")
        yield Foot()

    def on_mount(self) -> None:
        """Fill it and stand on what was chosen."""
        table = self.query_one(DataTable)
        first = self._pair.first_difference
        beside = list(self._pair.beside())
        names = (_("call"), _("model"), _("kernel"))
        longest = [
            max(len(name), *(len(str(row[at])) for row in beside)) for at, name in enumerate(names)
        ]
        answers = [min(most, LONGEST) for most in longest[1:]]
        room = self.app.size.width - sum(answers) - _BESIDE_THE_CALL
        table.add_column("", width=1)
        table.add_column("#", width=3)
        width = min(longest[0], max(room, _LEAST))
        for name, columns in zip(names, (width, *answers), strict=True):
            table.add_column(name, width=columns)
        for number, (name, model, real, differs) in enumerate(beside):
            row = self._pair.rows[number]
            mark = "▶" if number == first else "≠" if differs else " "
            style = STYLES[row.kind]
            step = "" if row.step is None else str(row.step)
            call = name if len(name) <= width else f"{name[: width - 1]}…"
            cells = (mark, style), (step, "dim"), (call, ""), (model, style), (real, style)
            table.add_row(*(Content.styled(text, look) for text, look in cells))
        table.focus()
        table.move_cursor(row=self._chosen)
        self._explain(self._chosen)

    def on_data_table_row_highlighted(self, message: DataTable.RowHighlighted) -> None:
        """Why the two may differ there."""
        self._explain(message.cursor_row)

    def _explain(self, number: int) -> None:
        row = self._pair.rows[number]
        told = f"{_(SHORT[row.kind])}: {row.reason}" if row.reason else _(SHORT[row.kind])
        line = f"{row.line}\n" if row.line else ""
        self.query_one("#verify-reason", Static).update(
            Content.assemble(line, (told, STYLES[row.kind]))
        )

    def action_difference(self) -> None:
        """To the first answer that differs."""
        first = self._pair.first_difference
        if first is None:
            self.notify(_("No difference."))
        else:
            self.query_one(DataTable).move_cursor(row=first)


class FileDialog(ModalScreen[str | None]):
    """Returns a path that was typed, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", show=False)]

    def __init__(self, title: str, value: str) -> None:
        super().__init__()
        self._title = title
        self._value = value

    def compose(self) -> ComposeResult:
        """A field."""
        field = Input(self._value, id="verify-file")
        field.border_title = self._title
        yield field

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter was pressed."""
        self.dismiss(message.value.strip() or None)
