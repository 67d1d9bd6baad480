"""The two types of machines that tmux-trainsh 0.9 wrote into hosts.toml, in today's words. No other line of this
package knows a provider."""

TUNNEL_TYPE = "colab"
"""A machine behind a tunnel: another machine each time, so its host keys change."""

# 0.9's type -> the provider that knows the machine, and the key that holds what it is called there.
PROVIDERS = {"vastai": ("vast", "vast_instance_id")}
