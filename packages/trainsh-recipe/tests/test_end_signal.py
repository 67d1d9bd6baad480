"""The end of a long run on a terminal: a bell, or a notification of the desktop."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trainsh_base.testing import Terminal
from trainsh_recipe.ui.views import end_signal

if TYPE_CHECKING:
    from conftest import Place


@pytest.mark.parametrize(
    ("end", "after", "desktop", "bell", "notified"),
    [
        pytest.param("bell", "1", True, True, False, id="bell"),
        pytest.param("desktop", "1", True, False, True, id="desktop"),
        pytest.param("desktop", "1", False, True, False, id="no-desktop"),
        pytest.param("both", "1h", True, False, False, id="short"),
        pytest.param("off", "1", True, False, False, id="off"),
    ],
)
def test_the_end_of_a_long_run(
    place: "Place", end: str, after: str, desktop: bool, bell: bool, notified: bool
) -> None:  # fmt: skip
    programs = place.work / "bin"
    programs.mkdir()
    told = place.work / "told"
    sender = programs / "notify-send"
    sender.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >"{told}"\n' if desktop else "#!/bin/sh\nexit 1\n")
    sender.chmod(0o755)
    path = place.recipe("sleep 1.2s\n")
    env = {
        **place.env, "TRAINSH_NOTIFY_END": end, "TRAINSH_NOTIFY_AFTER": after, "TERM": "xterm-256color",
        "PATH": f"{programs}:{place.env['PATH']}",
    }  # fmt: skip
    terminal = Terminal(["sh", "-c", f'cd "{place.work}" && exec train-recipe run {path}'], env)
    assert terminal.wait() == 0
    assert ("\a" in terminal.text) is bell
    assert told.exists() is notified
    if notified:
        assert " ok in " in told.read_text() and "train: r" in told.read_text()


def test_macs_notify_by_osascript(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "osascript"
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    words = end_signal.command('a "title"', "it's over")
    assert words[0] == str(program) and words[-2:] == ['a "title"', "it's over"] and '"title"' not in words[2]
