"""What is a sentinel and what is output. Also the table of states of a step's conversation."""

import inspect

import pytest

from trainsh_tmux.log.sentinels import ECHO, Piece, Splitter
from trainsh_tmux.step.conversation import Conversation
from trainsh_tmux.step.states import HEARD, State

KEY = "0123456789abcdef"
ENDS = b"\x1b]7770;%se;s1;0\x07"


def split(data: bytes, key: str = KEY, size: int = 1000) -> list[Piece]:
    """All pieces of `data`, when `data` comes in chunks of `size` bytes."""
    splitter = Splitter(0, key)
    return [piece for at in range(0, len(data), size) for piece in splitter.feed(data[at : at + size])]


def letters(pieces: list[Piece]) -> list[str]:
    return [piece.letter for piece in pieces if piece.letter]


@pytest.mark.parametrize("key", [b"", b"x;", b"0123456789abcdeF;", b"0123456789abcdef", b"0123456789abcdef;;"])
def test_without_the_key_it_is_output(key: bytes) -> None:
    data = ENDS % key + b"more"
    assert letters(split(data)) == [] and b"".join(piece.data for piece in split(data)) == data


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_with_the_key_it_is_a_sentinel_wherever_a_chunk_ends(size: int) -> None:
    key = KEY.encode() + b";"
    data = b"a\x1b[1mb" + ENDS % key + b"c\x1b]7770;%sx;0\x07" % key
    pieces = split(data, size=size)
    assert letters(pieces) == ["e", "x"] and b"".join(piece.data for piece in pieces) == b"a\x1b[1mbc"
    assert [piece.offset for piece in pieces[1:]] == [piece.end for piece in pieces[:-1]] and pieces[-1].end == len(
        data
    )


def test_the_shown_command_is_no_output() -> None:
    key = KEY.encode() + b";"
    data = b"\x1b]7770;%sb;s1\x07$ echo hi\r\n\x1b]7770;%so;s1\x07hi\r\n" % (key, key)
    texts = [(piece.letter, piece.data) for piece in split(data) if piece.data]
    assert texts == [(ECHO, b"$ echo hi\r\n"), ("", b"hi\r\n")]


def test_every_state_knows_what_it_does() -> None:
    for state, heard in HEARD.items():
        for event, method in heard.items():
            takes = inspect.signature(getattr(Conversation, f"_{method}")).parameters
            words = event.startswith("said-") or event in ("ended", "gone", "survived", "released", "unread")
            assert len(takes) == 2 or not (words or event in ("text", "ends", "begins")), (state, event)
    assert HEARD[State.OVER] == {}
    assert all("cut" in HEARD[state] and "ends" in HEARD[state] for state in State if state is not State.OVER)
