"""Shortens a part of a recipe for a message."""


def shorten(text: str) -> str:
    """The text in quotes. If the text is long, its middle is left out."""
    shown = text if len(text) <= 60 else text[:40] + "..." + text[-10:]
    return (
        repr(shown)
        if "'" not in shown
        else f'"{shown}"'
        if '"' not in shown and shown.isprintable()
        else repr(shown)
    )
