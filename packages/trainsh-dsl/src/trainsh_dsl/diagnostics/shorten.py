"""A piece of a recipe as messages quote it."""


def shorten(text: str) -> str:
    """The text in quotes, its middle left out when it is long."""
    shown = text if len(text) <= 60 else text[:40] + "..." + text[-10:]
    return (
        repr(shown)
        if "'" not in shown
        else f'"{shown}"'
        if '"' not in shown and shown.isprintable()
        else repr(shown)
    )
