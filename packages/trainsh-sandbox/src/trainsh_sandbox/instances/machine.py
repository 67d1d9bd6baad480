"""The machine behind an instance: a real sshd on loopback ports, in its own namespaces."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from trainsh_base.errors import TrainError
from trainsh_sandbox.instances.isolation import isolation, namespace_argv, sshd_path

SCRIPTS = Path(__file__).parent / "scripts"
OWN = ("root", "tmp", "etc", "workspace", "backup")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
START = 20.0  # seconds within which sshd must answer


def free_port() -> int:
    """A free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Machine:
    """A machine: a real sshd in its own namespaces.

    `folder` is its disk. `image` is mounted at /sandbox. `env` is the environment of its first process.
    """

    def __init__(self, folder: Path, image: Path, hide: Path, hostname: str, env: dict[str, str]) -> None:
        self.folder = folder
        self.image = image
        self.hide = hide
        self.hostname = hostname
        self.env = env
        self.direct_port = 0
        self.proxy_port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._outer: subprocess.Popen[bytes] | None = None
        self._make_disk()

    def _make_disk(self) -> None:
        for name in (*OWN, "new"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "tmp").chmod(0o1777)
        etc = self.folder / "etc"
        shutil.copytree(
            "/etc", etc, symlinks=True, dirs_exist_ok=True, ignore=_not_for_instances, copy_function=_copy
        )
        for name in ("root", "workspace"):
            shutil.copytree(self.image / "disk" / name, self.folder / name, symlinks=True, dirs_exist_ok=True)
        (etc / "profile.d").mkdir(exist_ok=True)
        (etc / "profile.d" / "sandbox.sh").write_text("export PATH=/sandbox/bin:$PATH\n")
        (etc / "gitconfig").write_text(
            '[url "file:///sandbox/repo.git"]\n\tinsteadOf = https://github.com/user/repo\n'
            "[safe]\n\tdirectory = *\n"
        )
        (etc / "shadow").write_text("root:*:19000:0:99999:7:::\n")
        (etc / "hostname").write_text(self.hostname + "\n")
        key = self.folder / "host_key"
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.hostname, "-f", str(key)]
        subprocess.run(words, check=True, capture_output=True)
        inside = etc / "sandbox_host_key"
        shutil.copyfile(key, inside)
        inside.chmod(0o600)
        (self.folder / "root" / ".ssh").mkdir(mode=0o700, exist_ok=True)
        self.authorize([])

    def authorize(self, keys: list[str]) -> None:
        """Let only these public keys log in."""
        file = self.folder / "root" / ".ssh" / "authorized_keys"
        file.write_text("".join(key.strip() + "\n" for key in keys))
        file.chmod(0o600)

    @property
    def running(self) -> bool:
        """Whether the machine's first process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, direct: bool = True, proxy: bool = True) -> None:
        """Start sshd on new ports, and wait until sshd answers on them.

        Raises TrainError when it does not answer.
        """
        self.direct_port, self.proxy_port = free_port(), free_port()
        ports = [port for port, wanted in ((self.direct_port, direct), (self.proxy_port, proxy)) if wanted]
        inside = isolation() == "root"
        init = ["/sandbox/init.sh"]
        if inside and ports:
            config = self.folder / "etc" / "sandbox_sshd"
            config.write_text(
                "\n".join(_sshd_config(ports, "/etc/sandbox_host_key", "/root/.ssh/authorized_keys", None))
            )
            init += [_sshd(), "-D", "-f", "/etc/sandbox_sshd", "-E", "/tmp/sshd.log"]
        words = [*namespace_argv(), "sh", str(self.image / "enter.sh"), str(self.folder), str(self.image)]
        words += [str(self.hide), os.path.realpath(sys.base_prefix), *init]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
                cwd="/", env={"PATH": PATH, "HOME": "/root",
                    "SANDBOX_HOSTNAME": self.hostname, **self.env},
            )  # fmt: skip
        if not inside and ports:
            self._start_outer(ports)
        for port in ports:
            self._await(port)

    def _start_outer(self, ports: list[int]) -> None:
        """Start sshd as an ordinary user, outside of the machine's namespaces.

        Inside the namespaces, sshd could not run as root. A forced command moves each login into the namespaces.
        """
        forced = (
            f"exec nsenter -t {self._first_process()} -U -m -p -u -r -w --preserve-credentials /sandbox/login.sh"
        )
        config = self.folder / "sshd"
        keys = self.folder / "root" / ".ssh" / "authorized_keys"
        config.write_text("\n".join(_sshd_config(ports, str(self.folder / "host_key"), str(keys), forced)))
        words = [_sshd(), "-D", "-f", str(config), "-E", str(self.folder / "sshd.log")]
        self._outer = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True)

    def _first_process(self) -> int:
        """Wait until the namespaces have their new root folder.

        Return the pid that the first process of the namespaces has outside of them.
        """
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        deadline = time.monotonic() + START
        while time.monotonic() < deadline and self.running:
            for pid in children.read_text().split():
                with contextlib.suppress(OSError):
                    if "init.sh" in Path(f"/proc/{pid}/cmdline").read_text():
                        return int(pid)
            time.sleep(0.02)
        raise self._failed("its first process did not start")

    def _await(self, port: int) -> None:
        deadline = time.monotonic() + START
        while time.monotonic() < deadline and self.running:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as probe:
                probe.settimeout(2)
                if probe.recv(4) == b"SSH-":
                    return
            time.sleep(0.02)
        raise self._failed("sshd did not answer")

    def _failed(self, why: str) -> TrainError:
        said = [(self.folder / name).read_text() for name in ("log",) if (self.folder / name).exists()]
        return TrainError(f"the machine of {self.hostname} did not start: {why}", "".join(said).strip()[-400:])

    def stop(self) -> None:
        """End all processes of the machine. Its disk stays."""
        for process in (self._outer, self._process):
            if process is not None and process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if self._process is not None and self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._outer = self._process = None

    def destroy(self) -> None:
        """Stop the machine and remove its disk."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _sshd() -> str:
    return sshd_path() or "/usr/sbin/sshd"


def _sshd_config(ports: list[int], host_key: str, keys: str, forced: str | None) -> list[str]:
    user = pwd.getpwuid(os.getuid()).pw_name
    lines = [f"Port {port}" for port in ports] + [
        "ListenAddress 127.0.0.1", f"HostKey {host_key}", "PidFile none", f"AuthorizedKeysFile {keys}",
        "StrictModes no", "UsePAM no", f"PermitRootLogin {'prohibit-password' if forced is None else 'no'}",
        "PasswordAuthentication no", "KbdInteractiveAuthentication no", "AllowAgentForwarding yes",
        f"Subsystem sftp {'internal-sftp' if forced is None else '/usr/lib/openssh/sftp-server'}",
        f"AllowUsers {'root' if forced is None else user}", f"SetEnv PATH=/sandbox/bin:{PATH}", "PrintMotd no",
    ]  # fmt: skip
    return [*lines, *([f"ForceCommand {forced}"] if forced else []), ""]


def _not_for_instances(folder: str, names: list[str]) -> set[str]:
    """The files of /etc that instances must not see, because they are secret or because the current user cannot
    read them.
    """
    secret = {name for name in names if name.startswith(("ssh_host_", "shadow", "gshadow"))}
    return secret | {name for name in names if not os.access(os.path.join(folder, name), os.R_OK)}  # noqa: PTH118


def _copy(source: str, target: str) -> str:
    shutil.copyfile(source, target, follow_symlinks=False)
    shutil.copymode(source, target, follow_symlinks=False)
    return target
