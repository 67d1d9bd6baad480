"""What train-recipe guesses from its command line before it has loaded its modules."""

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
