"""The table of a bulk benchmark: one row per contender."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from benchmarks.bulk_contenders import BARE, FROZEN, OURS, SHELL
from benchmarks.contender_process import Contender
from benchmarks.pictures import LABELS, Pictures
from benchmarks.runner import Outcome
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
    """Return the table of `contenders`, in their order."""
    by_name = medians(outcome.measurements)
    frozen = any(each.name.endswith(FROZEN) for each in contenders)
    wanted = [each for each in contenders if not each.name.endswith(FROZEN)]
    shown = [each for each in wanted if each.name in by_name]
    rounds = max((one.rounds for one in by_name.values()), default=0)
    absent = "".join(
        f" Not measured: {each.title} ({outcome.failures.get(each.name, 'not run')})."
        for each in wanted
        if each not in shown
    )
    return Section(
        title=title,
        note=(
            f"{len(pictures.files):,} pictures ({pictures.origin}; {pictures.megabytes:.0f} MB), "
            f"MobileNetV2-1.0-224, medians of up to {rounds} rounds, contenders in turns. "
            "*Work alone* begins after the imports and includes loading the model, for all "
            "contenders; *start to exit* is the whole process." + absent
        ),
        columns=(*_COLUMNS, _FROZEN_COLUMN) if frozen else _COLUMNS,
        rows=tuple(_row(each, pictures, outcome, by_name, frozen=frozen) for each in shown),
        aims=tuple(aims),
        bars=tuple(
            Bar(
                each.title.replace("*", "").replace("`", ""),
                by_name[each.name].rate_total,
                "**" in each.title,
            )
            for each in shown
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
    by_name: Mapping[str, Medians],
    *,
    frozen: bool,
) -> tuple[str, ...]:
    own = by_name[contender.name]
    labels = {run.contender: run.labels for run in outcome.measurements}
    truth = {file.name: file.parent.name for file in pictures.files if file.parent.name in LABELS}
    reference = SHELL if SHELL in by_name else OURS
    ratio = partial(paired_ratio, outcome.measurements, reference, contender.name)
    own_labels = labels[contender.name]
    on_frozen = by_name.get(contender.name + FROZEN)
    cells = (
        contender.title,
        _number(own.rate_loop),
        _number(own.rate_total),
        f"{own.seconds_total:.1f}",
        _number(ratio(loop=False), "{:.2f}"),
        f"{own.peak_rss_mb:.0f}",
        _share(agreement(labels.get(BARE) or labels.get(OURS) or {}, own_labels)),
        _share(agreement(truth, own_labels)),
        _number(on_frozen.rate_total if on_frozen else None),
    )
    return cells[: len(_COLUMNS) + frozen]


def _number(value: float | None, template: str = "{:,.0f}") -> str:
    return "" if value is None else template.format(value)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
