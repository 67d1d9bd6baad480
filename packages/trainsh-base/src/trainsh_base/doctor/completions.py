"""Checks whether the user's shell completes train's commands."""

import os
from pathlib import Path

from trainsh_base.doctor.model import Finding

# Each of three tables has one entry for each shell. PLACES has the completion files, as paths in a data folder.
# START_UP has the files that the shell reads when it starts. FIXES says how to install the completion.
PLACES = {
    "bash": ["bash-completion/completions/train"],
    "zsh": ["zsh/site-functions/_train", "zsh/vendor-completions/_train"],
    "fish": ["fish/vendor_completions.d/train.fish"],
}
START_UP = {
    "bash": [".bashrc", ".bash_profile", ".profile", ".bash_completion"],
    "zsh": [".zshrc", ".zfunc/_train"],
    "fish": [".config/fish/config.fish", ".config/fish/completions/train.fish"],
}
# a start-up file that contains one of these loads a completion
WORDS = ("train help completions", "tmux-trainsh", "_train")
FIXES = {
    "bash": "echo 'source <(train help completions bash)' >>~/.bashrc",
    "zsh": "mkdir -p ~/.zfunc && train help completions zsh >~/.zfunc/_train, and in ~/.zshrc before compinit: "
    "fpath=(~/.zfunc $fpath)",
    "fish": "mkdir -p ~/.config/fish/completions && train help completions fish "
    ">~/.config/fish/completions/train.fish",
}


def completions() -> Finding:
    """Check whether the login shell ($SHELL) finds a completion for train in one of the usual places."""
    shell = os.path.basename(os.environ.get("SHELL") or "sh")  # noqa: PTH119 - a name, not a path
    if shell not in PLACES:
        return Finding(
            name="completions", state="ok", detail=f"there are none for {shell}, only for bash, zsh and fish"
        )
    found = next((path for path in _files(shell) if _loads(path, shell)), None)
    if found:
        return Finding(name="completions", state="ok", detail=f"{shell}: {found}")
    return Finding(name="completions", state="warning", detail=f"none for {shell}", fix=FIXES[shell])


def _files(shell: str) -> list[Path]:
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    folders = [data, Path("/usr/local/share"), Path("/usr/share"), Path("/opt/homebrew/share")]
    return [folder / name for folder in folders for name in PLACES[shell]] + [
        home / name for name in START_UP[shell]
    ]


def _loads(path: Path, shell: str) -> bool:
    """Whether the file `path` is the completion itself, or is a start-up file that loads the completion."""
    if path.name not in [Path(name).name for name in START_UP[shell]] or path.name in ("_train", "train.fish"):
        return os.access(path, os.R_OK)
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return False
    return any(word in text for word in WORDS)
