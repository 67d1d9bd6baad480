"""Calls in parallel threads that serve one request."""

import threading

import pytest

from trainsh_base.errors import NotFound
from trainsh_base.request import Request, current, serve_in_this_thread, side_by_side


def test_calls_side_by_side_serve_the_request_and_keep_their_order() -> None:
    request, together = Request(), threading.Barrier(3, timeout=30)
    serve_in_this_thread(request)

    def work(number: int) -> tuple[int, bool]:
        together.wait()
        return number, current() is request

    assert side_by_side([3, 1, 2], work) == [(3, True), (1, True), (2, True)]
    assert side_by_side([], work) == []


def test_what_one_call_raised_is_raised_once_all_have_ended() -> None:
    ended: list[int] = []

    def work(number: int) -> None:
        if number == 9:
            raise NotFound("nine")
        ended.append(number)

    with pytest.raises(NotFound, match="nine"):
        side_by_side([3, 9, 2], work)
    assert sorted(ended) == [2, 3]
