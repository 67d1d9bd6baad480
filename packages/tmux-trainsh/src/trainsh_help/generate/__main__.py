"""`python -m trainsh_help.generate completions|man|errors [--check]`: writes them into this checkout.

A generated file is in the package that has the tool's manifest, so that deleting the package deletes the file too.
With --check nothing is written; stale files are named, and the exit status is 1.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trainsh_help.generate import errors, manual, tables


def tools(root: Path) -> Iterator[tuple[str, Path]]:
    """The tools of the packages in `root`, each with its package's `share` folder."""
    for manifest in sorted(root.glob("packages/*/share/trainsh/tools/*")):
        yield manifest.name, manifest.parents[2]


def schema(name: str) -> dict[str, Any]:
    """What `train-NAME schema` prints."""
    program = Path(sys.executable).parent / f"train-{name}"
    found: dict[str, Any] = json.loads(subprocess.run([program, "schema"], capture_output=True, check=True).stdout)
    return found


def completions(root: Path) -> Iterator[tuple[Path, str]]:
    """Each completion table and its text."""
    for name, share in tools(root):
        yield share / "trainsh/completions" / name, tables.table(schema(name))


def man(root: Path) -> Iterator[tuple[Path, str]]:
    """Each manual page and its text: one for every tool, one for every topic, and one for `train`."""
    summaries = {}
    for name, share in tools(root):
        found = schema(name)
        summaries[name] = found["summary"]
        yield share / f"man/man1/train-{name}.1", manual.tool_page(found, share / "trainsh/examples" / name)
    for topic in sorted(root.glob("packages/*/share/trainsh/topics/*")):
        yield topic.parents[2] / f"man/man7/train-{topic.name}.7", manual.topic_page(topic.name, topic.read_text())
    yield root / "packages/tmux-trainsh/share/man/man1/train.1", manual.front_page(summaries)


def messages(root: Path) -> Iterator[tuple[Path, str]]:
    """The page of errors by code."""
    yield root / "docs/errors.md", errors.page(root)


def main() -> int:
    """Write the files, or compare them."""
    what, check = sys.argv[1], "--check" in sys.argv
    root, stale = Path.cwd(), 0
    for path, text in {"completions": completions, "man": man, "errors": messages}[what](root):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        print(path.relative_to(root))
        stale += 1
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if check and stale:
        print(f"stale: make {what}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
