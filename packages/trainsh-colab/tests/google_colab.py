"""Imitates Google's program colab (github.com/googlecolab/google-colab-cli).

A session is a file in $STANDIN_COLAB. All sessions lead to one sshd, whose port is in the file `port`. As with the
real program, `new` takes a while, and `ssh --proxy-mode -s NAME` creates a missing session and allows only one
connection at a time.
"""

import fcntl
import json
import os
import secrets
import socket
import sys
import time
from pathlib import Path

from cloudflared import carry

PLACE = Path(os.environ["STANDIN_COLAB"])
STATE = Path.home() / ".config" / "colab-cli" / "sessions.json"


def option(name: str, default: str = "") -> str:
    """The value of an option."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def new(name: str) -> None:
    """Make a session. The file `made` counts all sessions that were made."""
    print(f"[colab] Creating session '{name}'...", flush=True)
    time.sleep(float(os.environ.get("STANDIN_SECONDS", "0.5")))
    gpu = option("--gpu", "CPU")
    half = PLACE / f"{name}.new"  # whole or not there, whenever this is killed and whoever lists meanwhile
    half.write_text(json.dumps([f"gpu-s-{secrets.token_hex(4)}", gpu]))
    half.rename(PLACE / f"{name}.session")
    with (PLACE / "made").open("a") as made:
        made.write(f"{name}\n")
    STATE.parent.mkdir(parents=True, exist_ok=True)
    STATE.write_text("{}")
    print("[colab] Session READY.")


def sessions() -> None:
    """Print the sessions."""
    found = sorted(PLACE.glob("*.session"))
    if not found:
        print("[colab] No active sessions found on server.")
    for file in found:
        endpoint, gpu = json.loads(file.read_text())
        print(f"[{file.stem}] {endpoint} | Hardware: {gpu} | Variant: {'DEFAULT' if gpu == 'CPU' else 'GPU'}")


def ssh(name: str) -> None:
    """Pass ssh's bytes on."""
    if not (PLACE / f"{name}.session").exists():
        sys.stdout = sys.stderr
        new(name)
    with (PLACE / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("[colab] HTTP 429: another colab ssh is already connected. Disconnect it first.")
        carry(socket.create_connection(("127.0.0.1", int((PLACE / "port").read_text()))))


def main() -> None:
    """Run one command."""
    verb, name = sys.argv[1], option("-s")
    if verb == "new":
        new(name)
    elif verb == "sessions":
        sessions()
    elif verb == "ssh" and "--proxy-mode" in sys.argv:
        ssh(name)
    elif verb == "stop":
        (PLACE / f"{name}.session").unlink()
        print("[colab] Session terminated.")
    else:
        sys.exit(f"Error: No such command '{verb}'.")


main()
