"""Reading .env files."""

import pytest

from trainsh_base.errors import UsageError
from trainsh_secrets.envfile import parse


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param("A=1\nB=2\n", {"A": "1", "B": "2"}, id="plain"),
        pytest.param("# comment\n\nexport A=1\n", {"A": "1"}, id="export-and-comment"),
        pytest.param("A='raw $X ${Y}'\n", {"A": "raw $X ${Y}"}, id="single-quotes"),
        pytest.param("HOME_X=$HOME/${HOME}\n", {"HOME_X": "$HOME/${HOME}"}, id="nothing-is-expanded"),
        pytest.param('A="one\\ntwo"\n', {"A": "one\ntwo"}, id="escapes"),
        pytest.param('A="one\ntwo"\n', {"A": "one\ntwo"}, id="lines"),
        pytest.param("A=x=y==\r\nB=2", {"A": "x=y==", "B": "2"}, id="equals-and-crlf"),
        pytest.param("A=value # note\n", {"A": "value"}, id="note-after"),
        pytest.param("A=a#b\n", {"A": "a#b"}, id="hash-inside"),
        pytest.param("A=1\nA=2\n", {"A": "2"}, id="last-wins"),
        pytest.param("", {}, id="empty"),
    ],
)
def test_a_file_is_read_as_shells_and_dotenv_read_it(text: str, values: dict[str, str]) -> None:
    assert parse(text, "f") == values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("A=1\nnot a line hush\n", "f, line 2 is not NAME=value", id="words"),
        pytest.param("A=1\n\n=hush\n", "f, line 2 is not NAME=value|f, line 3 is not NAME=value", id="no-name"),
        pytest.param("A\n", "f, line 1 is not NAME=value", id="no-value"),
        pytest.param('A="hush\n', "f, line 1 is not NAME=value", id="open-quote"),
        pytest.param("A=\n", r"f, line 1 \(A\) is empty", id="empty"),
        pytest.param("A=x\0hush\n", "NUL byte", id="nul"),
        pytest.param("A B=hush\n", "f, line 1 is not NAME=value", id="blank-in-name"),
        pytest.param("A/B=hush\n", "a secret cannot be called 'A/B'", id="slash"),
    ],
)
def test_a_line_that_is_none_is_named_and_its_text_is_not(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse(text, "f")
    assert "hush" not in str(caught.value.document())
