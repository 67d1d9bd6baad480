"""How a check ends that does not end well."""


class Broken(Exception):
    """The tool does not keep the contract; the text says what was seen."""


class LeftOut(Exception):
    """The check does not apply to this tool; the text says why."""


def need(holds: object, otherwise: str) -> None:
    """Broken unless it holds."""
    if not holds:
        raise Broken(otherwise)
