"""How a check ends if the tool does not pass it."""


class Broken(Exception):
    """The tool breaks a rule in docs/providers.md. The text tells what the check saw."""


class LeftOut(Exception):
    """The check does not apply to this tool. The text tells why."""


def need(holds: object, otherwise: str) -> None:
    """Raise Broken with the text `otherwise` unless `holds` is true."""
    if not holds:
        raise Broken(otherwise)
