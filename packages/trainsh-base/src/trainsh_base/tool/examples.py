"""Reads examples of commands from `share/trainsh/examples/TOOL`.

A line there is COMMAND, tab, EXAMPLE, tab, MEANING.
"""

from trainsh_base.system.configuration import share


def examples_of(tool: str, command: str) -> list[tuple[str, str]]:
    """Return the examples of the command. Each is a pair: the example, and what it does."""
    for folder in share.own_folders():
        text = share.read(folder, "examples", tool)
        if text is not None:
            rows = [line.split("\t") for line in text.splitlines()]
            return [(row[1], row[2]) for row in rows if len(row) == 3 and row[0] == command]
    return []
