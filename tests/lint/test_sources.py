"""Rules for every package's sources, which are checked by reading the sources: folders, providers, shell, patterns,
words.

Each rule is a function. It gets a package's folder and returns what breaks the rule. A test checks each rule with a
planted fault.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
MOST_FILES = 13  # about twelve, not counting __init__.py
PROVIDERS = (
    r"(?i:\b(?:vast(?:\.?ai)?|colab|runpod|lambdalabs)\b)|\b(?:VAST|COLAB|Vast|Colab)[A-Z_]|\b(?:vast|colab)_"
)
# Packages that may name a provider because it is their subject; pricing's files for the commands `colab` and
# `vast`; the file with 0.9's types of hosts.
PRICING = "trainsh-pricing/src/trainsh_pricing/"
ABOUT_PROVIDERS = (
    "trainsh-vast/", "trainsh-colab/", "trainsh-sandbox/", "trainsh-host/src/trainsh_host/old_types.py",
    *(PRICING + file for file in ("__init__.py", "cli.py", "colab.py", "display.py", "model.py", "prices_file.py")),
)  # fmt: skip
# the kinds of shared files that are documentation, or are made from documentation
SHOWN = ("examples", "topics", "completions")
SHELL = re.compile(r"^\s*(?:if \[|if !? ?\w.*; then|while .*; do|for \w+ in .*; do|case .* in$|fi\b|done\b|esac\b)")
IN_FOLDER = 'cd -- "$1" && shift && exec "$@"'  # runs a program of this machine in a folder
# Python before 3.11.5 handles possessive groups wrongly (gh-106052). `(?>(?:...)*)` means the same.
POSSESSIVE = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+")
STALE = (
    "in vain", "anew", "once more", "and that is said", "what became of", "mend it", "met a bug of its own",
    "does not let us in", "far side", "a word too many", "the same again", "nobody can be asked", "go on from there",
)  # fmt: skip
Rule = Callable[[Path], Iterator[str]]


def sources(package: Path) -> list[Path]:
    """The Python files of a package."""
    return sorted(package.glob("src/**/*.py"))


def small_folders(package: Path) -> Iterator[str]:
    """The folders with too many files to be seen at a glance."""
    for folder in sorted({file.parent for file in sources(package)}):
        if len([file for file in folder.glob("*.py") if file.name != "__init__.py"]) > MOST_FILES:
            yield name(folder)


def no_provider(package: Path) -> Iterator[str]:
    """The places where a provider's name is used outside of the provider's own package.

    Templates and examples may use it.
    """
    shared = [
        file for file in package.glob("share/trainsh/*/*") if file.parent.name not in SHOWN and file.is_file()
    ]
    for file in [*sources(package), *package.glob("src/**/*.sh"), *shared]:
        about = name(file).startswith(ABOUT_PROVIDERS) or "templates" in file.parts
        if not about and re.search(PROVIDERS, file.read_text()):
            yield name(file)


def no_shell_program(package: Path) -> Iterator[str]:
    """Strings of Python that are programs of the shell. Programs for hosts must be .sh files.

    Such a string has two or more lines of control flow, or three or more commands that are joined by &&.
    """
    for file in sources(package):
        tree = ast.parse(file.read_text())
        texts = [string for node in ast.walk(tree) if (string := text_of(node))]
        flow = any(len([line for line in text.splitlines() if SHELL.match(line)]) > 1 for text in texts)
        if flow or any(text.count(" && ") > 1 and text != IN_FOLDER for text in texts):
            yield name(file)


def no_possessive_group(package: Path) -> Iterator[str]:
    """Patterns that older Pythons match wrongly."""
    for file in sources(package):
        if POSSESSIVE.search(file.read_text()):
            yield name(file)


def no_stale_word(package: Path) -> Iterator[str]:
    """Words that the field has better ones for."""
    stale = re.compile(r"\b(?:" + "|".join(STALE) + r")\b", re.IGNORECASE)
    for file in [*sources(package), *package.glob("src/**/*.sh")]:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if found := stale.search(line):
                yield f"{name(file)}:{number}: {found[0]}"


def text_of(node: ast.AST) -> str:
    """The text of a string, formatted or not."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def name(path: Path) -> str:
    """A path as the tables in this file write it: relative to the package's folder."""
    parts = path.parts
    return "/".join(parts[len(parts) - 1 - parts[::-1].index("packages") + 1 :])


PLANTED: list[tuple[Rule, str, str]] = [
    (no_provider, "near.py", 'PROVIDER = "vast"\n'),
    (no_provider, "near.sh", "# as on Vast.ai\n"),
    (no_provider, "../../share/trainsh/settings/near", "near.key\ttext\t\tas on Colab\n"),
    (no_shell_program, "near.py", 'SCRIPT = f"""\nif [ -e {x} ]; then\n    echo\nfi\n"""\n'),
    (no_shell_program, "near.py", 'RUN = f"mkdir {x} && cd {x} && cat >y"\n'),
    (no_possessive_group, "near.py", 'WORD = r"(?:a+|b)*' + '+"\n'),
    (no_stale_word, "near.py", "# opened " + "anew\n"),
    (no_stale_word, "near.sh", "# waited " + "in vain\n"),
]  # fmt: skip


@pytest.mark.parametrize("rule", [small_folders, no_provider, no_shell_program, no_possessive_group, no_stale_word])
def test_packages(rule: Rule) -> None:
    found = {each for package in PACKAGES for each in rule(package)}
    assert sorted(found) == [], rule.__doc__


@pytest.mark.parametrize(("rule", "file", "text"), PLANTED)
def test_a_planted_case_is_found(tmp_path: Path, rule: Rule, file: str, text: str) -> None:
    folder = tmp_path / "packages" / "trainsh-near" / "src" / "near"
    folder.mkdir(parents=True)
    (folder / "good.py").write_text('"""A sentence."""\n')
    assert list(rule(tmp_path / "packages" / "trainsh-near")) == []
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text)
    assert len(list(rule(tmp_path / "packages" / "trainsh-near"))) == 1


def test_a_planted_crowd_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "packages" / "trainsh-near" / "src" / "near"
    folder.mkdir(parents=True)
    for number in range(MOST_FILES + 1):
        assert list(small_folders(tmp_path / "packages" / "trainsh-near")) == []
        (folder / f"m{number}.py").touch()
    assert list(small_folders(tmp_path / "packages" / "trainsh-near")) == ["trainsh-near/src/near"]


BATS = sorted([*ROOT.glob("packages/*/tests/*.bats"), *ROOT.glob("tests/*/*.bats")])


@pytest.mark.parametrize("file", BATS, ids=lambda path: path.name)
def test_bats_remove_a_home_with_the_shared_teardown(file: Path) -> None:
    """A program in a session writes until it has ended.

    `leave_nothing` (tests/world/sessions.bash) waits for that.
    """
    teardown = re.search(r"^teardown\w*\(\) \{.*?^\}|^teardown\w*\(\) \{.*\}$", file.read_text(), re.M | re.S)
    assert not (teardown and re.search(r"kill-server|rm -r", teardown[0])), file.name
