"""`python -m trainsh_help.generate completions|man|errors [--check]`: writes these files into this checkout.

A generated file is in the package that has the tool's manifest, so that deleting the package also deletes the file.
With --check nothing is written. If files are out of date, their names are printed and the exit status is 1.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trainsh_help.generate import errors, manual, tables


def tools(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the tools of the packages in `root`, each with the `share` folder of its package."""
    for manifest in sorted(root.glob("packages/*/share/trainsh/tools/*")):
        yield manifest.name, manifest.parents[2]


def schema(name: str) -> dict[str, Any]:
    """Return the document that `train-NAME schema` prints."""
    program = Path(sys.executable).parent / f"train-{name}"
    found: dict[str, Any] = json.loads(subprocess.run([program, "schema"], capture_output=True, check=True).stdout)
    return found


def completions(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of each completion table."""
    for name, share in tools(root):
        yield share / "trainsh/completions" / name, tables.table(schema(name))


def man(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of each manual page: one for every tool, one for every topic, one for `train`."""
    summaries = {}
    for name, share in tools(root):
        found = schema(name)
        summaries[name] = found["summary"]
        yield share / f"man/man1/train-{name}.1", manual.tool_page(found, share / "trainsh/examples" / name)
    for topic in sorted(root.glob("packages/*/share/trainsh/topics/*")):
        yield topic.parents[2] / f"man/man7/train-{topic.name}.7", manual.topic_page(topic.name, topic.read_text())
    yield root / "packages/tmux-trainsh/share/man/man1/train.1", manual.front_page(summaries)


def messages(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of the page that lists the errors by their codes."""
    yield root / "docs/errors.md", errors.page(root)


def main() -> int:
    """Write the files. With --check, only compare them with what would be written."""
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
