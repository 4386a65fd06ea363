"""The moments: surprises on which technologies differ; Enter plays one side by side."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from simulator.classroom.tui.keys import TEXT_KEYS, translated
from simulator.classroom.tui.messages import MomentRequested
from simulator.classroom.tui.studio import Surprise
from simulator.classroom.tui.widgets.foot import Foot
from simulator.classroom.tui.widgets.hanging import Hanging
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _


class MomentsScreen(Screen[None]):
    """Up and down choose a moment, Enter plays it."""

    HELP = N_(
        """\
# Moments

The same program, and technologies that answer it differently. Up and down choose, Enter plays the
moment on its technologies side by side. What they answer is computed as you look.
"""
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "play", N_("side by side"), priority=True),
        Binding("escape,q", "dismiss", N_("home")),
        *TEXT_KEYS,
    ]

    def __init__(self, moments: tuple[Surprise, ...]) -> None:
        super().__init__()
        self._bindings = translated(self._bindings)
        self._moments = {moment.id: moment for moment in moments}

    def compose(self) -> ComposeResult:
        """The list beside what the chosen one is about."""
        yield Static(
            Content.assemble(
                (_("Moments"), "bold $text-primary"),
                "  ",
                _("one program, and technologies that answer it differently"),
            ),
            id="name",
        )
        with Horizontal(id="shop"):
            yield OptionList(
                *(Option(_row(one), id=name) for name, one in self._moments.items()), id="scenarios"
            )
            with VerticalScroll(id="about", can_focus=False):
                yield Static("", id="about-text")
        yield Foot()

    def on_mount(self) -> None:
        """Begin with the first."""
        listed = self.query_one("#scenarios", OptionList)
        listed.focus()
        listed.action_first()

    @on(OptionList.OptionHighlighted)
    def _describe(self) -> None:
        one = self._chosen
        if one is None:
            return
        self.query_one("#about-text", Static).update(
            Content.assemble(
                (f"{one.title}\n", "bold"),
                f"{one.why}\n\n",
                *((f"  {spec}\n", "$text-primary") for spec in one.on),
                (f"\n{one.program}", "$text-muted"),
            )
        )

    @property
    def _chosen(self) -> Surprise | None:
        listed = self.query_one("#scenarios", OptionList)
        if listed.highlighted is None:
            return None
        return self._moments.get(listed.get_option_at_index(listed.highlighted).id or "")

    def action_scroll_text(self, direction: int) -> None:
        """The text about the chosen one."""
        self.query_one("#about").scroll_relative(y=direction, animate=False)

    def action_play(self) -> None:
        """All its technologies, side by side."""
        if self._chosen is not None:
            self.post_message(MomentRequested(self._chosen))

    def on_option_list_option_selected(self) -> None:
        """A moment was clicked twice."""
        self.action_play()


def _row(one: Surprise) -> Hanging:
    return Hanging((Content.styled(f"{one.number:>2} ", "$text-muted"), Content(one.title)))
