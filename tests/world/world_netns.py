"""A machine in a network namespace (Linux, root), behind a link that can be cut, restored and slow."""

import contextlib
import fcntl
import functools
import itertools
import os
import socket
import struct
import subprocess
import threading
import time
from bisect import insort
from pathlib import Path
from select import select

from world_sshd import Sshd, has_mount_namespaces

QUEUE = 0.3
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


@functools.cache
def why_no_namespaces() -> str:
    """Why this machine does not allow network namespaces, or "" if it does."""
    if os.getuid() != 0:
        return "it takes root"
    if not has_mount_namespaces():
        return "this kernel or container allows no mount namespaces"
    name = f"twprobe{os.getpid()}"
    with contextlib.suppress(OSError):
        done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            subprocess.run(["ip", "netns", "del", name], check=True)
        return done.stderr.strip()
    return "there is no ip command (iproute2)"


def ip(*words: str) -> None:
    """Run ip(8)."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


def _free_subnet() -> tuple[int, socket.socket]:
    """The third byte of a 10.97.x.0/24 that no link has, and what keeps other tests off it until it is closed."""
    used = subprocess.run(["ip", "-4", "-o", "addr"], capture_output=True, text=True, check=True).stdout
    for number in (each % 256 for each in itertools.count(os.getpid() % 200)):
        claim = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError):
            claim.bind(f"\0trainsh-subnet-{number}")
            if f" 10.97.{number}." not in used:
                return number, claim
        claim.close()
    raise AssertionError("there is always one more")


class NetworkHost:
    """A machine behind a link. `address` is the machine's address, `link` the interface on our side.

    With `delay` (seconds each way) or `rate` (bytes per second each way), the link is a pair of tun devices with
    this process between them. Otherwise it is a veth pair.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        public_key: Path,
        mark: str,
        delay: float = 0.0,
        rate: float = 0.0,
        **options: object,
    ) -> None:
        number, self._claim = _free_subnet()
        self.name = name
        self.namespace = f"tw{os.getpid()}-{number}"
        self.link, self._far = f"twa{os.getpid() % 100000}x{number}", f"twb{os.getpid() % 100000}x{number}"
        self.here, self.address = f"10.97.{number}.1", f"10.97.{number}.2"
        self._delayed = DelayedLink(self.link, self._far, delay, rate) if delay or rate else None
        ip("netns", "add", self.namespace)
        if self._delayed is None:
            ip("link", "add", self.link, "type", "veth", "peer", "name", self._far)
        ip("link", "set", self._far, "netns", self.namespace)
        ip("addr", "add", f"{self.here}/24", "dev", self.link)
        ip("link", "set", self.link, "up")
        for words in (
            ("addr", "add", f"{self.address}/24", "dev", self._far),
            ("link", "set", self._far, "up"),
            ("link", "set", "lo", "up"),
        ):
            ip("-n", self.namespace, *words)
        prefix = ("ip", "netns", "exec", self.namespace)
        self.sshd = Sshd(folder, name, public_key, mark, address=self.address, prefix=prefix, **options)  # type: ignore[arg-type]

    def start(self) -> None:
        """Start its sshd."""
        self.sshd.start()

    def stop(self) -> None:
        """Stop its sshd."""
        self.sshd.stop()

    def cut(self) -> None:
        """Take the link down. Packets are lost without an error."""
        if self._delayed:
            self._delayed.lost = True
        else:
            ip("-n", self.namespace, "link", "set", self._far, "down")

    def restore(self) -> None:
        """Bring the link up again."""
        if self._delayed:
            self._delayed.lost = False
        else:
            ip("-n", self.namespace, "link", "set", self._far, "up")

    def readdress(self) -> None:
        """Give our side another address, as a laptop gets in another network. The old address is gone."""
        ip("addr", "del", f"{self.here}/24", "dev", self.link)
        self.here = f"{self.here.rpartition('.')[0]}.77"
        ip("addr", "add", f"{self.here}/24", "dev", self.link)

    def remove(self) -> None:
        """Remove the namespace and its link."""
        if self._delayed:
            self._delayed.close()
        subprocess.run(["ip", "link", "del", self.link], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "del", self.namespace], capture_output=True, check=False)
        self._claim.close()


class DelayedLink:
    """Two tun devices. A packet that is read from one device is written to the other `delay` seconds later.

    At most `rate` bytes a second pass each way (0: no limit). A packet that would wait longer than QUEUE seconds is
    lost, as at a router.
    """

    def __init__(self, near: str, far: str, delay: float, rate: float = 0.0) -> None:
        self.delay = delay
        self.rate = rate
        self._free: dict[int, float] = {}
        self.lost = False
        self._closing = False
        self._ends = [_tun(near), _tun(far)]
        self._held: list[tuple[float, int, bytes]] = []
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        near, far = self._ends
        other = {near: far, far: near}
        while not self._closing:
            pause = self._held[0][0] - time.monotonic() if self._held else 0.2
            for handle in select(self._ends, [], [], max(0.0, min(pause, 0.2)))[0]:
                with contextlib.suppress(OSError):
                    packet = os.read(handle, 65536)
                    if not self.lost:
                        self._hold(other[handle], packet)
            while self._held and self._held[0][0] <= time.monotonic():
                _, handle, packet = self._held.pop(0)
                with contextlib.suppress(OSError):
                    os.write(handle, packet)

    def _hold(self, to: int, packet: bytes) -> None:
        now = time.monotonic()
        start = max(now, self._free.get(to, 0.0))
        if start - now > QUEUE:
            return
        end = start + (len(packet) / self.rate if self.rate else 0.0)
        self._free[to] = end
        insort(self._held, (end + self.delay, to, packet), key=lambda held: held[0])

    def close(self) -> None:
        """Close the devices, which removes them."""
        self._closing = True
        self._thread.join(5)
        for handle in self._ends:
            os.close(handle)


def _tun(name: str) -> int:
    handle = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(handle, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return handle
