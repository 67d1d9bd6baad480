"""The two machine types that tmux-trainsh 0.9 wrote into hosts.toml, mapped to providers. Only this file of the
package names a provider."""

TUNNEL_TYPE = "colab"
"""Behind a tunnel there may be another machine each time, so the host key changes."""

# type in version 0.9 -> the provider, and the key that holds the provider's id of the machine
PROVIDERS = {"vastai": ("vast", "vast_instance_id")}
