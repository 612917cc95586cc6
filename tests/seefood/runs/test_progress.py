"""A run's progress, as a person reads it."""

import threading

import pytest
from rich.progress import BarColumn

from seefood.runs.bars import Bars, LatestSpinner
from seefood.runs.progress import ProgressCounters, Style, describe, show_progress
from tests.fakes import failed, make_row


def _counters(listed: int, skipped: int, rows: int, *, done: bool) -> ProgressCounters:
    counters = ProgressCounters()
    counters.add_listed(listed, skipped)
    for _ in range(rows):
        counters.count_row(make_row())
    counters.listing_done = done
    return counters


def test_a_line_says_it_all() -> None:
    """It has the counts and the speed, and the time left once listing is done."""
    counters = _counters(1200, 200, 10, done=False)
    counters.count_row(failed("s3://b/x", "corrupt", "no"))
    line = describe(counters)
    assert line.startswith("11 of 1,000+ pictures, 200 done before, 1 failed, ")
    assert line.endswith("/s")
    counters.listing_done = True
    assert "11 of 1,000 pictures" in describe(counters)
    assert describe(counters).endswith(" s left")
    counters.request_stop(5.0)
    assert describe(counters).endswith("/s, stopping")


def test_before_the_first_picture_nothing_is_negative() -> None:
    """A run without a new picture has no duration and no speed."""
    assert describe(ProgressCounters()) == "starting, no picture listed yet"
    on_a_cluster = _counters(0, 0, 7, done=False)  # rows are counted before the listing is known
    assert describe(on_a_cluster).startswith("7 of 0+ pictures")
    counters = _counters(5, 5, 0, done=True)
    assert (0.0, 0.0) == (counters.seconds, counters.pictures_per_second)
    assert "0 of 0 pictures, 5 done before, 0 failed, 0/s" == describe(counters)


def test_counters_are_thread_safe() -> None:
    """Eight threads lose no count."""
    counters = ProgressCounters()

    def work() -> None:
        for _ in range(500):
            counters.add_listed(1, 0)
            counters.count_row(make_row())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (4000, 4000) == (counters.listed, counters.rows)


@pytest.mark.parametrize("style", ["quiet", "lines", "auto", "bar"])
def test_styles(style: Style, capsys: pytest.CaptureFixture[str]) -> None:
    """`quiet` prints nothing, a log gets a last line, and stdout gets nothing."""
    with show_progress(_counters(3, 0, 3, done=True), style):
        pass
    captured = capsys.readouterr()
    assert "" == captured.out
    if style == "quiet":
        assert "" == captured.err
    else:
        assert "3 of 3 pictures, 0 failed" in captured.err
    if style in ("lines", "auto"):
        assert 1 == len(captured.err.splitlines())


def test_progress_ends_when_the_run_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """The error is raised, and the thread that shows progress has ended."""
    with pytest.raises(ValueError, match="x"), show_progress(ProgressCounters(), "lines"):
        raise ValueError("x")
    assert "progress" not in {thread.name for thread in threading.enumerate()}
    del capsys


def test_a_stop_has_two_moments() -> None:
    """At first nothing new is started; after the grace time chunks in flight are abandoned."""
    counters = ProgressCounters()
    assert (False, False) == (counters.stop_requested, counters.out_of_time)
    counters.request_stop(60.0)
    assert (True, False) == (counters.stop_requested, counters.out_of_time)
    counters.request_stop(0.0)
    assert (True, True) == (counters.stop_requested, counters.out_of_time)


def test_bars_leave_room_for_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of all bars are two columns narrower than the terminal, and one spinner turns."""
    monkeypatch.setenv("COLUMNS", "40")
    spinner = LatestSpinner()
    bars = Bars(spinner, "{task.description}", BarColumn(), expand=True)
    bars.add_task("reading", total=1, completed=1)
    spinner.latest = bars.add_task("probing", total=1, completed=1)
    first, second = bars.console.render_lines(bars.get_renderable(), pad=False)
    widths = [sum(part.cell_length for part in line) for line in (first, second)]
    assert [38, 38] == widths
    assert [" ", False] == [first[0].text[0], second[0].text[0].isspace()]
