"""`make fresh`: the README's two commands on a Debian that was not prepared for them (Linux, root, debootstrap).

The machine is a minimal root of Debian's packages, with only what the README names. It has process, mount, host
name and IPC namespaces of its own. This machine decides how packages are reached: its settings of apt and pip, its
certificates and its proxies are given to the run. The root and the fetched packages are kept in
~/.cache/tmux-trainsh/fresh. Each run writes into a layer above the root, which is removed at the end.

FRESH_COMMANDS="make demo" runs this instead of the README's commands.
"""

import ast
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tmux-trainsh" / "fresh"
SUITE = "bookworm"  # Debian 12: Python 3.11, the oldest that train runs on
PACKAGES = "python3,python3-venv,git,make,tmux,openssh-client,ca-certificates"
PROXIES = re.compile("(https?|no|all)_proxy", re.IGNORECASE)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

INSIDE = Path(__file__).parent / "fresh_inside.sh"


def fail(message: str, hint: str, status: int = 9) -> None:
    """End with an error message."""
    print(f"error: {message}\n  {hint}", file=sys.stderr)
    sys.exit(status)


def output(*words: str) -> str:
    """The output of a program."""
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def check_machine() -> None:
    """End with an error if this test cannot run here."""
    if platform.system() != "Linux" or os.getuid() != 0:
        fail("make fresh needs Linux and root", "sudo make fresh")
    for program, package in (("debootstrap", "debootstrap"), ("unshare", "util-linux"), ("apt-get", "apt")):
        if shutil.which(program) is None:
            fail(f"{program} is missing", f"apt-get install {package}")


def mirror() -> tuple[str, str]:
    """The address from which this machine's apt fetches Debian, and the file of keys that its sources name,
    or "".
    """
    listed = output("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT) $(SIGNED_BY)")
    for line in listed.splitlines():
        words = line.split()
        if words[1:3] == [SUITE, "main"]:
            signed = words[3] if len(words) > 3 and words[3].startswith("/") else ""
            return words[0], signed
    return "https://deb.debian.org/debian", ""


def proxies() -> dict[str, str]:
    """The proxies of this environment and those of apt, which debootstrap does not read."""
    found = {name: value for name, value in os.environ.items() if PROXIES.fullmatch(name)}
    for scheme in ("http", "https"):
        proxy = output("apt-config", "dump", "--format", "%v%n", f"Acquire::{scheme}::Proxy").strip()
        if proxy and proxy != "DIRECT":
            found.setdefault(f"{scheme}_proxy", proxy)
    return found


def make_root() -> Path:
    """The minimal root. It is made if it does not exist yet: either completely or not at all."""
    architecture = output("dpkg", "--print-architecture").strip()
    root = CACHE / f"{SUITE}-{architecture}"
    if root.exists():
        return root
    CACHE.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix="half-", dir=CACHE))
    half.chmod(0o755)
    uri, keys = mirror()
    words = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", *([f"--keyring={keys}"] if keys else [])]
    print(f"making a minimal Debian root in {root}", file=sys.stderr)
    try:
        done = subprocess.run(
            [*words, SUITE, half, uri], env=os.environ | proxies(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            fail(
                f"debootstrap ended with {done.returncode}",
                f"{done.stdout[-2000:]}{done.stderr}  fetched from {uri}",
                8,
            )
        half.rename(root)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return root


def hand_over_apt(layer: Path) -> None:
    """Write apt's sources, keys, credentials and settings for fetching.

    Hooks are left out, because they call programs.
    """
    apt = layer / "etc/apt"
    shutil.copytree("/etc/apt", apt, ignore=shutil.ignore_patterns("apt.conf*", "preferences*"))
    (apt / "sources.list").touch()  # hides the file of the root
    (apt / "apt.conf.d").mkdir()
    dump = output("apt-config", "dump", "--format", '%F "%v";%n', "Acquire").splitlines()
    kept = [
        line for line in dump if re.match("Acquire::(http|https|ftp|Check|Retries|Force|Allow|Languages)", line)
    ]
    (apt / "apt.conf.d/00handed-over").write_text("\n".join(kept) + "\n")


def hand_over_pip(layer: Path) -> list[Path]:
    """Write pip's settings as one file. Return the paths that they name."""
    listed = output(sys.executable, "-m", "pip", "config", "list")
    settings: dict[str, list[str]] = {}
    for section, key, value in re.findall(r"^([^.:]+)\.([\w-]+)=(.*)$", listed, re.MULTILINE):
        text = str(ast.literal_eval(value)).replace("\n", "\n  ")
        settings.setdefault(section, []).append(f"{key} = {text}")
    lines = [line for section, values in settings.items() for line in (f"[{section}]", *values)]
    (layer / "etc/pip.conf").write_text("\n".join(lines) + "\n")
    paths = {Path(word) for word in re.findall(r"/[^\s'\\]+", listed.replace("file://", " "))}
    # The files that an index names are in the same folder.
    return sorted({path.parent if path.name == "simple" else path for path in paths if path.exists()})


def hand_over(layer: Path) -> list[Path]:
    """Write what this machine knows about the network into the run's layer.

    Return the folders and files to show inside.
    """
    (layer / "etc").mkdir(parents=True)
    hand_over_apt(layer)
    for name in ("resolv.conf", "hosts"):
        shutil.copy(f"/etc/{name}", layer / "etc" / name)
    for folder in map(Path, ("/usr/share/keyrings", "/usr/local/share/ca-certificates")):
        if folder.exists():
            shutil.copytree(folder, layer / folder.relative_to("/"))
    return [path for path in hand_over_pip(layer) if not path.is_relative_to("/etc/ssl")]


def commands() -> str:
    """The commands of the README's first block, or FRESH_COMMANDS."""
    block = re.search(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block
    readme = "set -e\n" + re.sub(r"\s+#.*", "", block[1])
    return os.environ.get("FRESH_COMMANDS") or readme


def environment() -> dict[str, str]:
    """The environment of a person who has just logged in, and the variables that lead to the network."""
    # SSL_CERT_FILE and SSL_CERT_DIR are OpenSSL's variables; uv reads them, and not the settings of pip.
    names = [name for name in os.environ if name.startswith("PIP_") or name in ("SSL_CERT_FILE", "SSL_CERT_DIR")]
    network = {name: os.environ[name] for name in names}
    terminal = os.environ.get("TERM", "dumb")
    return {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "TERM": terminal} | network | proxies()


def run(lower: Path, folder: Path) -> int:
    """Run the commands in the root with a layer above it. Return their status."""
    upper, work, merged = (folder / name for name in ("upper", "work", "root"))
    for part in (upper, work, merged):
        part.mkdir()
    upper.chmod(0o755)
    shown = folder / "shown"
    shown.write_text("".join(f"{path}\n" for path in hand_over(upper)))
    subprocess.run(["git", "clone", "-q", ROOT, upper / "root/tmux-trainsh"], check=True)
    layers = {"LOWER": str(lower), "UPPER": str(upper), "WORK": str(work), "CACHED": str(CACHE / "packages")}
    # When this process ends, unshare ends. Then the first process inside ends, and with it everything inside.
    words = ["setpriv", "--pdeathsig", "KILL", "unshare", "-m", "-p", "-u", "-i", "--fork", "--kill-child"]
    words += ["sh", str(INSIDE), str(merged), str(shown), commands()]
    with subprocess.Popen(words, env=environment() | layers, stdin=subprocess.DEVNULL) as process:
        try:
            return process.wait()
        finally:
            process.kill()


def remove_leftovers() -> None:
    """Remove the layers of runs that were killed."""
    for folder in CACHE.glob("run-*"):
        if not Path("/proc", folder.name.split("-")[1]).exists():
            shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run the commands and return their status."""
    check_machine()
    lower = make_root()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    remove_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=CACHE))
    try:
        return run(lower, folder)
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
