"""How far a run is, for people."""

import threading
import time

import pytest

from seefood.runs.progress import ProgressCounters, Style, describe, show_progress
from tests.fakes import failed, make_row


def _meter(listed: int, skipped: int, rows: int, *, done: bool) -> ProgressCounters:
    meter = ProgressCounters()
    meter.list(listed, skipped)
    time.sleep(0.002)
    for _ in range(rows):
        meter.count(make_row())
    meter.listing_done = done
    return meter


def test_a_line_says_it_all() -> None:
    """How many, of how many so far, failed, speed, and time left once listing is done."""
    meter = _meter(1200, 200, 10, done=False)
    meter.count(failed("s3://b/x", "corrupt", "no"))
    line = describe(meter)
    assert line.startswith("11 of 1,000+ pictures, 200 done before, 1 failed, ")
    assert line.endswith("/s")
    meter.listing_done = True
    assert "11 of 1,000 pictures" in describe(meter)
    assert describe(meter).endswith(" s left")


def test_before_the_first_picture_nothing_is_negative() -> None:
    """A run that has nothing to do took no time and has no speed."""
    assert "0 of 0+ pictures, 0 failed, 0/s" == describe(ProgressCounters())
    meter = _meter(5, 5, 0, done=True)
    assert (0.0, 0.0) == (meter.seconds, meter.pictures_per_second)
    assert "0 of 0 pictures, 5 done before, 0 failed, 0/s" == describe(meter)


def test_threads_count_exactly() -> None:
    """Eight threads at once lose no count."""
    meter = ProgressCounters()

    def work() -> None:
        for _ in range(500):
            meter.list(1, 0)
            meter.count(make_row())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (4000, 4000) == (meter.listed, meter.rows)


@pytest.mark.parametrize("style", ["quiet", "lines", "auto", "bar"])
def test_styles(style: Style, capsys: pytest.CaptureFixture[str]) -> None:
    """Quiet is silent; in a log there is a last line; nothing goes to stdout."""
    with show_progress(_meter(3, 0, 3, done=True), style):
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
    """An error passes through, and the thread that draws is gone."""
    with pytest.raises(ValueError, match="x"), show_progress(ProgressCounters(), "lines"):
        raise ValueError("x")
    assert "progress" not in {thread.name for thread in threading.enumerate()}
    del capsys


def test_a_stop_has_two_moments() -> None:
    """First nothing new is started, later what is in flight is given up."""
    meter = ProgressCounters()
    assert (False, False) == (meter.stop_requested, meter.out_of_time)
    meter.request_stop(60.0)
    assert (True, False) == (meter.stop_requested, meter.out_of_time)
    meter.request_stop(0.0)
    assert (True, True) == (meter.stop_requested, meter.out_of_time)
