"""docs/troubleshooting.md is searched by message: each message in it is one that a program prints."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
OF_OTHERS = {"train: command not found"}  # printed by a shell


def sources() -> str:
    """The text of all programs."""
    files = [ROOT / "install.sh", ROOT / "bin" / "train"]
    files += [file for file in ROOT.glob("packages/*/src/**/*") if file.suffix in (".py", ".sh", ".bash")]
    return "\n".join(file.read_text() for file in files)


def test_each_message_is_printed_by_a_program() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    messages = re.findall(r"^\| `([^`]*)` \|", page, re.MULTILINE)
    assert len(messages) > 20
    text = sources()
    parts = [(message, part.strip()) for message in messages for part in message.split("…")]
    assert [message for message, part in parts if part not in text and message not in OF_OTHERS] == []
