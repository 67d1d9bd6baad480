"""What train-recipe guesses from its command line before it has loaded its modules."""

import json

import pytest

from trainsh_recipe import prestart


@pytest.mark.parametrize(
    ("argv", "host"),
    [
        (["exec", "@gpu > nvidia-smi"], "gpu"),
        (["exec", "--json", " @gpu-1.box timeout=2h > true"], "gpu-1.box"),
        (["exec", "x -> @gpu:y"], "local"),
        (["exec", '@"odd > true'], "local"),
        (["exec", "-"], "local"),
        (["run", "@gpu"], "local"),
    ],
)
def test_exec_prepares_for_the_first_host_it_names(argv: list[str], host: str) -> None:
    assert prestart.first_host(argv) == host


@pytest.mark.parametrize(
    "text",
    [
        "@a > echo 'x' \"y\" \\n \\\\",
        "@a > cat <<E\n{}\nE",
        "",
        "-",
        "./a -> @b:c",
        "@a > echo é",
        "@a > echo \x1b",
    ],
)
def test_the_text_of_exec_is_parsed_while_modules_load(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prestart, "parsing", "")
    request = prestart._parse_request(["exec", text])
    if text.startswith("@a") and text.isascii() and "\x1b" not in text:
        assert json.loads(request)["params"] == {"name": "exec", "given": [], "exec": True, "text": text}
        assert prestart.parsing == text
    else:
        assert request == b"" and prestart.parsing == ""
