"""Medians, ratios, aims and Markdown tables from measurements."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.contender_process import Measurement


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the chart."""

    title: str
    value: float
    ours: bool


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure and its target."""

    what: str
    wanted: str
    measured: str
    reached: bool


@dataclass(frozen=True, slots=True)
class Section:
    """The result of a benchmark: a table, aims, bars, and all figures as JSON."""

    title: str
    note: str
    """How it was measured, in a sentence or two."""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    aims: tuple[Aim, ...] = ()
    bars: tuple[Bar, ...] = ()
    unit: str = ""
    """Of the bars."""
    data: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the section as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Section":
        """Return what `as_json` wrote."""
        values = dict(document)
        values["columns"] = tuple(values["columns"])
        values["rows"] = tuple(map(tuple, values["rows"]))
        values["aims"] = tuple(Aim(**aim) for aim in values["aims"])
        values["bars"] = tuple(Bar(**bar) for bar in values["bars"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Medians:
    """One contender's medians over its rounds."""

    rounds: int
    rate_total: float
    """Pictures per second from the start of the process to its end."""
    rate_loop: float | None
    """Pictures per second without the imports."""
    seconds_total: float
    seconds_first_row: float | None
    peak_rss_mb: float


def medians(measurements: Sequence[Measurement]) -> dict[str, Medians]:
    """Return each contender's medians, in order of appearance."""
    by_name: dict[str, list[Measurement]] = {}
    for measured in measurements:
        by_name.setdefault(measured.contender, []).append(measured)
    return {name: _medians(runs) for name, runs in by_name.items()}


def _medians(runs: Sequence[Measurement]) -> Medians:
    loops = [run.pictures / run.seconds_loop for run in runs if run.seconds_loop]
    firsts = [run.seconds_first_row for run in runs if run.seconds_first_row]
    return Medians(
        rounds=len(runs),
        rate_total=statistics.median(run.pictures / run.seconds_total for run in runs),
        rate_loop=statistics.median(loops) if loops else None,
        seconds_total=statistics.median(run.seconds_total for run in runs),
        seconds_first_row=statistics.median(firsts) if firsts else None,
        peak_rss_mb=max(run.peak_rss_mb for run in runs),
    )


def paired_ratio(
    measurements: Sequence[Measurement], ours: str, other: str, *, loop: bool
) -> float | None:
    """Return how many times as fast `ours` is as `other`: the median over rounds.

    Compares runs of the same round, so that a slow round cancels out. `loop` compares the time
    without the imports. Returns None if either did not run.
    """
    own_runs = [run for run in measurements if run.contender == ours]
    other_runs = [run for run in measurements if run.contender == other]
    ratios = []
    for left, right in zip(own_runs, other_runs, strict=False):
        a, b = (
            (left.seconds_loop, right.seconds_loop)
            if loop
            else (left.seconds_total, right.seconds_total)
        )
        if a and b:
            ratios.append((left.pictures / a) / (right.pictures / b))
    return statistics.median(ratios) if ratios else None


def agreement(left: Mapping[str, str], right: Mapping[str, str]) -> float | None:
    """Return the share of pictures with the same label; None if their pictures differ."""
    if not left or left.keys() != right.keys():
        return None
    return sum(right[name] == label for name, label in left.items()) / len(left)


def at_least(what: str, wanted: float, measured: float | None, unit: str = "x") -> Aim:
    """Return the aim of a figure of at least `wanted`."""
    shown = "not measured" if measured is None else f"{measured:.2f}{unit}"
    reached = measured is not None and measured >= wanted
    return Aim(what, f"at least {wanted:g}{unit}", shown, reached)


def at_most(what: str, wanted: float, measured: float | None, unit: str = " s") -> Aim:
    """Return the aim of a figure of at most `wanted`."""
    shown = "not measured" if measured is None else f"{measured:.2f}{unit}"
    reached = measured is not None and measured <= wanted
    return Aim(what, f"at most {wanted:g}{unit}", shown, reached)


def to_markdown(section: Section) -> str:
    """Return the section as Markdown: heading, note, table, aims."""
    lines = [f"### {section.title}", "", section.note, ""]
    lines += _table(section.columns, section.rows)
    if section.aims:
        rows = [
            (aim.what, aim.wanted, aim.measured, "yes" if aim.reached else "**no**")
            for aim in section.aims
        ]
        lines += ["", *_table(("aim", "wanted", "measured", "reached"), rows)]
    return "\n".join(lines) + "\n"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table; the first column is aligned left, the others right."""
    rule = [":--", *["--:"] * (len(columns) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows)]
