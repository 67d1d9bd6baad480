"""Resolves a host's name or spec to a Target. This module only reads configuration, and makes no connection."""

import os
import shlex
from pathlib import Path

import msgspec

from trainsh_base.errors import UsageError
from trainsh_base.remote.host_spec import Spec, parse_spec
from trainsh_base.remote.target import Target, ssh_target
from trainsh_host.model import Host
from trainsh_host.old_types import PROVIDERS, TUNNEL_TYPE
from trainsh_host.store import hosts_file
from trainsh_host.ways.own_keys import ACCEPT_FIRST, in_quotes, key_file
from trainsh_host.ways.providers import has_tool, no_tool, provided, with_own_keys


def resolve(text: str, *, from_tool: bool = False, machine: str = "", depth: int = 0) -> Target:
    """The target that `text` means.

    `text` is the name of a host of hosts.toml, a spec, or an alias that ssh knows. `from_tool` means that the text
    comes from a tool's answer. Then an address belongs to a rented machine: the machine gets a known_hosts file of
    its own, named after the id `machine`, and only harmless ssh options are allowed.

    Raises NotFound for an unknown name, UsageError for a bad spec or table, and MissingProgram if the tool that
    knows the machine is not installed.
    """
    if text.strip() == "local":
        return Target.local()
    raw = hosts_file.find_raw(text)
    if raw is not None:
        return host_target(hosts_file.as_host(raw), depth=depth)
    spec = parse_spec(text)
    if spec.form == "provider":
        return provided(spec.provider, spec.value, text)
    if spec.form == "name":
        return _alias(spec.value)
    if not from_tool:
        return ssh_target(text, spec_argv(spec, depth=depth), label=spec_label(spec))
    return _rented(text, spec, machine)


def _rented(text: str, spec: Spec, machine: str) -> Target:
    from trainsh_host.ways.tool_specs import harmless  # noqa: PLC0415 - only specs from tools need it

    argv = spec_argv(harmless(spec, text))
    target = ssh_target(text, argv, label=spec_label(spec), rented=True, bootstrap=True, machine=machine)
    return with_own_keys(target, machine or spec_label(spec))


def _alias(name: str) -> Target:
    from trainsh_host.ways.ssh_names import known_to_ssh  # noqa: PLC0415 - not needed for names in hosts.toml

    if not known_to_ssh(name):
        raise hosts_file.unknown(name, hosts_file.load_raw())
    return ssh_target(name, ["ssh", name], label=name)


def host_target(host: Host, *, depth: int = 0) -> Target:
    """The target of a host of hosts.toml."""
    if host.type == "local":
        return Target.local(host.name)
    if host.provided and (has_tool(host.provided[0]) or not host.hostname):
        found = provided(*host.provided, host.name)
        return msgspec.structs.replace(found, name=host.name, label=host.name)
    if not host.hostname:
        if host.type in PROVIDERS:
            raise no_tool(PROVIDERS[host.type], host.name)
        raise UsageError(
            f"host {host.name!r} has no hostname", f"set it: train host edit {host.name} --host ADDRESS",
            code="bad_host",
        )  # fmt: skip
    known_hosts = str(Path(host.known_hosts).expanduser()) if host.known_hosts else None
    if _rented_host(host) and known_hosts is None:
        known_hosts = key_file(host.name)
    return ssh_target(
        host.name, host_argv(host, known_hosts, depth=depth), label=host.name, known_hosts=known_hosts,
        secret=host.password_secret or None, rented=_rented_host(host),
        bootstrap=_rented_host(host) if host.bootstrap is None else host.bootstrap,
    )  # fmt: skip


def _rented_host(host: Host) -> bool:
    """Whether the address may later belong to another machine.

    It may if the machine is rented, or if it is behind a tunnel.
    """
    return host.type == TUNNEL_TYPE or host.type in PROVIDERS


def host_argv(host: Host, known_hosts: str | None, *, depth: int = 0) -> list[str]:
    """ssh's argv for a host of hosts.toml.

    Port 22 is left out. Version 0.9 always wrote it, even if the port in ssh's settings was another.
    """
    argv = ["ssh"]
    if host.port != 22:
        argv += ["-p", str(host.port)]
    if host.auth_method in ("", "key"):
        argv += _key_options(host.ssh_key_path)
    if host.auth_method == "password":
        argv += ["-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=keyboard-interactive,password"]
    if known_hosts:
        argv += ["-o", f"UserKnownHostsFile={in_quotes(known_hosts)}"]
        argv += ["-o", ACCEPT_FIRST] if _rented_host(host) else []
    for option in host.ssh_options:
        argv += ["-o", option]
    if host.jump_host:
        argv += _jump(host.jump_host, depth)
    if host.type == TUNNEL_TYPE and host.env_vars.get("tunnel_type", "cloudflared") == "cloudflared":
        argv += ["-o", "ProxyCommand=cloudflared access ssh --hostname %h"]
    user = host.username or ("root" if _rented_host(host) else "")
    return [*argv, f"{user}@{host.hostname}" if user else host.hostname]


def _key_options(own: str) -> list[str]:
    """The options for the key of the host.

    If the host has no key, the default key of config.toml is used, if this file exists.
    """
    if own:
        return ["-i", _key_file(own), "-o", "IdentitiesOnly=yes"]
    from trainsh_base.system.configuration.config import config_value  # noqa: PLC0415 - most hosts have a key

    default = config_value("defaults.ssh_key_path")
    return ["-i", default] if default and os.path.exists(os.path.expanduser(default)) else []  # noqa: PTH110, PTH111


def spec_argv(spec: Spec, *, depth: int = 0) -> list[str]:
    """ssh's argv for `user@host -p PORT ...`."""
    argv = ["ssh"]
    if spec.port is not None:
        argv += ["-p", str(spec.port)]
    for key in spec.keys:
        argv += ["-i", _key_file(key)]
    for option in spec.options:
        argv += ["-o", option]
    if spec.jump:
        argv += _jump(spec.jump, depth)
    return [*argv, f"{spec.user}@{spec.value}" if spec.user else spec.value]


def spec_label(spec: Spec) -> str:
    """The address in a spec as `user@host:port`, for messages."""
    user = f"{spec.user}@" if spec.user else ""
    return f"{user}{spec.value}" + (f":{spec.port}" if spec.port not in (None, 22) else "")


def _key_file(path: str) -> str:
    """The path of the key file. A relative path is made absolute, because ssh may start in another folder."""
    return path if path.startswith(("~", "/", "%", "$")) else os.path.abspath(path)  # noqa: PTH100 - as text


def _jump(jump: str, depth: int) -> list[str]:
    """The option for a jump host.

    A jump host of hosts.toml has its own key and options, so it becomes a proxy command. The option `-J` cannot be
    used: ssh refuses it together with the `ProxyCommand=false` of clients that must not log in by themselves.
    """
    raw = hosts_file.find_raw(jump)
    if raw is None:
        return ["-o", f"ProxyJump={jump}"]
    if depth > 8:
        raise UsageError(f"the jump hosts form a loop at {jump!r}", code="bad_host")
    target = host_target(hosts_file.as_host(raw), depth=depth + 1)
    if target.kind == "local":
        return []
    argv = [word.replace("%", "%%") for word in target.argv]
    return ["-o", f"ProxyCommand={shlex.join([*argv[:-1], '-W'])} '[%h]:%p' {shlex.quote(argv[-1])}"]
