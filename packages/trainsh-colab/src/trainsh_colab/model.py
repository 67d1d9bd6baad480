"""The documents of train-colab."""

from typing import Literal

import msgspec

from trainsh_base.provider.instance import Instance

Way = Literal["cloudflared", "ngrok", "google"]
Tunnel = Literal["cloudflared", "ngrok"]


class Runtime(Instance, frozen=True, kw_only=True):
    """A runtime, as a row of `list`. `through` tells how it is reached, `problem` why it cannot be reached."""

    through: Way = "cloudflared"
    address: str = ""
    problem: str = ""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A host of type colab in hosts.toml."""

    name: str
    address: str = ""


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `connect`. `cell` is the text to paste into the notebook, or "" if the address was given.

    `secret` is the name under which the runtime's password is stored, or "" if a key is used. `state` is `waiting`
    as long as there is no address.
    """

    name: str
    state: Literal["waiting", "running", "gone"]
    address: str = ""
    cell: str = ""
    secret: str = ""
    problem: str = ""


class Verb(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a verb to a recipe (docs/providers.md)."""

    hosts: dict[str, str] = {}
    instance: Runtime | None = None
    message: str = ""
