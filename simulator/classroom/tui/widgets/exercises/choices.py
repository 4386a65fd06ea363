"""One of several answers: marks that tell what is chosen without colours, and rows of them."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.widgets import RadioButton, RadioSet


class Choice(RadioButton):
    """A filled circle when it is chosen and an empty one when not; as high as what it says."""

    BUTTON_INNER = "○"

    def watch_value(self) -> None:
        """Textual's own mark is the same in both states, but for its colour."""
        mark = "●" if self.value else "○"
        self.BUTTON_INNER = mark  # pyright: ignore[reportConstantRedefinition]
        super().watch_value()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Textual's own buttons are a line high whatever they say."""
        return len(self.render().wrap(width))


class Row(RadioSet):
    """Choices beside each other: left and right choose, up and down go to the other rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "choose(-1)", show=False),
        Binding("right", "choose(1)", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(self, *said: str) -> None:
        super().__init__(*(Choice(Content(text)) for text in said), compact=True)

    def action_choose(self, direction: int) -> None:
        """The one beside; the first, when none is chosen."""
        buttons = list(self.query(Choice))
        at = self.pressed_index + direction if self.pressed_index >= 0 else 0
        buttons[max(0, min(at, len(buttons) - 1))].value = True
