"""The fold: the state that results from a job's events."""

from typing import Any

import pytest

from trainsh_recipe.store.fold import fold
from trainsh_recipe.store.options import RunOptions
from trainsh_recipe.store.state import State

T = "2026-01-01T00:00:0{}.000Z"


def events(*rows: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Events one second apart, after a job.started."""
    first: tuple[str, dict[str, Any]] = ("job.started", {"job": "j", "name": "n", "steps": 3})
    return [{"t": T.format(index), "event": name, **data} for index, (name, data) in enumerate([first, *rows])]


def started(step: str, attempt: int = 1, **more: Any) -> tuple[str, dict[str, Any]]:
    return "step.started", {"step": step, "kind": "execute", "text": "x", "line": 1, "attempt": attempt, **more}


def finished(step: str, status: str = "ok", **more: Any) -> tuple[str, dict[str, Any]]:
    return "step.finished", {"step": step, "attempt": 1, "status": status, **more}


def test_a_job_without_an_end_is_running() -> None:
    state = fold(events(started("1")))
    assert (state.id, state.status, state.steps["1"].status) == ("j", "running", "running")
    assert not state.steps["1"].over


def test_a_finished_step_is_done_only_when_it_went_well_or_may_fail() -> None:
    rows = [started("1"), finished("1"), started("2"), finished("2", "failed", allowed=True)]
    state = fold(events(*rows, started("3"), finished("3", "failed", final=True)))
    assert [step.done for step in state.steps.values()] == [True, True, False]
    assert state.failing


def test_a_new_round_forgets_the_failure_and_counts_attempts_on() -> None:
    rows = [started("1"), finished("1", "failed", final=True), ("finally.started", {"status": "failed"})]
    rows += [("job.finished", {"status": "failed", "seconds": 1.0}), ("job.resumed", {"pid": 2, "new_round": True})]
    state = fold(events(*rows))
    assert (state.status, state.round, state.failing, state.closing) == ("running", 2, False, "")
    state = fold(events(*rows, started("1", attempt=2)))
    assert (state.steps["1"].attempt, state.steps["1"].tries) == (2, 1)


def test_unknown_events_change_nothing() -> None:
    strange = {"t": T.format(5), "event": "quantum.leap", "step": "1"}
    assert fold([*events(started("1"), finished("1")), strange]).steps["1"].done


def test_a_handler_that_fails_shows() -> None:
    with pytest.raises(KeyError):
        fold(events(("step.finished", {"status": "ok"})))


def test_options_are_journaled_and_kept_by_a_runner_after_a_second_crash() -> None:
    first = ("job.started", {"job": "j", "overrides": {"vars": {"A": "b"}}, "max_time": 60.0})
    resumed = ("job.resumed", {"pid": 1, "retry_lost": True})
    options = fold(events(first, resumed, ("job.resumed", {"pid": 2}))).options
    assert options == RunOptions(overrides={"vars": {"A": "b"}}, max_time=60.0, retry_lost=True)
    again = fold(events(first, resumed, ("job.resumed", {"pid": 2, "new_round": True}))).options
    assert not again.retry_lost and again.max_time == 60.0


def test_a_newer_versions_fields_are_skipped() -> None:
    row = ("step.finished", {"step": "1", "status": "teleported", "attempt": 1, "new": {"a": 1}})
    assert not fold(events(started("1"), row)).steps["1"].done


def test_patterns_are_looked_for_from_the_right_place() -> None:
    opened = ("session", {"session": "w", "host": "local", "state": "open", "fresh": True, "offset": 7})
    state = fold(events(opened))
    assert state.sessions["w"].since() is None
    rows = [opened, started("1", session="w"), finished("1", session="w", offset=10, end=20)]
    assert fold(events(*rows)).sessions["w"].since() == 10
    rows += [started("2", session="w"), finished("2", session="w", offset=30, background=True)]
    rows += [started("3", session="w"), finished("3", session="w", offset=40, background=True)]
    assert fold(events(*rows)).sessions["w"].since() == 30
    wait = ("step.started", {"step": "4", "kind": "wait", "text": "x", "line": 1, "attempt": 1, "session": "w"})
    rows += [wait, finished("4", session="w", offset=55)]
    assert fold(events(*rows)).sessions["w"].since() == 55


def test_bindings_and_stopped_hosts() -> None:
    rows = [("binding", {"tool": "vast", "hosts": {"gpu": "vast:1"}}), ("binding", {"vars": {"A": "1"}})]
    rows += [("hosts", {"hosts": ["gpu"], "state": "stopped"})]
    state = fold(events(*rows))
    assert (state.hosts, state.vars, state.filled, state.stopped) == (
        {"gpu": "vast:1"},
        {"A": "1"},
        {"gpu": "vast"},
        ["gpu"],
    )
    assert fold(events(*rows, ("hosts", {"hosts": ["gpu"], "state": "running"}))).stopped == []


def test_time_without_a_runner_does_not_count() -> None:
    rows = [started("1"), ("job.left", {"reason": "x"}), ("job.resumed", {"pid": 1}), started("1")]
    assert fold(events(*rows)).active == 3.0  # 0-1, 1-2 and 3-4, but not 2-3


def test_nothing_at_all_is_no_job() -> None:
    assert fold([]).started == ""
    assert State().status == "running"
