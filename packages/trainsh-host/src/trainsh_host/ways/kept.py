"""Resolves a host's name for other programs. An answer that depends only on settings files is kept."""

from pathlib import Path

from trainsh_base.remote.resolved import kept_target
from trainsh_base.remote.target import Target
from trainsh_base.system.configuration.config import config_value
from trainsh_base.system.paths import config_file
from trainsh_host.model import Host
from trainsh_host.store import hosts_file
from trainsh_host.ways.resolve import resolve as find


def resolve(name: str) -> Target:
    """Return the target of `name`. Raises what `ways.resolve` raises."""
    default = config_value("defaults.ssh_key_path")
    keys = [Path(default).expanduser()] if default else []
    files = kept_target.stamps([hosts_file.hosts_path(), config_file(), *keys])
    target = find(name)
    raw = hosts_file.find_raw(name)
    if raw is not None and target.kind == "ssh" and _lasting(hosts_file.as_host(raw)):
        kept_target.keep(name, target, files)
    return target


def _lasting(host: Host) -> bool:
    """Whether the target depends only on hosts.toml and config.toml: no provider is asked, and no path is
    relative.
    """
    alone = host.type == "ssh" and not host.provided and not host.jump_host
    return alone and host.ssh_key_path[:1] in ("", "/", "~")
