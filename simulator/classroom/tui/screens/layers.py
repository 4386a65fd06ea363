"""Images as stacks on the left; on the right, what the chosen layer changes of those below it."""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from simulator.classroom.tui.present.engine.changes import Change
from simulator.classroom.tui.present.engine.disk import size
from simulator.classroom.tui.present.engine.stack import Difference, Stacks, Storey
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

_MARKS = {
    "+": "$text-success",
    "⇡": "$text-warning",
    "✗": "$text-error",
    "▪": "$text-error",
    "·": "$text-muted",
}


class LayersDialog(ModalScreen[None]):
    """Up and down choose a layer; left and right change sides."""

    DEFAULT_CSS = """
    LayersDialog > Vertical { width: 96%; height: 90%; background: $surface; padding: 0 1; }
    LayersDialog OptionList {
        width: 2fr; height: 1fr; border: none; background: $surface; padding: 0;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    LayersDialog #difference {
        width: 3fr; height: 1fr; border-left: solid $surface-lighten-2; padding: 0 1;
    }
    LayersDialog #changes { width: 1fr; }
    LayersDialog #made { height: auto; max-height: 3; color: $text-muted; }
    LayersDialog.-narrow Horizontal { layout: vertical; }
    LayersDialog.-narrow OptionList { width: 1fr; }
    LayersDialog.-narrow #difference {
        width: 1fr; border-left: none; border-top: solid $surface-lighten-2; padding: 0;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,y,q", "dismiss(None)", N_("close"), priority=True),
        Binding("right", "side('changes')", show=False, priority=True),
        Binding("left", "side('stacks')", show=False, priority=True),
    ]

    def __init__(
        self, found: Stacks, difference: Callable[[str], Awaitable[Difference | None]]
    ) -> None:
        """``difference`` tells what the layer with an id changes."""
        super().__init__()
        self._found = found
        self._difference = difference
        self._storeys = [one for stack in found.stacks for one in stack.storeys]

    def compose(self) -> ComposeResult:
        """A heading for each image, its layers below it; the changes."""
        with Vertical(classes="dialog"):
            if not self._storeys:
                yield Static(_("no image yet"))
                return
            yield Static(
                Content.assemble(
                    (_("Layers"), "bold"),
                    f"  {_('on disk once: {size}').format(size=size(self._found.size))}  ",
                    *_legend(),
                )
            )
            with Horizontal():
                yield OptionList(*self._options(), id="stacks")
                with Vertical(id="difference"):
                    yield Static("", id="made", markup=False)
                    yield OptionList(id="changes")

    def on_mount(self) -> None:
        """Begin with the topmost layer."""
        for listed in self.query("#stacks").results(OptionList):
            listed.focus()
            listed.action_first()

    def _options(self) -> list[Option]:
        options: list[Option] = []
        places = count()
        for stack in self._found.stacks:
            name = Content.styled(f"{stack.name}  {size(stack.size)}", "bold $foreground")
            options.append(Option(name, disabled=True))
            options += [Option(_line(one), id=f"s{next(places)}") for one in stack.storeys]
        return options

    @on(OptionList.OptionHighlighted, "#stacks")
    def _chosen(self, message: OptionList.OptionHighlighted) -> None:
        one = self._storeys[int((message.option.id or "s0")[1:])]
        self.run_worker(self._show(one), exclusive=True)

    async def _show(self, one: Storey) -> None:
        try:
            found = await self._difference(one.id)
        except VitrinaError as error:  # the engine that was watched has ended
            self.notify(str(error), severity="warning")
            return
        if not self.display:  # it is being left, and what is on it may be gone already
            return
        self.query_one("#made", Static).update("  ".join(filter(None, (one.name, one.made))))
        listed = self.query_one("#changes", OptionList)
        listed.clear_options()
        if found is None:
            listed.add_option(Option(_("this layer is gone"), disabled=True))
            return
        listed.add_options([Option(_changed(change)) for change in found.changes])
        if found.more:
            more = _("and {count} more").format(count=found.more)
            listed.add_option(Option(Content.styled(more, "$text-muted"), disabled=True))
        if not found.changes:
            listed.add_option(Option(_("empty: it has changed nothing"), disabled=True))

    @on(OptionList.OptionSelected, "#stacks")
    def _entered(self) -> None:
        self.action_side("changes")

    def action_side(self, side: str) -> None:
        """To the stacks or to the changes."""
        for listed in self.query(f"#{side}").results(OptionList):
            listed.focus()
            if listed.highlighted is None:
                listed.action_first()


def _legend() -> list[tuple[str, str] | str]:
    marks = (("+", _("new")), ("⇡", _("copied up")), ("✗", _("covered")))
    return [part for mark, said in marks for part in ((mark, _MARKS[mark]), f" {said}  ")]


def _line(one: Storey) -> Content:
    style = "$text-primary" if one.container else "$text-warning"
    shared = "bold" if one.shared > 1 else ""
    return Content.styled(one.text, f"{style} {shared}".strip())


def _changed(one: Change) -> Content:
    return Content.assemble(
        (f"{one.mark} ", _MARKS.get(one.mark, "")),
        one.path,
        (f"  {one.said}" if one.said else "", "$text-muted"),
    )
