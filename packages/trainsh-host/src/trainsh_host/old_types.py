"""Maps the two machine types that tmux-trainsh 0.9 wrote into hosts.toml to providers.

In this package, only this file names a provider.
"""

TUNNEL_TYPE = "colab"
"""Behind a tunnel there may be another machine each time, so the host key changes."""

# type in version 0.9 -> (the provider, the key whose value is the provider's id of the machine)
PROVIDERS = {"vastai": ("vast", "vast_instance_id")}
