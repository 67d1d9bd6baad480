"""The command as the user typed it: `train transfer` for train-xfer copy, `train host` for train-host.

The dispatcher passes it in TRAINSH_TYPED. For a shortcut, TRAINSH_SHORTCUT is the command that the shortcut runs.
"""

import os

import click  # noqa: TID253 - loaded by the click face alone

from trainsh_base.tool.examples import examples_of

_typed = os.environ.pop("TRAINSH_TYPED", "")
_command = os.environ.pop("TRAINSH_SHORTCUT", "")


def tool_words(program: str) -> str:
    """Return the tool's name for usage lines and messages: `train host`, or `train-host` when that was typed."""
    if _typed and _command:
        return program.replace("-", " ", 1)
    return _typed or program


class Context(click.Context):
    """A click context whose command path is the shortcut that was typed, if any."""

    @property
    def command_path(self) -> str:
        """`train transfer`, not `train xfer copy`."""
        return _typed if self.parent and _command and self.info_name == _command else super().command_path


class Command(click.Command):
    """A command that knows its shortcut, and shows examples at the end of its help."""

    context_class = Context
    tool = ""  # the name of the tool whose examples are shown

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples without wrapping them, so that each can be pasted."""
        examples = examples_of(self.tool, self.name or "") if self.tool else []
        if examples:
            formatter.write_paragraph()
            formatter.write("Examples:\n" + "".join(f"  {line}\n      {about}\n" for line, about in examples))
