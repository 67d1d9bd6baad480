"""Parses the output of `probe.sh` into stages. This module makes no connection."""

from pathlib import Path

from trainsh_base.errors import MissingProgram
from trainsh_base.system.units import format_size
from trainsh_host.model import Stage

INSTALL = {
    "apt-get": "apt-get update && {sudo}apt-get install -y {program}", "dnf": "dnf install -y {program}",
    "yum": "yum install -y {program}", "apk": "apk add {program}", "pacman": "pacman -S --noconfirm {program}",
    "zypper": "zypper install -y {program}", "brew": "brew install {program}",
}  # fmt: skip
LITTLE_DISK = 1 << 30


def script() -> str:
    """The text of `probe.sh`, a script for a POSIX sh on the host."""
    return Path(__file__).with_name("probe.sh").read_text()


def read_probe(output: str) -> dict[str, list[str]]:
    """Parse the output of the script into a map from each key to its values.

    Lines of another form are ignored. A login file may have printed them.
    """
    found: dict[str, list[str]] = {}
    for line in output.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.isidentifier():
            found.setdefault(key, []).append(value.strip())
    return found


def stages_of(found: dict[str, list[str]]) -> list[Stage]:
    """The stages that the output of the script shows."""
    return [
        _program("tmux", found),
        _processes(found),
        _program("rsync", found),
        _rclone(found),
        _gpu(found),
        _disk(found),
    ]


def install_command(program: str, found: dict[str, list[str]]) -> str:
    """The command that installs `program` on the host."""
    manager = found.get("manager", [""])[0]
    if manager not in INSTALL:
        return f"install {program} on it with its package manager"
    root = found.get("user", [""])[0].endswith(" 0") or manager == "brew" or "sudo" not in found
    sudo = "" if root else "sudo "
    return sudo + INSTALL[manager].format(sudo=sudo, program=program)


def _program(program: str, found: dict[str, list[str]]) -> Stage:
    version = found.get(program, [""])[0]
    if version:
        return Stage(name=program, state="ok", detail=_short(version))
    return Stage(
        name=program, state="failed", detail=f"{program} is not installed on it",
        fix=install_command(program, found), exit=MissingProgram.exit_status,
    )  # fmt: skip


def _processes(found: dict[str, list[str]]) -> Stage:
    """The stage that tells whether processes can be listed, by ps or through /proc, and whether the usual programs
    are there. Sessions need both.
    """
    missing = found.get("missing", [""])[0]
    if missing:
        return Stage(
            name="processes", state="failed", detail=f"programs that sessions need are missing: {missing}",
            fix=install_command("coreutils", found), exit=MissingProgram.exit_status,
        )  # fmt: skip
    way = found.get("processes", [""])[0]
    if way:
        return Stage(name="processes", state="ok", detail=f"seen through {way}")
    return Stage(
        name="processes", state="failed", detail="there is neither ps nor /proc",
        fix=install_command("procps", found), exit=MissingProgram.exit_status,
    )  # fmt: skip


def _short(version: str) -> str:
    """A version in short form: `rsync 3.2.7` for `rsync  version 3.2.7  protocol version 31`."""
    words = [word for word in version.split() if word != "version"]
    place = words[-1] if words and words[-1].startswith("(/") else ""
    return " ".join([*words[:2], *([place] if place else [])])


def _rclone(found: dict[str, list[str]]) -> Stage:
    version = found.get("rclone", [""])[0]
    if version:
        return Stage(name="rclone", state="ok", detail=_short(version))
    return Stage(name="rclone", state="absent", detail="only needed for storage")


def _gpu(found: dict[str, list[str]]) -> Stage:
    cards = found.get("gpu", [])
    if not cards:
        return Stage(name="GPU", state="absent", detail="none is seen")
    broken = [card for card in cards if "," not in card and "failed" in card.lower()]
    if broken:
        return Stage(
            name="GPU", state="failed", detail=f"nvidia-smi: {broken[0]}",
            fix="its driver does not run; look at: nvidia-smi, dmesg", exit=7,
        )  # fmt: skip
    kinds = {card: cards.count(card) for card in cards}
    return Stage(name="GPU", state="ok", detail="; ".join(f"{count} x {card}" for card, count in kinds.items()))


def _disk(found: dict[str, list[str]]) -> Stage:
    home = found.get("home", [""])[0]
    words = found.get("disk", [""])[0].split()
    free = int(words[3]) * 1024 if len(words) >= 6 and words[3].isdigit() else None
    if home:
        fix = "give the account a home folder that it can write to; steps and logs are stored there"
        return Stage(name="disk", state="failed", detail=f"the home folder is {home}", fix=fix, exit=7)
    if free is None:
        return Stage(name="disk", state="absent", detail="df did not answer")
    said = f"{format_size(free)} free in the home folder"
    if free < LITTLE_DISK:
        fix = "make room: du -xh -d 1 ~ | sort -h"
        return Stage(name="disk", state="failed", detail=f"only {said}", fix=fix, exit=7)
    return Stage(name="disk", state="ok", detail=said)
