"""Maps the two machine types that tmux-trainsh 0.9 wrote into hosts.toml to providers.

In this package, only this file names a provider.
"""

from typing import Literal

OldType = Literal["vastai", "colab"]

TUNNEL_TYPE = "colab"
"""Behind a tunnel there may be another machine each time, so the host key changes."""

PROVIDERS = {"vastai": "vast"}  # type in version 0.9 -> the provider
INSTANCE_KEY = "vast_instance_id"  # holds the provider's id of a machine whose type is in PROVIDERS
