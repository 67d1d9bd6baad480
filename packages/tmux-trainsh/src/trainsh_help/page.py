"""The page that `train` prints without arguments: commands by group, shortcuts, and programs from elsewhere."""

import sys

from trainsh_base.tool.display import paint
from trainsh_help.catalog import Entry, Shortcut
from trainsh_help.topics import Topic

# The most frequent tasks come first. Groups that are not listed here follow in alphabetical order.
ORDER = ("recipes", "run", "machines", "move files", "storage", "money")
LAST = ("set up",)
OTHERS = "other commands"

USAGE = """\
usage: train COMMAND [ARGUMENTS]

Runs training from small recipes, on rented GPUs and on machines of your own.
"""
FOOTER = "For more: train help COMMAND, or train help TOPIC. For programs: train --list.\n"


def render(entries: list[Entry], shortcuts: list[Shortcut], topics: list[Topic]) -> str:
    """Return the text of the whole page."""
    groups = _grouped(entries)
    rows = [(title, [(entry.name, _says(entry)) for entry in groups[title]]) for title in _ordered(groups)]
    place = next((number for number, (title, _) in enumerate(rows) if title == OTHERS), len(rows))
    if shortcuts:
        rows.insert(place, ("shortcuts", [(word.name, f"train {word.means}") for word in shortcuts]))
    if topics:
        rows.append(("topics", [(topic.name, topic.summary) for topic in topics]))
    width = max((len(name) for _, lines in rows for name, _ in lines), default=0)
    parts = [USAGE]
    for title, lines in rows:
        parts.append(
            _heading(title) + "".join(f"  {name:<{width}}  {text}".rstrip() + "\n" for name, text in lines)
        )
    return "\n".join([*parts, FOOTER])


def _grouped(entries: list[Entry]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(OTHERS if entry.on_path or not entry.group else entry.group, []).append(entry)
    return groups


def _ordered(groups: dict[str, list[Entry]]) -> list[str]:
    ends = (*LAST, OTHERS)
    return sorted(
        groups,
        key=lambda title: (
            title in ends,
            ends.index(title) if title in ends else 0,
            ORDER.index(title) if title in ORDER else len(ORDER),
            title,
        ),
    )


def _says(entry: Entry) -> str:
    if entry.on_path:
        return f"{entry.summary} ({entry.path})" if entry.summary else entry.path
    return entry.summary


def _heading(title: str) -> str:
    return paint(title, "1", sys.stdout) + "\n"
