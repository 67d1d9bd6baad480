"""A deadline tells how much time is left."""

from trainsh_base.system.deadline import Deadline


def test_never_has_no_end_and_bounds_nothing() -> None:
    never = Deadline.never()
    assert never.left() is None and not never.expired and never.within(0.5) == 0.5
    assert Deadline.after(None).left() is None


def test_a_time_that_has_passed_leaves_nothing() -> None:
    for seconds in (0, -1.0):
        past = Deadline.after(seconds)
        assert past.expired and past.left() == 0.0 and past.within(5.0) == 0.0


def test_what_is_left_goes_down_to_the_sooner_of_two() -> None:
    soon, late = Deadline.after(60), Deadline.after(600)
    left = late.sooner(soon).left()
    assert left is not None and 0 < left <= 60
    assert soon.sooner(Deadline.never()) is soon and not soon.expired
