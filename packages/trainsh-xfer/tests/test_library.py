"""Each shell function as one line means the same as its text in the file."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from trainsh_xfer.remote import library

FOLDER = Path(library.__file__).parent
NAMES = re.findall(r"^(\w+)\(\)", "".join((FOLDER / file).read_text() for file in library.FILES), re.M)
PARSERS = [words for words in (["sh"], ["dash"], ["bash"], ["busybox", "sh"]) if shutil.which(words[0])]


def declared(text: str, name: str) -> str:
    """The text of a function as bash prints it after reading `text`."""
    done = subprocess.run(["bash", "-c", f"{text}\ndeclare -f {name}"], capture_output=True, text=True, check=True)
    return done.stdout


def test_every_function_of_every_file_is_known() -> None:
    assert sorted(library.FILES) == sorted(path.name for path in FOLDER.glob("*.sh"))
    assert list(library.functions()) == NAMES
    assert len(NAMES) > 1


@pytest.mark.parametrize("name", NAMES)
def test_a_function_means_as_one_line_what_it_means_in_its_file(name: str) -> None:
    texts = "\n".join((FOLDER / file).read_text() for file in library.FILES)
    line = library.functions()[name]
    assert "\n" not in line
    assert declared(line, name) == declared(texts, name) != ""
    for words in PARSERS:
        subprocess.run([*words, "-n", "-c", library.program(name)], check=True)
