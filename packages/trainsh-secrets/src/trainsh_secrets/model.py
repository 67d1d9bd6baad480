"""The documents that train-secrets answers with."""

from msgspec import Struct


class Found(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The value of a secret. `source` is environment, keyring, helper or file.

    The repr of this struct hides the value.
    """

    name: str
    value: str
    source: str

    def __repr__(self) -> str:
        return f"Found(name={self.name!r}, source={self.source!r})"


class Revealed(Found, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A secret that a person on a terminal asked to see (--reveal)."""

    __repr__ = Found.__repr__


class Listed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of the list. `set` is null if a store is locked. `known` is true for names that train itself uses."""

    name: str
    set: bool | None
    source: str | None
    known: bool
    help: str


class Changed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A secret that was stored in, or deleted from, `source`."""

    name: str
    source: str


class Locked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The number of opened keys that the agent held, and deleted."""

    keys: int
