"""Values that hide themselves, and streams from which such values are removed."""

import pickle
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsh_base.system.secret import Masker, Secret, masked
from trainsh_base.tool.wire import encode


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret("hush")
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{[secret]}",
        f"{secret!r:>20}",
        encode({"s": secret}).decode(),
    ]
    assert all("hush" not in text and "***" in text for text in shown)
    assert secret.reveal() == "hush"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)


def test_secrets_compare_by_value_and_with_nothing_else() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def run(values: list[bytes], *chunks: bytes) -> bytes:
    masker = Masker(values)
    return b"".join([masker.feed(chunk) for chunk in chunks] + [masker.flush()])


@pytest.mark.parametrize(
    ("values", "chunks", "out"),
    [
        pytest.param([b"hush"], [b"say hush now"], b"say *** now", id="inside"),
        pytest.param([b"hush"], [b"say hu", b"sh now"], b"say *** now", id="two-chunks"),
        pytest.param([b"hush"], [b"h", b"u", b"s", b"h"], b"***", id="byte-by-byte"),
        pytest.param([b"hush"], [b"hushhush"], b"******", id="twice"),
        pytest.param([b"hush"], [b"hu", b"rry"], b"hurry", id="only-a-beginning"),
        pytest.param([b"hush"], [b"hus"], b"hus", id="beginning-at-the-end"),
        pytest.param([b"abc", b"abcdef"], [b"abcdef"], b"***", id="longest"),
        pytest.param([b"abc", b"abcdef"], [b"abc", b"def"], b"***", id="longest-in-two-chunks"),
        pytest.param([b"abc", b"abcdef"], [b"abc", b"dex"], b"***dex", id="shorter-after-all"),
        pytest.param([b"abc", b"abcdef"], [b"abc"], b"***", id="shorter-at-the-end"),
        pytest.param([b"xab", b"abc"], [b"xab", b"!"], b"***!", id="end-begins-another"),
        pytest.param([b"xab", b"abc"], [b"xa", b"abc"], b"xa***", id="false-start"),
        pytest.param([b"a\nb"], [b"a\n", b"b"], b"***", id="newline"),
        pytest.param([b"a.c"], [b"abc a.c"], b"abc ***", id="no-pattern"),
        pytest.param([b""], [b"text"], b"text", id="empty-value"),
        pytest.param([], [b"text"], b"text", id="no-values"),
    ],
)
def test_values_are_masked_and_nothing_else_is(values: list[bytes], chunks: list[bytes], out: bytes) -> None:
    assert run(values, *chunks) == out


def test_what_cannot_begin_a_secret_is_passed_at_once() -> None:
    masker = Masker([b"hush"])
    assert masker.feed(b"a prompt> ") == b"a prompt> "
    assert masker.feed(b"h") == b""
    assert masker.feed(b"i") == b"hi"


def test_a_value_may_be_added_in_the_middle() -> None:
    masker = Masker()
    assert masker.feed(b"hush") == b"hush"
    masker.add(b"hush")
    assert masker.feed(b"hush") == b"***"


values = st.lists(
    st.binary(min_size=1, max_size=5).map(lambda b: bytes(c % 3 + 97 for c in b)), min_size=1, max_size=4
)


@given(values, st.binary(max_size=60).map(lambda b: bytes(c % 3 + 97 for c in b)), st.lists(st.integers(0, 60)))
def test_any_cutting_of_a_stream_gives_the_same_and_no_value_is_left(
    secrets: list[bytes], text: bytes, cuts: list[int]
) -> None:
    marks = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    chunks = [text[start:end] for start, end in pairwise(marks)]
    whole = run(secrets, text)
    assert run(secrets, *chunks) == whole
    assert not any(secret in part for part in whole.split(b"***") for secret in secrets)


def test_a_secret_of_several_lines_is_masked_as_a_terminal_prints_it() -> None:
    masker = Masker([b"line one\nline two"])
    shown = masker.feed_text("key: line one\r\nli") + masker.feed_text("ne two, and é")
    assert shown == "key: ***, and é"
    assert masked("a line one\nline two b", ["line one\nline two", ""]) == "a *** b"
