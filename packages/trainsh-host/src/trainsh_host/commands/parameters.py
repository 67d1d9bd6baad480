"""Declares the tool, and the parameters that several commands have in common."""

from typing import Annotated, Literal

from trainsh_base.tool.declare import Arg, Opt, Tool

tool = Tool("host", "Machines: add and test them, run commands on them")

Name = Annotated[
    str, Arg("a host's name, or a host spec in one argument: 'user@host -p 2222'", "NAME", kind="host")
]
Type = Annotated[
    Literal["ssh", "provider", "tunnel", "local"] | None, Opt("the type of the machine", name="--type")
]
Address = Annotated[str | None, Opt("its address: a host name or IP address", metavar="HOST", also=("hostname",))]
User = Annotated[str | None, Opt("the account on the machine", short="-l", metavar="USER", also=("username",))]
Port = Annotated[int | None, Opt("the port of its sshd", short="-p", metavar="PORT")]
Key = Annotated[
    str | None, Opt("the private key to log in with", short="-i", metavar="FILE", also=("ssh_key_path",))
]
Auth = Annotated[Literal["key", "agent", "password"] | None, Opt("how to log in", also=("auth_method",))]
Jump = Annotated[
    str | None, Opt("the machine to go through: a host's name or user@host", short="-J", also=("jump_host",))
]
Options = Annotated[
    list[str] | None,
    Opt("an ssh option (repeatable)", "-o", "KEY=VALUE", name="--option", also=("option", "ssh_options")),
]
PasswordSecret = Annotated[
    str | None, Opt("the name of the secret that holds the account's password", metavar="SECRET")
]
Ref = Annotated[str | None, Opt("a provider's machine: the provider's own id of it", metavar="PROVIDER:ID")]
Tunnel = Annotated[Literal["cloudflared", "ngrok"] | None, Opt("the kind of tunnel that leads to the machine")]
Tags = Annotated[
    list[str] | None,
    Opt("a tag, by which train host list can select it (repeatable)", metavar="WORD", name="--tag", also=("tag",)),
]
Notes = Annotated[str | None, Opt("a note for yourself")]
Favorite = Annotated[bool | None, Opt("list it first", also=("is_favorite",))]
Bootstrap = Annotated[bool | None, Opt("install tmux and rsync on the machine if they are missing")]
Configured = Annotated[str, Arg("a host's name", "NAME", kind="host")]


def on_terminal() -> bool:
    """Whether a person at the terminal can be asked."""
    import sys  # noqa: PLC0415 - only then

    return sys.stdin.isatty() and sys.stderr.isatty()
