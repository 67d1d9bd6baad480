"""Creates new tools from the templates of this package. Each template is a working program called acme."""

import re
from pathlib import Path

from trainsh_base.errors import Conflict, UsageError
from trainsh_plugin.model import Written

TEMPLATES = Path(__file__).parent / "templates"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def write(name: str, lang: str, hosts: bool, into: str) -> Written:
    """Write `train-NAME/train-NAME` and its test. Raises Conflict when the folder exists."""
    if not NAME.fullmatch(name):
        raise UsageError(f"not a name for a tool: {name!r}", "small letters, digits and -", code="bad_name")
    folder = Path(into) / f"train-{name}"
    template = ("provider" if hosts else "tool") + (".sh" if lang == "sh" else ".py")
    program, test = folder / f"train-{name}", folder / "test.sh"
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise Conflict(
            f"{folder} is there already", "choose another name, or --into FOLDER", code="exists"
        ) from None
    for file, source in ((program, template), (test, "test.sh")):
        file.write_text(named((TEMPLATES / source).read_text(), name))
        file.chmod(0o755)
    return Written(files=[str(program), str(test)], next=f"{test}, then a link to {program} on PATH")


def named(text: str, name: str) -> str:
    """Return a template in which `acme` is replaced by the tool's name."""
    return text.replace("acme", name).replace("ACME", name.upper().replace("-", "_"))
