"""Imitates cloudflared. A tunnel is a file in $STANDIN_TUNNELS that contains a port of this machine.

cloudflared tunnel --no-autoupdate --url ssh://127.0.0.1:PORT opens a tunnel, prints its name on stderr, keeps
running cloudflared access ssh --hostname NAME connects standard input and output to that port
"""

import os
import re
import secrets
import select
import signal
import socket
import sys
from pathlib import Path

TUNNELS = Path(os.environ["STANDIN_TUNNELS"])


def tunnel(url: str) -> None:
    """Open a tunnel, until SIGTERM."""
    name = f"standin-{secrets.token_hex(4)}.trycloudflare.com"
    (TUNNELS / f"{name}.new").write_text(re.sub(r".*:", "", url))
    (TUNNELS / f"{name}.new").rename(TUNNELS / name)
    print(f"2026-01-01T00:00:00Z INF |  https://{name}  |", file=sys.stderr, flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    (TUNNELS / name).unlink(missing_ok=True)


def access(name: str) -> None:
    """Pass bytes on. If the tunnel is gone, print cloudflared's own message."""
    try:
        there = socket.create_connection(("127.0.0.1", int((TUNNELS / name).read_text())))
    except OSError:
        said = f'ERR failed to connect to origin error="websocket: bad handshake" originURL=https://{name}'
        print(f"2026-01-01T00:00:00Z {said}\nwebsocket: bad handshake", file=sys.stderr)
        sys.exit(1)
    carry(there)


def carry(there: socket.socket) -> None:
    """Pass bytes on in both directions until one side ends."""
    while True:
        ready, _, _ = select.select([0, there], [], [])
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                return
            there.sendall(data)
        if there in ready:
            data = there.recv(65536)
            if not data:
                return
            view = memoryview(data)
            while view:
                view = view[os.write(1, view) :]


if __name__ == "__main__":
    if sys.argv[1] == "tunnel":
        tunnel(sys.argv[-1])
    else:
        assert sys.argv[1:4] == ["access", "ssh", "--hostname"], sys.argv
        access(sys.argv[4])
