"""The process of a sandbox. It is started as `python -m trainsh_sandbox.daemon FOLDER OPTIONS-AS-JSON`.

It ends on SIGTERM.
"""

import os
import pwd
import secrets
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.system.files import write_atomic
from trainsh_base.system.installing import install_hint
from trainsh_sandbox.api.server import Server
from trainsh_sandbox.instances.image import build
from trainsh_sandbox.instances.isolation import WAYS, isolation, sshd_path
from trainsh_sandbox.instances.machine import Machine
from trainsh_sandbox.market.offers import Market
from trainsh_sandbox.places import Running, running_file
from trainsh_sandbox.storage import LACKS, Storage, rclone_path
from trainsh_sandbox.world import life
from trainsh_sandbox.world.clock import Clock
from trainsh_sandbox.world.world import World

TICK = 0.1


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `up`."""

    offers: int = 300
    seed: int = 7
    speed: float = 1.0
    credit: float = 100.0
    machines: bool = True
    rented: int = 1
    storage: bool = True


def missing() -> list[str]:
    """The programs that the machines need but that are not installed here."""
    import shutil  # noqa: PLC0415 - only needed here

    programs = [name for name in ("ssh-keygen", "git", "unshare", "tmux") if not shutil.which(name)]
    return programs if sshd_path() else [*programs, "sshd"]


class Daemon:
    """Everything that belongs to a running sandbox."""

    def __init__(self, folder: Path, options: Options) -> None:
        self.folder = folder
        self.warnings: list[str] = []
        way = isolation() if options.machines else "none"
        if options.machines and way == "none":
            self.warnings.append(WAYS["none"])
        self.image = build(folder / "image") if way != "none" else None
        self.user = pwd.getpwuid(os.getuid()).pw_name if way == "user" else "root"
        self.isolation = way
        self.home = folder / "home"
        self._make_home()
        clock = Clock(options.speed)
        self.world = World(
            folder / "disks", clock=clock, market=Market(clock.now(), options.offers, options.seed),
            key=secrets.token_hex(32), credit=options.credit, image=self.image, on_broke=life.stop,
        )  # fmt: skip
        self.server = Server(self.world)
        self.world.environment["VAST_URL"] = self.server.url
        self._rent(options.rented)
        self.storage: Storage | None = None
        self.extra = self._extra_host() if self.image else None
        try:
            self.storage = self._storage() if options.storage else None
        except TrainError:
            if self.extra:
                self.extra.destroy()
            raise

    def _rent(self, count: int) -> None:
        """Rent the instances that the account has at the start.

        They are stopped machines with one RTX 4090 each, from the cheapest offers.
        """
        fitting = [one for one in self.world.market.offers.values() if one["gpu_name"] == "RTX 4090"]
        for offer in sorted(fitting, key=lambda one: (one["num_gpus"], one["dph_base"]))[:count]:
            self.world.market.take(offer["id"])
            request = {
                "image": "pytorch/pytorch:latest",
                "disk": 20,
                "runtype": "ssh_direc ssh_proxy",
                "label": "mine",
            }
            one = life.create(self.world, offer, request)
            one.set_states("stopped")
            one.actual = "exited"

    def _make_home(self) -> None:
        """Write the sandbox's own configuration.

        It has the ssh key that instances accept, and the host of the example in the README.
        """
        ssh = self.home / "ssh"
        ssh.mkdir(parents=True, mode=0o700)
        self.home.chmod(0o700)
        words = [
            "ssh-keygen",
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-C",
            "train-sandbox",
            "-f",
            str(ssh / "id_ed25519"),
        ]
        subprocess.run(words, check=True, capture_output=True)
        (self.home / "config.toml").write_text(f'version = 1\n[defaults]\nssh_key_path = "{ssh / "id_ed25519"}"\n')

    def _storage(self) -> Storage | None:
        program = rclone_path()
        if program is None:
            self.warnings.append(f"{LACKS}; to have it: {install_hint('rclone')}")
            return None
        return Storage(program, self.folder / "buckets")

    def _extra_host(self) -> Machine:
        """The machine `myserver`, which is not rented and always runs."""
        assert self.image is not None
        machine = Machine(self.folder / "disks" / "myserver", self.image, self.folder, "myserver", {})
        key = self.home / "ssh" / "id_ed25519"
        machine.authorize([key.with_suffix(".pub").read_text()])
        try:
            machine.start()
        except TrainError:
            machine.destroy()
            raise
        known = self.home / "known_hosts_myserver"
        public = (machine.folder / "host_key.pub").read_text().split()
        known.write_text(f"[127.0.0.1]:{machine.direct_port} {public[0]} {public[1]}\n")
        (self.home / "hosts.toml").write_text(
            f'version = 1\n\n[[hosts]]\nname = "myserver"\ntype = "ssh"\nhostname = "127.0.0.1"\n'
            f'port = {machine.direct_port}\nusername = "{self.user}"\nssh_key_path = "{key}"\n'
            f'known_hosts = "{known}"\n'
        )
        return machine

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then stop everything."""
        over = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: over.set())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        storage = self.storage
        running = Running(
            pid=os.getpid(), url=self.server.url, key=self.world.key, isolation=self.isolation, user=self.user,
            storage=storage.url if storage else "", storage_key=storage.key if storage else "",
            storage_secret=storage.secret if storage else "", warnings=self.warnings,
        )  # fmt: skip
        write_atomic(running_file(self.folder), msgspec.json.encode(running))
        while not over.wait(TICK):
            with self.world.lock:
                self.world.settle()
        self.close()

    def close(self) -> None:
        """End every process."""
        self.server.shutdown()
        with self.world.lock:
            self.world.close()
        if self.extra:
            self.extra.destroy()
        if self.storage:
            self.storage.end()


def main(words: list[str]) -> None:
    """Run the sandbox in the given folder."""
    options: Any = msgspec.json.decode(words[1], type=Options)
    Daemon(Path(words[0]), options).run()


if __name__ == "__main__":
    main(sys.argv[1:])
