"""The first screen: half a century of isolation on one line, and what can be tried on it."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from simulator.classroom.tui.keys import TEXT_KEYS, translated, widened
from simulator.classroom.tui.messages import (
    AttachRequested,
    ComparisonRequested,
    CourseRequested,
    MatrixRequested,
    MomentsRequested,
    PlayRequested,
    VerificationRequested,
)
from simulator.classroom.tui.search import matches
from simulator.classroom.tui.studio import Offer, Technology
from simulator.classroom.tui.widgets.era_line import EraLine
from simulator.classroom.tui.widgets.foot import Foot
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

_FIRST = "fs.chroot-escape"
"""Where a newcomer begins, and the README with them."""


class HomeScreen(Screen[None]):
    """Left and right choose a technology, up and down a scenario, Enter plays it."""

    HELP = N_(
        """\
# Vitrina

A display case for kernels: choose a technology on the time line (left and right), a scenario in the
list (up and down) and press Enter to step through it.

- `/` filter the list: words of a title, an id or a topic; Escape shows all again
- `m` the moments: one program, and technologies that answer it differently
- `x` the matrix: every probe on every technology, each cell a door to its run
- `s` type a technology with its product's own options, such as `docker --pid=host`
- `c` compare two technologies on the chosen scenario
- `o` the lessons of the course
- `v` the model against this machine's kernel
- `a` attach to a running `vitrina engine`
- `l` change the language
- Shift with up and down scrolls the text on the right
- `Ctrl+P` all commands, `?` this page, `q` the way out
"""
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "era(1)", N_("later"), show=False, priority=True),
        Binding("left", "era(-1)", N_("earlier"), show=False, priority=True),
        Binding("enter", "play", N_("play"), priority=True),
        Binding("slash", "filter", N_("filter"), key_display="/"),
        Binding("o", "course", N_("lessons")),
        Binding("m", "moments", N_("moments")),
        Binding("s", "spec", N_("options"), show=False, id="wide.spec"),
        Binding("c", "compare", N_("compare")),
        Binding("x", "matrix", N_("matrix"), show=False, id="wide.matrix"),
        Binding("v", "verify", N_("verify"), show=False, id="wide.verify"),
        Binding("a", "attach", N_("attach"), show=False, id="wide.attach"),
        Binding("down", "move('cursor_down')", show=False),
        Binding("up", "move('cursor_up')", show=False),
        Binding("pagedown", "move('page_down')", show=False),
        Binding("pageup", "move('page_up')", show=False),
        *TEXT_KEYS,
        Binding("escape", "unfilter", show=False),
        Binding("l", "app.language", N_("español")),
        Binding("q", "app.quit", N_("quit"), show=False, id="wide.quit"),
    ]

    technology: reactive[int] = reactive(0)

    def __init__(
        self,
        technologies: tuple[Technology, ...],
        offers: tuple[Offer, ...],
        program: Callable[[str], str],
    ) -> None:
        """``program`` gives the text of a scenario's program when that one is looked at."""
        super().__init__()
        self._program = program
        self._bindings = translated(self._bindings)
        self._technologies = technologies
        self._offers = {offer.id: offer for offer in offers}

    def compose(self) -> ComposeResult:
        """Name, time line, scenarios beside their description, keys."""
        yield Static(
            Content.assemble(
                ("Vitrina  ", "bold $text-primary"),
                _("see what isolates, what leaks, and why"),
            ),
            id="name",
        )
        yield EraLine(self._technologies, id="eras")
        with Horizontal(id="shop"):
            with Vertical(id="choice"):
                yield Input(
                    placeholder=_("words of a title, an id or a topic"),
                    id="filter",
                    classes="hidden",
                    compact=True,
                )
                yield OptionList(*self._options(), id="scenarios")
            with VerticalScroll(id="about", can_focus=False):
                yield Static("", id="about-text")
        yield Foot()

    def on_mount(self) -> None:
        """Begin with the oldest technology, on the scenario that shows its hole."""
        names = [technology.name for technology in self._technologies]
        self.technology = names.index("chroot") if "chroot" in names else 0
        scenarios = self.query_one("#scenarios", OptionList)
        scenarios.focus()
        if _FIRST in self._offers:
            scenarios.highlighted = scenarios.get_option_index(_FIRST)
        else:
            scenarios.action_first()
        self._choose()

    def _options(self, typed: str = "") -> list[Option | None]:
        options: list[Option | None] = []
        group = ""
        for offer in self._offers.values():
            if not matches(typed, offer.id, offer.title, offer.group):
                continue
            if offer.group != group:
                group = offer.group
                options.append(
                    Option(Content.styled(group.upper(), "bold $text-muted"), disabled=True)
                )
            options.append(Option(offer.title, id=offer.id))
        return options or [Option(_("nothing is called that"), disabled=True)]

    # -- the filter

    def action_filter(self) -> None:
        """Type what to look for."""
        field = self.query_one("#filter", Input)
        field.remove_class("hidden")
        field.focus()

    def action_unfilter(self) -> None:
        """All of them again."""
        field = self.query_one("#filter", Input)
        field.clear()
        field.add_class("hidden")
        self.query_one("#scenarios", OptionList).focus()

    @on(Input.Changed, "#filter")
    def _narrow(self, message: Input.Changed) -> None:
        scenarios = self.query_one("#scenarios", OptionList)
        chosen = self.offer
        options = self._options(message.value)
        scenarios.clear_options()
        scenarios.add_options(options)
        there = {option.id for option in options if option is not None}
        if chosen is not None and chosen.id in there:
            scenarios.highlighted = scenarios.get_option_index(chosen.id)
            self.call_after_refresh(scenarios.scroll_to_highlight)
        else:
            scenarios.action_first()
        self._describe()

    def action_move(self, action: str) -> None:
        """Along the list while something is typed above it."""
        getattr(self.query_one("#scenarios", OptionList), f"action_{action}")()

    def validate_technology(self, position: int) -> int:
        """Stay on the line."""
        return max(0, min(position, len(self._technologies) - 1))

    def watch_technology(self) -> None:
        """Show what was chosen."""
        if self.is_mounted:
            self._choose()

    def _choose(self) -> None:
        self.query_one(EraLine).chosen = self.technology
        self._describe()

    @on(OptionList.OptionHighlighted, "#scenarios")
    def _describe(self) -> None:
        technology = self._technologies[self.technology]
        offer = self.offer
        parts: list[Content | tuple[str, str] | str] = [
            (f"{technology.title}", "bold $text-primary"),
            f"  {technology.year or ''}\n",
            f"{technology.about}\n\n" if technology.about else "\n",
        ]
        if offer is not None:
            parts += [
                (f"{offer.title}", "bold"),
                (f"  {offer.id}\n", "$text-muted"),
                f"{offer.question}\n",
                (f"\n{offer.matters}\n" if offer.matters else "", "$text-muted"),
                (f"\n{self._program(offer.id)}", "$text-muted"),
            ]
        self.query_one("#about-text", Static).update(Content.assemble(*parts))

    @property
    def chosen_name(self) -> str:
        """The technology chosen on the time line."""
        return self._technologies[self.technology].name

    @property
    def offer(self) -> Offer | None:
        """The scenario that is highlighted."""
        scenarios = self.query_one("#scenarios", OptionList)
        if scenarios.highlighted is None:
            return None
        option = scenarios.get_option_at_index(scenarios.highlighted)
        return self._offers.get(option.id or "")

    def on_resize(self, event: Resize) -> None:
        """All keys are named below where there is room."""
        widened(self, event.size.width)

    def action_scroll_text(self, direction: int) -> None:
        """The text about what was chosen."""
        self.query_one("#about").scroll_relative(y=direction, animate=False)

    def action_era(self, direction: int) -> None:
        """Along the time line."""
        self.technology += direction

    def action_play(self) -> None:
        """Step through the scenario on the technology."""
        if self.offer is not None:
            self.post_message(PlayRequested(self.offer.id, self.chosen_name))

    def action_spec(self) -> None:
        """Play with options typed by hand."""
        if self.offer is not None:
            self.post_message(PlayRequested(self.offer.id, self.chosen_name, ask=True))

    def action_compare(self) -> None:
        """Play, then choose what to compare with."""
        if self.offer is not None:
            self.post_message(ComparisonRequested(self.offer.id, self.chosen_name))

    def action_moments(self) -> None:
        """The moments."""
        self.post_message(MomentsRequested())

    def action_matrix(self) -> None:
        """The matrix."""
        self.post_message(MatrixRequested())

    def action_attach(self) -> None:
        """Watch an engine."""
        self.post_message(AttachRequested())

    def action_course(self) -> None:
        """The lessons."""
        self.post_message(CourseRequested())

    def action_verify(self) -> None:
        """The model against a real kernel."""
        self.post_message(VerificationRequested())

    def on_era_line_chosen(self, message: EraLine.Chosen) -> None:
        """A technology was clicked."""
        self.technology = message.position

    def on_option_list_option_selected(self) -> None:
        """A scenario was clicked twice or entered."""
        self.action_play()
