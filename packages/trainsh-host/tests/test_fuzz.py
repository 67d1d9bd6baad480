"""Any pasted text gives an answer or a UsageError. It never gives words that ssh would take for options."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainsh_base.errors import UsageError
from trainsh_base.remote.host_spec import parse_spec
from trainsh_base.request import Request
from trainsh_host.adding.draft import from_text
from trainsh_host.ways.resolve import spec_argv
from trainsh_host.ways.ssh_names import blocks, fields

WORDS = st.sampled_from([
    "ssh", "me@box", "-p", "22", "-p22", "-i", "k", "-J", "j", "-o", "A=b", "-oProxyCommand=x", "--", "-", "'", '"',
    "\\", "ssh://a@b:1", "vast:1", "colab:", "-L", "1:2:3", "-tt", "", "\n", "é@ü", "Host x", "Port", "=", "#",
])  # fmt: skip
TEXTS = st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=8).map(" ".join), st.lists(WORDS).map("\n".join))


@given(TEXTS)
def test_specs(text: str) -> None:
    try:
        spec = parse_spec(text)
    except UsageError as error:
        assert error.message
        return
    if spec.form == "ssh":
        argv = spec_argv(spec)
        assert argv[0] == "ssh" and not argv[-1].startswith("-") and argv[-1].strip()


@given(TEXTS)
def test_pasted_text(text: str) -> None:
    try:
        values = from_text(text, Request())
    except UsageError as error:
        assert error.message
        return
    assert not str(values.get("hostname", "x")).startswith("-")


@given(TEXTS)
@example('Host "a\n User x\n')
@settings(max_examples=400)
def test_host_blocks(text: str) -> None:
    for name, pairs in blocks(text).items():
        try:
            fields(name, pairs)
        except UsageError:
            continue
