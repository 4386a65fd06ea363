"""Why the step came out as it did: the wall and its manual page, or whose object was reached."""

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from simulator.classroom.tui.present.step import Step, Tone, statement
from simulator.classroom.tui.widgets.tones import TONE_STYLES, domain_style
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.security import Check


class WhyPanel(VerticalScroll, can_focus=False):
    """One step in words."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.border_title = _("Why")
        self._text = Static("", classes="lines")

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        yield self._text

    def show(self, step: Step | None, opening: str, asked: tuple[Check, ...] = ()) -> None:
        """Explain ``step`` and who was asked in it; before the first, say what the run is about."""
        lines = [Content(opening)] if step is None else list(_explain(step, asked))
        self._text.update(Content("\n").join(lines))
        self.scroll_home(animate=False)


def _explain(step: Step, asked: tuple[Check, ...]) -> Iterator[Content]:
    bound, actor, said = statement(step)
    yield Content.assemble(
        (bound, "bold"),
        (actor, domain_style(actor)),
        (said, "bold"),
        "  ",
        (step.outcome, TONE_STYLES[step.tone]),
    )
    if step.comment:
        yield Content.styled(step.comment, "italic $text-muted")
    if step.cause is not None:
        yield from _caused(step.cause)
    if step.output:
        yield Content(step.output.rstrip())
    if step.mechanism:
        yield Content(_("Built by: {mechanism}").format(mechanism=step.mechanism))
    if step.wall and step.wall != "none":
        yield Content.assemble(
            (_("Stopped by: {wall}").format(wall=step.wall), "bold $text-accent")
        )
    if step.credit:
        yield Content.styled(
            _("Without {mechanisms} this would have got through.").format(
                mechanisms=", ".join(step.credit)
            ),
            "bold $text-accent",
        )
    if step.why:
        yield Content(_(step.why))
    for crossing in step.crossings:
        yield Content.styled(crossing, TONE_STYLES[step.tone])
    if step.stoppers:
        yield Content(
            _("What keeps such objects away: {mechanisms}").format(
                mechanisms=", ".join(step.stoppers)
            )
        )
    if step.tone is Tone.OK:
        yield Content.styled(
            _("No wall stood in the way, and nothing of anybody else's was touched."), "$text-muted"
        )
    if asked:
        yield _keepers(asked)
    if step.cite:
        yield Content.styled(step.cite, "$text-muted")


def _keepers(asked: tuple[Check, ...]) -> Content:
    """The keepers of the walls in the order in which they were asked, the one that said no last."""
    told: dict[str, str] = {}
    for check in asked:
        mark, style = ("✗", "$text-accent") if check.denial else ("✓", "$text-muted")
        told.setdefault(f"{check.policy} {mark}", style)
    between = Content.styled(" · ", "$text-muted")
    first = Content.styled(_("Asked in this order:") + " ", "$text-muted")
    return first + between.join(Content.styled(text, style) for text, style in told.items())


def _caused(cause: Step) -> Iterator[Content]:
    """The refusal deep below, of which the program's message is all that a person sees."""
    yield Content.assemble(
        (f"{cause.outcome}: {_(cause.why)} ", "bold $text-accent"), (cause.call, "$text-muted")
    )
