"""Which package may import which. The rules are made from what `packages/` has, and import-linter checks them.

For all packages: tools never import each other, the framework knows no tool, and no package has a circle of files
(imports inside functions count). The rules for the subpackages of a package are in its pyproject.toml, as
`[[tool.importlinter.contracts]]`.
"""

import json
import os
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BASE = "trainsh_base"


def packages(root: Path) -> dict[str, Path]:
    """Import name -> folder of every package of the workspace."""
    found = sorted(root.glob("packages/*/src/*/__init__.py"))
    return {file.parent.name: file.parents[2] for file in found}


def contracts(found: dict[str, Path]) -> list[dict[str, Any]]:
    """The contracts of all packages."""
    tools = [name for name in found if name != BASE]
    made: list[dict[str, Any]] = [
        {"name": f"No circle of files in {name}", "type": "acyclic_siblings", "ancestors": [name]} for name in found
    ]
    if len(tools) > 1:
        made.append({"name": "Tools never import each other", "type": "independence", "modules": tools})
    if BASE in found and tools:
        framework = {"source_modules": [BASE], "forbidden_modules": tools}
        made.append({"name": "The framework knows no tool", "type": "forbidden", **framework})
    for folder in found.values():
        own = tomllib.loads((folder / "pyproject.toml").read_text()).get("tool", {}).get("importlinter", {})
        made += own.get("contracts", [])
    return made


def configuration(root: Path) -> str:
    """The contracts in the form that import-linter reads. JSON's strings, lists and numbers are also TOML."""
    found = packages(root)
    lines = ["[tool.importlinter]", f"root_packages = {json.dumps(list(found))}"]
    for contract in contracts(found):
        lines.append("[[tool.importlinter.contracts]]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in contract.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Check the checkout that has this file: its sources, not what is installed. The status is import-linter's."""
    os.chdir(ROOT)
    sources = [str(folder / "src") for folder in packages(ROOT).values()]
    path = os.pathsep.join([*sources, os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "contracts.toml"
        file.write_text(configuration(ROOT))
        linter = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
        words = [*linter, str(file), "--no-cache", *sys.argv[1:]]
        sys.exit(os.spawnve(os.P_WAIT, sys.executable, words, {**os.environ, "PYTHONPATH": path}))


if __name__ == "__main__":
    main()
