"""The table of a bulk work: one row a contender."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from benchmarks.field import BARE, FROZEN, OURS, SHELL
from benchmarks.pictures import LABELS, Pictures
from benchmarks.rounds import Contender, Outcome
from benchmarks.sections import Aim, Bar, Medians, Section, agreement, medians, paired_ratio

_COLUMNS: Final = (
    "contender",
    "pictures/s, work alone",
    "pictures/s, start to exit",
    "s, start to exit",
    "`seefood classify` is x as fast, start to exit",
    "peak MB",
    "same label as the bare loop",
    "right",
)
_FROZEN_COLUMN: Final = "pictures/s, start to exit, given our frozen SavedModel"


def to_section(
    title: str,
    pictures: Pictures,
    contenders: Sequence[Contender],
    outcome: Outcome,
    aims: Sequence[Aim],
) -> Section:
    """Return what `outcome` says of `contenders`, in their order."""
    found = medians(outcome.measurements)
    shown = [each for each in contenders if not each.name.endswith(FROZEN)]
    frozen = len(shown) < len(contenders)
    rounds = max((one.rounds for one in found.values()), default=0)
    return Section(
        title=title,
        note=(
            f"{len(pictures.files):,} pictures ({pictures.origin}; {pictures.megabytes:.0f} MB), "
            f"MobileNetV2-1.0-224, medians of up to {rounds} rounds, contenders in turns. "
            "*Work alone* begins after the imports and includes loading the model, for everybody; "
            "*start to exit* is the whole process."
        ),
        columns=(*_COLUMNS, _FROZEN_COLUMN) if frozen else _COLUMNS,
        rows=tuple(_row(each, pictures, outcome, found, frozen=frozen) for each in shown),
        aims=tuple(aims),
        bars=tuple(
            Bar(
                each.title.replace("*", "").replace("`", ""),
                found[each.name].rate_total,
                "**" in each.title,
            )
            for each in shown
            if each.name in found
        ),
        unit="pictures/s, start to exit",
        data={
            "pictures": len(pictures.files),
            "origin": pictures.origin,
            "failures": outcome.failures,
            "runs": [run.as_json() for run in outcome.measurements],
        },
    )


def _row(
    contender: Contender,
    pictures: Pictures,
    outcome: Outcome,
    found: Mapping[str, Medians],
    *,
    frozen: bool,
) -> tuple[str, ...]:
    columns = len(_COLUMNS) + frozen
    one = found.get(contender.name)
    if one is None:
        reason = outcome.failures.get(contender.name, "not run")
        return (contender.title, reason, *[""] * (columns - 2))
    labels = {run.contender: run.labels for run in outcome.measurements}
    truth = {file.name: file.parent.name for file in pictures.files if file.parent.name in LABELS}
    mine_is = SHELL if SHELL in found else OURS
    ratio = partial(paired_ratio, outcome.measurements, mine_is, contender.name)
    mine = labels[contender.name]
    twin = found.get(contender.name + FROZEN)
    cells = (
        contender.title,
        _number(one.rate_loop),
        _number(one.rate_total),
        f"{one.seconds_total:.1f}",
        _number(ratio(loop=False), "{:.2f}"),
        f"{one.peak_rss_mb:.0f}",
        _share(agreement(labels.get(BARE) or labels.get(OURS) or {}, mine)),
        _share(agreement(truth, mine)),
        _number(twin.rate_total if twin else None),
    )
    return cells[:columns]


def _number(value: float | None, form: str = "{:,.0f}") -> str:
    return "" if value is None else form.format(value)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
