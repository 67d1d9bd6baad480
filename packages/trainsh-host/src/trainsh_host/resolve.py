"""From a host's name or spec to the way to it: a Target. What is written down is read; nothing is connected."""

import os
import shlex
from pathlib import Path

import msgspec

from trainsh_base.errors import MissingProgram, UsageError
from trainsh_base.remote.target import Target, control_path, ssh_target
from trainsh_base.system.paths import private_folder, state_home
from trainsh_host import hostsfile
from trainsh_host.model import Host
from trainsh_host.spec import Spec, parse_spec

# A tunnel's far end is a new machine each time; ssh learns its key on first contact and holds it to that.
RENTED = "accept-new"


def resolve(text: str, *, depth: int = 0) -> Target:
    """The way to the machine that `text` means: a host of hosts.toml, a spec, or an alias of ssh's own settings.

    Raises NotFound for a name nobody knows, UsageError for a bad spec or table, MissingProgram where another tool
    knows the machine and is not installed.
    """
    if text.strip() == "local":
        return Target.local()
    raw = hostsfile.find_raw(text)
    if raw is not None:
        return host_target(hostsfile.as_host(raw), depth=depth)
    spec = parse_spec(text)
    if spec.form in ("vast", "colab"):
        return provided(spec.form, spec.value, text)
    if spec.form == "name":
        return _alias(spec.value)
    return ssh_target(text, spec_argv(spec, depth=depth), label=spec_label(spec))


def _alias(name: str) -> Target:
    from trainsh_host.aliases import known_to_ssh  # noqa: PLC0415 - most names are in hosts.toml

    if not known_to_ssh(name):
        raise hostsfile.unknown(name, hostsfile.load_raw())
    return ssh_target(name, ["ssh", name], label=name)


def host_target(host: Host, *, depth: int = 0) -> Target:
    """The way to a host of hosts.toml."""
    if host.type == "local":
        return Target.local(host.name)
    if host.type == "vastai" and host.vast_instance_id is not None and _has_tool("vast"):
        found = provided("vast", str(host.vast_instance_id), host.name)
        return msgspec.structs.replace(found, name=host.name, label=host.name)
    if not host.hostname:
        if host.type == "vastai":
            raise _no_tool("vast", host.name)
        raise UsageError(
            f"host {host.name!r} has no hostname", f"set it: train host edit {host.name} --host ADDRESS",
            code="bad_host",
        )  # fmt: skip
    rented = host.type in ("colab", "vastai")
    known_hosts = str(Path(host.known_hosts).expanduser()) if host.known_hosts else None
    if rented and known_hosts is None:
        known_hosts = str(private_folder(state_home() / "known_hosts") / host.name)
    return ssh_target(
        host.name, host_argv(host, known_hosts, depth=depth), label=host.name, known_hosts=known_hosts,
        secret=host.password_secret or None, rented=rented,
        bootstrap=rented if host.bootstrap is None else host.bootstrap,
    )  # fmt: skip


def host_argv(host: Host, known_hosts: str | None, *, depth: int = 0) -> list[str]:
    """ssh's words for a host of hosts.toml. Port 22 is not said: 0.9 wrote it always, and ssh's own settings may
    know another."""
    words = ["ssh"]
    if host.port != 22:
        words += ["-p", str(host.port)]
    if host.auth_method in ("", "key"):
        words += _key_words(host.ssh_key_path)
    if host.auth_method == "password":
        words += ["-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=keyboard-interactive,password"]
    if known_hosts:
        words += ["-o", f"UserKnownHostsFile={_in_quotes(known_hosts)}"]
        words += ["-o", f"StrictHostKeyChecking={RENTED}"] if host.type != "ssh" else []
    for option in host.ssh_options:
        words += ["-o", option]
    if host.jump_host:
        words += _jump(host.jump_host, depth)
    if host.type == "colab" and host.env_vars.get("tunnel_type", "cloudflared") == "cloudflared":
        words += ["-o", "ProxyCommand=cloudflared access ssh --hostname %h"]
    user = host.username or ("root" if host.type in ("colab", "vastai") else "")
    return [*words, f"{user}@{host.hostname}" if user else host.hostname]


def _key_words(own: str) -> list[str]:
    """The host's own key and no other; else the default of config.toml, where there is such a file."""
    if own:
        return ["-i", _key_file(own), "-o", "IdentitiesOnly=yes"]
    from trainsh_base.system.config import config_value  # noqa: PLC0415 - most hosts name their key

    default = config_value("defaults.ssh_key_path")
    return ["-i", default] if default and os.path.exists(os.path.expanduser(default)) else []  # noqa: PTH110, PTH111


def spec_argv(spec: Spec, *, depth: int = 0) -> list[str]:
    """ssh's words for `user@host -p PORT ...`."""
    words = ["ssh"]
    if spec.port is not None:
        words += ["-p", str(spec.port)]
    for key in spec.keys:
        words += ["-i", _key_file(key)]
    for option in spec.options:
        words += ["-o", option]
    if spec.jump:
        words += _jump(spec.jump, depth)
    return [*words, f"{spec.user}@{spec.value}" if spec.user else spec.value]


def spec_label(spec: Spec) -> str:
    """`user@host:port`, as messages name it."""
    user = f"{spec.user}@" if spec.user else ""
    return f"{user}{spec.value}" + (f":{spec.port}" if spec.port not in (None, 22) else "")


def _key_file(path: str) -> str:
    """A key named by a relative path is looked for from here, whoever starts ssh from wherever."""
    return path if path.startswith(("~", "/", "%", "$")) else os.path.abspath(path)  # noqa: PTH100 - as text


def _in_quotes(path: str) -> str:
    """A file name in an option that may hold several, parted by blanks."""
    return f'"{path}"' if " " in path else path


def _jump(jump: str, depth: int) -> list[str]:
    """The option for a jump host. One of hosts.toml has a key and options of its own: a proxy command carries them.

    Not `-J`: ssh refuses that beside the `ProxyCommand=false` of clients that must not log in by themselves.
    """
    raw = hostsfile.find_raw(jump)
    if raw is None:
        return ["-o", f"ProxyJump={jump}"]
    if depth > 8:
        raise UsageError(f"the jump hosts go round in a circle at {jump!r}", code="bad_host")
    target = host_target(hostsfile.as_host(raw), depth=depth + 1)
    if target.kind == "local":
        return []
    words = [word.replace("%", "%%") for word in target.argv]
    return ["-o", f"ProxyCommand={shlex.join([*words[:-1], '-W'])} '[%h]:%p' {shlex.quote(words[-1])}"]


def provided(tool: str, value: str, name: str) -> Target:
    """Ask the tool that rents the machine where it is. A rented one gets a file of host keys of its own."""
    if not _has_tool(tool):
        raise _no_tool(tool, name)
    from trainsh_base.tool.peer import call  # noqa: PLC0415 - only rented machines need it

    answer = call(tool, "resolve", {"id" if tool == "vast" else "name": value})
    try:
        found = msgspec.convert(answer, Target)
    except msgspec.ValidationError as error:
        raise UsageError(f"train-{tool} resolve did not answer with a target: {error}", code="bad_answer") from None
    if not found.rented or found.known_hosts or found.kind == "local":
        return found
    known_hosts = str(private_folder(state_home() / "known_hosts") / f"{tool}-{value.replace('/', '_')}")
    argv = [found.argv[0], *_own_keys(known_hosts), *found.argv[1:]]
    return msgspec.structs.replace(
        found, argv=argv, known_hosts=known_hosts, control_path=control_path(argv, found.env)
    )


def _own_keys(known_hosts: str) -> list[str]:
    return ["-o", f"UserKnownHostsFile={_in_quotes(known_hosts)}", "-o", f"StrictHostKeyChecking={RENTED}"]


def _has_tool(tool: str) -> bool:
    from trainsh_base.system.spawn import tool_path  # noqa: PLC0415 - only rented machines need it

    return tool_path(tool) is not None


def _no_tool(tool: str, name: str) -> MissingProgram:
    return MissingProgram(
        f"{name} is known to train-{tool}, which is not installed",
        f"install trainsh-{tool}, or give the machine's address: user@host -p PORT", code="no_tool",
        data={"tool": tool},
    )  # fmt: skip
