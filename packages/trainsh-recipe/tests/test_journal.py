"""The journal: events are written completely or not at all."""

import json
import resource
from pathlib import Path

import pytest

from trainsh_recipe.store.journal import Journal, events_in, now, read, seconds_of, stamp


def test_events_come_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "e")
    journal.write("job.started", job="x", sync=True)
    journal.write("step.started", step="1", text="a\nb ✓")
    journal.close()
    events = read(tmp_path / "e")
    assert [event["event"] for event in events] == ["job.started", "step.started"]
    assert events[1]["text"] == "a\nb ✓"
    assert (tmp_path / "e").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("torn", ["{", '{"t":"2026', '{"t":"T","event":"step.started","step":"2"}', "x" * 200_000])
def test_a_torn_last_line_is_ignored_and_then_cut_off(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "e"
    path.write_text('{"t":"2026-01-01T00:00:00.000Z","event":"job.started"}\n' + torn)
    assert [event["event"] for event in read(path)] == ["job.started"]
    journal = Journal(path)
    journal.write("step.started", step="1")
    journal.close()
    lines = path.read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["job.started", "step.started"]


def test_a_file_with_a_torn_line_alone_becomes_empty(tmp_path: Path) -> None:
    (tmp_path / "e").write_text('{"t":')
    Journal(tmp_path / "e").close()
    assert (tmp_path / "e").read_bytes() == b""


def test_lines_that_are_no_events_are_left_out() -> None:
    assert [
        event["event"] for event in events_in(b'[]\n"x"\nnull\n{"event":1}\n{"t":"T","event":"a"}\n\xff\n\n')
    ] == ["a"]


def test_a_closed_journal_takes_nothing_more(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "e")
    journal.write("a")
    journal.close()
    journal.write("b", sync=True)
    assert [event["event"] for event in read(tmp_path / "e")] == ["a"]


def test_an_event_that_the_disk_takes_only_a_part_of_is_not_there(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    journal = Journal(tmp_path / "e")
    journal.write("job.started")
    whole = (tmp_path / "e").read_bytes()
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 10, limits[1]))
    try:
        with pytest.raises(OSError, match="No space left"):
            journal.write("step.started", step="1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "e").read_bytes() == whole
    journal.write("step.started", step="2")
    journal.close()
    assert [event["event"] for event in read(tmp_path / "e")] == ["job.started", "step.started"]


def test_times_are_utc_with_milliseconds() -> None:
    assert stamp(1764000000.125) == "2025-11-24T16:00:00.125Z"
    assert seconds_of("2025-11-24T16:00:00.125Z") == pytest.approx(1764000000.125)
    assert abs(seconds_of(now()) - __import__("time").time()) < 5
    assert seconds_of("yesterday") == 0
