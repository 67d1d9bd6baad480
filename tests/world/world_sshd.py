"""A machine: a real sshd on a free port, with its own keys, home, login shell and password.

If this process is root and mount namespaces work, only this sshd sees a password file with the account, so that
home and login shell are as on a real machine. Otherwise a forced command sets HOME and starts the shell.
"""

import contextlib
import functools
import itertools
import os
import pwd
import random
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

SSHD = "/usr/sbin/sshd"


@functools.cache
def has_mount_namespaces() -> bool:
    """Whether this user may have mount namespaces."""
    script = "mount --bind /etc/hostname /etc/passwd"
    words = ["unshare", "-m", "--propagation", "private", "sh", "-c", script]
    with contextlib.suppress(OSError):
        return os.getuid() == 0 and subprocess.run(words, capture_output=True, check=False).returncode == 0
    return False


# Below those that the kernel gives to whoever asks for any (32768 on Linux): such a port may be taken between the
# moment it is found free and the moment the test's server listens, or while that server is down. The workers of a run
# of tests, whose parent is the same, begin far from each other.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_each = 20_000 // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_ports = itertools.count(random.Random(os.getppid()).randrange(20_000) + _worker * _each)


def free_port() -> int:
    """A free loopback port, which no other test of this run gets."""
    for number in _ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", 10_000 + number % 20_000))
            return int(probe.getsockname()[1])
    raise AssertionError("there is always one more")


class Sshd:
    """A machine. `settings` are lines for sshd_config that override ours. `shell` is the login shell.

    `password` allows logins with it (only as root, with namespaces). With `home=None`, the account's home does not
    exist.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        public_key: Path,
        mark: str,
        *,
        settings: tuple[str, ...] = (),
        shell: str = "",
        password: str = "",
        keys: bool = True,
        home: bool = True,
        address: str = "127.0.0.1",
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.name = name
        self.mark = mark
        self.address = address
        self.port = free_port()
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.shell = shell or "/bin/bash"
        self.password = password
        self.home = folder / "home"
        self.log = folder / "log"
        self.tmux = folder / "tmux"
        self._settings = settings
        self._prefix = prefix
        self._process: subprocess.Popen[bytes] | None = None
        self.namespaced = has_mount_namespaces()
        for part in (folder, self.tmux, *([self.home] if home else [])):
            part.mkdir(mode=0o700)
        self.host_key = folder / "host_key"
        self.new_host_key()
        self.authorized_keys = folder / "authorized_keys"
        self.authorized_keys.write_text(public_key.read_text() if keys else "")
        self._account()

    def new_host_key(self) -> None:
        """Change the host key, as if the machine was installed again. Restart the machine to show the new key."""
        for path in (self.host_key, self.host_key.with_suffix(".pub")):
            path.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.host_key)], check=True)

    def _account(self) -> None:
        lines = Path("/etc/passwd").read_text().splitlines()
        own = f"{self.user}:x:{os.getuid()}:{os.getgid()}::{self.home}:{self.shell}"
        others = [line for line in lines if not line.startswith(f"{self.user}:")]
        (self.folder / "passwd").write_text("\n".join([own, *others]) + "\n")
        hashed = "*"
        if self.password:
            words = ["openssl", "passwd", "-6", self.password]
            hashed = subprocess.run(words, capture_output=True, check=True, text=True).stdout.strip()
        (self.folder / "shadow").write_text(f"{self.user}:{hashed}:19000:0:99999:7:::\n")

    def _config(self) -> list[str]:
        # sshd heeds only the first SetEnv: one of the settings would undo the folder of tmux's sockets, and tests that run
        # at the same time would share a server of tmux.
        variables = [line.removeprefix("SetEnv") for line in self._settings if line.startswith("SetEnv ")]
        config = [
            *(line for line in self._settings if not line.startswith("SetEnv ")), f"Port {self.port}", f"ListenAddress {self.address}", f"HostKey {self.host_key}",
            f"PidFile {self.folder / 'pid'}", f"AuthorizedKeysFile {self.authorized_keys}", "StrictModes no",
            "UsePAM no", "PermitRootLogin yes", f"PasswordAuthentication {'yes' if self.password else 'no'}",
            "KbdInteractiveAuthentication no", "Subsystem sftp internal-sftp",
            f"SetEnv TRAINSH_WORLD={self.mark} TMUX_TMPDIR={self.tmux}" + self._home_setting() + "".join(variables),
        ]  # fmt: skip
        if not self.namespaced:
            config.append(f"ForceCommand {self._forced()}")
        return config

    def _home_setting(self) -> str:
        return "" if self.namespaced else f" HOME={self.home} SHELL={self.shell}"

    def _forced(self) -> str:
        """A script that does what sshd does to start a login shell."""
        script = self.folder / "login"
        shell, name = shlex.quote(self.shell), shlex.quote(Path(self.shell).name)
        script.write_text(
            '#!/bin/sh\nunset SHLVL\ncd "$HOME" 2>/dev/null\n'
            'case ${SSH_ORIGINAL_COMMAND-} in\n"") exec bash -c \'exec -a "-$1" "$2"\' sh '
            f"{name} {shell} ;;\n"
            "internal-sftp|*sftp-server*) exec /usr/lib/openssh/sftp-server ;;\n"
            f'*) exec {shell} -c "$SSH_ORIGINAL_COMMAND" ;;\nesac\n'
        )
        script.chmod(0o755)
        return str(script)

    def start(self) -> None:
        """Start it and wait until it answers."""
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        conf = self.folder / "conf"
        conf.write_text("\n".join(self._config()) + "\n")
        words = [SSHD, "-D", "-f", str(conf), "-E", str(self.log)]
        if self.namespaced:
            mounts = " && ".join(
                f"mount --bind {shlex.quote(str(self.folder / name))} /etc/{name}" for name in ("passwd", "shadow")
            )
            script = f"{mounts} && exec {shlex.join(words)}"
            words = ["unshare", "-m", "--propagation", "private", "sh", "-c", script]
        self._process = subprocess.Popen(
            [*self._prefix, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )
        self._await_port()

    def _await_port(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                with socket.create_connection((self.address, self.port), 1) as probe:
                    if probe.recv(4) == b"SSH-":
                        return
            except OSError:
                pass
            assert self._process is not None
            log = self.log.read_text() if self.log.exists() else ""
            assert self._process.poll() is None and time.monotonic() < deadline, f"sshd did not start:\n{log}"
            time.sleep(0.02)

    def stop(self) -> None:
        """End the process that listens. Open connections are kept, as with a real sshd."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGTERM)
            self._process.wait(60)
            self._process = None

    def restart(self) -> None:
        """Stop and start, on the same port."""
        self.stop()
        self.start()

    def connections(self) -> list[int]:
        """The processes of sshd that have logins to this machine. They outlive the process that listens."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes()
                if words.startswith(f"sshd: {self.user}@".encode()) and self._serves(int(entry.name)):
                    found.append(int(entry.name))
        return found

    def _serves(self, pid: int) -> bool:
        """Whether the sshd process has our log open. The file itself is compared, not its name.

        sshd is in another mount namespace, so inside a chroot its links have other paths than ours.
        """
        with contextlib.suppress(OSError):
            for handle in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    if handle.samefile(self.log):
                        return True
        return False

    def drop(self) -> None:
        """Kill every connection but not the process that listens, as if the remote network crashed."""
        for pid in self.connections():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
