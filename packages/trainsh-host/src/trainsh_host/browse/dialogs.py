"""The questions of the screen, which are a line of text or a yes or no, and the table of keys."""

from typing import ClassVar

from rich.text import Text  # noqa: TID253 - this module is loaded only for the screen
from textual import events  # noqa: TID253 - as above
from textual.app import ComposeResult  # noqa: TID253 - as above
from textual.binding import Binding, BindingType  # noqa: TID253 - as above
from textual.containers import Vertical  # noqa: TID253 - as above
from textual.screen import ModalScreen  # noqa: TID253 - as above
from textual.widgets import Input, Static  # noqa: TID253 - as above

KEYS = """\
Enter      open a folder            → ←   open it in place, close it
Backspace  the folder above         s S   sort; the other way round
/          only names with a text   .     dotted names, or none
d          download                 u     upload something from here
c          copy the path            x     delete, after a question
r          read again               q     end

The mouse works too: a click on the row of the cursor opens it."""


class Ask(ModalScreen[str | None]):
    """A question with a line for the answer. The key Escape closes the question without an answer."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "nothing", "back")]

    def __init__(self, question: str, value: str) -> None:
        super().__init__()
        self._question, self._value = question, value

    def compose(self) -> ComposeResult:
        """Make the question and the line below it."""
        with Vertical(classes="dialog"):
            yield Static(Text(self._question))
            yield Input(self._value, select_on_focus=False, compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the text of the line as the answer."""
        self.dismiss(event.value)

    def action_nothing(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


class Confirm(ModalScreen[bool]):
    """A question to which the key y means yes, and every other key means no."""

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Make the text of the question."""
        with Vertical(classes="dialog"):
            yield Static(Text(f"{self._question}\n\ny: yes   any other key: no"))

    def on_key(self, event: events.Key) -> None:
        """Close with the answer that the key means."""
        event.stop()
        self.dismiss(event.key == "y")


class Help(ModalScreen[None]):
    """The table of keys. Any key closes the table."""

    def compose(self) -> ComposeResult:
        """Make the text of the table."""
        with Vertical(classes="dialog"):
            yield Static(Text(KEYS))

    def on_key(self, event: events.Key) -> None:
        """Close the table."""
        event.stop()
        self.dismiss(None)
