"""What a machine has: one POSIX sh script, and its answer read into stages. Nothing here connects."""

from trainsh_base.errors import MissingProgram
from trainsh_base.system.units import format_size
from trainsh_host.model import Stage

# `key=value` lines. Each program is asked for its version, which also shows that it runs.
SCRIPT = """\
export LC_ALL=C
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin
say() { printf '%s=%s\\n' "$1" "$2"; }
first() { "$@" 2>/dev/null </dev/null | sed -n 1p; }
say system "$(uname -sm 2>/dev/null)"
say user "$(id -un 2>/dev/null) $(id -u 2>/dev/null)"
say tmux "$(first tmux -V)"
say rsync "$(first rsync --version)"
say rclone "$(first rclone version)"
for manager in apt-get dnf yum apk pacman zypper brew; do
  command -v "$manager" >/dev/null 2>&1 && { say manager "$manager"; break; }
done
command -v sudo >/dev/null 2>&1 && say sudo yes
if command -v nvidia-smi >/dev/null 2>&1; then
  nvidia-smi --query-gpu=name,memory.total --format=csv,noheader 2>&1 </dev/null | while IFS= read -r line; do
    say gpu "$line"
  done
elif command -v rocm-smi >/dev/null 2>&1; then
  rocm-smi --showproductname 2>/dev/null </dev/null | sed -n 's/.*Card [Ss]eries:[[:space:]]*/gpu=/p'
fi
cd "${HOME:-/}" 2>/dev/null || say home missing
if touch ".trainsh-test.$$" 2>/dev/null; then rm -f ".trainsh-test.$$"; else say home "cannot be written"; fi
say disk "$(df -Pk . 2>/dev/null | sed -n 2p)"
say end 1
"""
INSTALL = {
    "apt-get": "apt-get update && {sudo}apt-get install -y {program}", "dnf": "dnf install -y {program}",
    "yum": "yum install -y {program}", "apk": "apk add {program}", "pacman": "pacman -S --noconfirm {program}",
    "zypper": "zypper install -y {program}", "brew": "brew install {program}",
}  # fmt: skip
LITTLE_DISK = 1 << 30


def read_probe(output: str) -> dict[str, list[str]]:
    """The answer of SCRIPT: key -> values. Lines of another form (a login file's) are left out."""
    found: dict[str, list[str]] = {}
    for line in output.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.isidentifier():
            found.setdefault(key, []).append(value.strip())
    return found


def stages_of(found: dict[str, list[str]]) -> list[Stage]:
    """The stages that the answer shows."""
    return [_program("tmux", found), _program("rsync", found), _rclone(found), _gpu(found), _disk(found)]


def install_command(program: str, found: dict[str, list[str]]) -> str:
    """The words that install `program` there."""
    manager = found.get("manager", [""])[0]
    if manager not in INSTALL:
        return f"install {program} there with its package manager"
    root = found.get("user", [""])[0].endswith(" 0") or manager == "brew" or "sudo" not in found
    sudo = "" if root else "sudo "
    return sudo + INSTALL[manager].format(sudo=sudo, program=program)


def _program(program: str, found: dict[str, list[str]]) -> Stage:
    version = found.get(program, [""])[0]
    if version:
        return Stage(stage=program, state="ok", detail=_short(version))
    return Stage(
        stage=program, state="failed", detail=f"{program} is not installed there",
        fix=install_command(program, found), exit=MissingProgram.exit_status,
    )  # fmt: skip


def _short(version: str) -> str:
    """`rsync  version 3.2.7  protocol version 31` -> `rsync 3.2.7`."""
    words = [word for word in version.split() if word != "version"]
    return " ".join(words[:2])


def _rclone(found: dict[str, list[str]]) -> Stage:
    version = found.get("rclone", [""])[0]
    if version:
        return Stage(stage="rclone", state="ok", detail=_short(version))
    return Stage(stage="rclone", state="absent", detail="only needed for storage")


def _gpu(found: dict[str, list[str]]) -> Stage:
    cards = found.get("gpu", [])
    if not cards:
        return Stage(stage="GPU", state="absent", detail="none is seen")
    broken = [card for card in cards if "," not in card and "failed" in card.lower()]
    if broken:
        return Stage(
            stage="GPU", state="failed", detail=f"nvidia-smi: {broken[0]}",
            fix="its driver does not run; look at: nvidia-smi, dmesg", exit=7,
        )  # fmt: skip
    kinds = {card: cards.count(card) for card in cards}
    return Stage(stage="GPU", state="ok", detail="; ".join(f"{count} x {card}" for card, count in kinds.items()))


def _disk(found: dict[str, list[str]]) -> Stage:
    home = found.get("home", [""])[0]
    words = found.get("disk", [""])[0].split()
    free = int(words[3]) * 1024 if len(words) >= 6 and words[3].isdigit() else None
    if home:
        fix = "give the account a home it can write to; steps and logs live there"
        return Stage(stage="disk", state="failed", detail=f"the home folder is {home}", fix=fix, exit=7)
    if free is None:
        return Stage(stage="disk", state="absent", detail="df did not answer")
    said = f"{format_size(free)} free in the home folder"
    if free < LITTLE_DISK:
        fix = "make room: du -xh -d 1 ~ | sort -h"
        return Stage(stage="disk", state="failed", detail=f"only {said}", fix=fix, exit=7)
    return Stage(stage="disk", state="ok", detail=said)
