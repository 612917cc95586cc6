import pytest

from benchmarks.contender_process import Measurement
from benchmarks.sections import (
    Aim,
    Bar,
    Section,
    agreement,
    at_least,
    at_most,
    medians,
    paired_ratio,
    to_markdown,
)


def measurement(name: str, loop: float | None, total: float) -> Measurement:
    return Measurement(
        contender=name,
        pictures=100,
        seconds_total=total,
        seconds_loop=loop,
        seconds_first_row=None,
        seconds_cpu=total,
        seconds_cpu_loop=loop,
        peak_rss_mb=10 * total,
    )


def test_medians_ignore_one_slow_round() -> None:
    """A contender's rate is its median round, its memory the worst one."""
    result = medians([measurement("a", 1, 2), measurement("a", 50, 100), measurement("a", 2, 4)])[
        "a"
    ]
    assert (3, 50.0, 25.0) == (result.rounds, result.rate_loop, result.rate_total)
    assert 1000 == result.peak_rss_mb


def test_ratios_compare_runs_of_the_same_round() -> None:
    """A machine that is half as fast in one round changes no ratio."""
    runs = [
        measurement("ours", 1, 2),
        measurement("peer", 3, 8),
        measurement("ours", 2, 4),
        measurement("peer", 6, 16),
    ]
    assert 3.0 == paired_ratio(runs, "ours", "peer", loop=True)
    assert 4.0 == paired_ratio(runs, "ours", "peer", loop=False)


@pytest.mark.parametrize("runs", [[], [measurement("ours", None, 1), measurement("peer", 1, 2)]])
def test_no_ratio_without_both(runs: list[Measurement]) -> None:
    """A contender that did not run, or has no loop time, has no ratio."""
    assert None is paired_ratio(runs, "ours", "peer", loop=True)


def test_agreement_needs_the_same_pictures() -> None:
    """Labels are compared only between contenders that labelled the same pictures."""
    assert 0.5 == agreement({"a": "x", "b": "y"}, {"a": "x", "b": "x"})
    assert None is agreement({"a": "x"}, {"b": "x"})
    assert None is agreement({}, {})


@pytest.mark.parametrize(
    ("aim", "reached"),
    [
        (at_least("speed", 3.5, 3.6), True),
        (at_least("speed", 3.5, 3.4), False),
        (at_least("speed", 3.5, None), False),
        (at_most("time", 1.0, 0.9), True),
        (at_most("time", 1.0, None), False),
    ],
)
def test_aims_are_reached_only_by_what_was_measured(aim: Aim, *, reached: bool) -> None:
    """An aim without a measurement is not reached."""
    assert reached == aim.reached


def test_a_section_renders_as_tables_and_survives_json() -> None:
    """A section read from results.json renders the same Markdown."""
    section = Section(
        title="Work",
        note="A note.",
        columns=("contender", "s"),
        rows=(("ours", "1"), ("peer", "NOT INSTALLED: ray")),
        aims=(at_least("speed", 2, 1.0),),
        bars=(Bar("ours", 1.0, ours=True),),
    )
    text = to_markdown(section)
    assert "| contender | s |\n| :-- | --: |\n| ours | 1 |\n| peer | NOT INSTALLED: ray |" in text
    assert "| speed | at least 2x | 1.00x | **no** |" in text
    assert text == to_markdown(Section.from_json(section.as_json()))
