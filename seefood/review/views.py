"""Filters and orders: which rows a page shows, and one after the other.

A view keeps what it has shown: rows that arrive later, or answers that make a picture leave a
filter, change only what comes after the last position that was asked for.
"""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from seefood.errors import UsageError
from seefood.records import Status
from seefood.review.queue import View
from seefood.review.row_store import NO_LABEL, STATUSES, RowStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

BY_LOOKS: Final = ("different", "copies")
"""Orders that `seefood.review.looks` gives."""
ORDERS: Final = ("sure", "surest", "random", "disagreement", "newest", "stored", *BY_LOOKS)
SAID: Final = ("open", "answered", "changed", "agreed")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a page has chosen. Empty texts choose everything."""

    label: str = ""
    """A final label: one of a person's, else one of the model's."""
    status: str = ""
    """`ok`, `unsure`, `failed` or an error code."""
    low: float | None = None
    """Scores from here on, in [0, 1]."""
    high: float | None = None
    """Scores up to here."""
    since: int | None = None
    """Rows from here on, in milliseconds since 1970."""
    until: int | None = None
    text: str = ""
    """The beginning of URIs, or a part of them."""
    model: str = ""
    """The beginning of a model's digest."""
    said: str = ""
    """`open`, `answered`, `changed` (other labels than the model's) or `agreed`."""
    order: str = "sure"
    seed: int = 0
    """Of the random order."""


def parse_view(view: View) -> Filters:
    """Return the filters of a query string. Raises `UsageError` for a wrong value."""
    known = {item.name for item in fields(Filters)}
    texts = {name: text.strip() for name, text in view.items() if name in known and text.strip()}
    parsed: dict[str, Any] = {}
    for name, text in texts.items():
        parse = _PARSERS.get(name, str)
        try:
            parsed[name] = parse(text)
        except ValueError as error:
            raise UsageError(f"{text!r:.80} cannot be the filter {name}: {error}") from error
    return Filters(**parsed)


def _one_of(names: tuple[str, ...]) -> "Callable[[str], str]":
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"use one of {', '.join(names)}")
        return text

    return parse


def _share(text: str) -> float:
    is_percentage = text.endswith("%")
    number = float(text.removesuffix("%"))
    share = number / 100 if is_percentage else number
    if not 0 <= share <= 1:
        raise ValueError("use a number from 0 to 1, or a percentage")
    return share


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def _until(text: str) -> int:
    """Return the end of a day, or a moment."""
    is_day = len(text) == len("2026-11-27")
    return _moment(text) + (round(timedelta(days=1).total_seconds() * 1000) if is_day else 0)


_PARSERS: Final[dict[str, "Callable[[str], Any]"]] = {
    "low": _share,
    "high": _share,
    "since": _moment,
    "until": _until,
    "order": _one_of(ORDERS),
    "said": _one_of(SAID),
    "seed": int,
}


@dataclass(frozen=True, slots=True)
class Said:
    """What people said, by row."""

    sets: "NDArray[np.int32]"
    """The code of the labels, `NO_LABEL` where nobody said anything; may be shorter than the rows
    are by now."""

    def until(self, count: int) -> "NDArray[np.int32]":
        """Return the codes of the first `count` rows."""
        padded = np.full(max(0, count - self.sets.size), NO_LABEL, np.int32)
        return np.concatenate([self.sets[:count], padded])


def select(
    store: RowStore, filters: Filters, said: Said, place: "NDArray[np.float32] | None" = None
) -> "NDArray[np.intp]":
    """Return the rows that the filters leave, in the order that they state.

    `place` is that of each row in an order of `BY_LOOKS`; nothing is left while it is not known.
    """
    if filters.order in BY_LOOKS and place is None:
        return np.empty(0, np.intp)
    model = _model(store, filters.model)
    rows = store.newest(None if model is None else np.flatnonzero(store.column("model") == model))
    rows = rows[_mask(store, filters, said)[rows]]
    if filters.order == "disagreement":
        weights = disagreement(store)[rows]
        rows, weights = rows[weights > 0], weights[weights > 0]
        return rows[np.argsort(-weights, kind="stable")]
    if filters.order == "random":
        return np.asarray(np.random.default_rng(filters.seed).permutation(rows))
    if filters.order == "stored":
        return rows
    if place is not None:
        rows = rows[~np.isnan(place[rows])]
        return rows[np.argsort(place[rows], kind="stable")]
    keys = {
        "sure": store.column("score")[rows],  # NaN, a failure, sorts last
        "surest": -store.column("score")[rows],
        "newest": -store.column("times")[rows],
    }[filters.order]
    return rows[np.argsort(keys, kind="stable")]


def _model(store: RowStore, digest: str) -> int | None:
    if not digest:
        return None
    codes = [code for code, name in enumerate(store.models.texts) if name.startswith(digest)]
    if not codes:
        raise UsageError(f"there are no rows of the model {digest!r:.80}")
    return codes[0]


def _mask(store: RowStore, filters: Filters, said: Said) -> "NDArray[np.bool_]":
    """Return which rows the filters leave, of all."""
    mask = np.ones(store.count, np.bool_)
    model_sets, scores, times = (store.column(name) for name in ("set", "score", "times"))
    spoken = said.until(store.count)
    if filters.label:
        final = np.where(spoken == NO_LABEL, model_sets, spoken)
        mask &= np.isin(final, store.with_label(filters.label))
    if filters.status in set(Status):
        mask &= store.column("status") == STATUSES.index(Status(filters.status))
    elif filters.status:
        mask &= store.has_error(filters.status)
    if filters.low is not None:
        mask &= scores >= filters.low
    if filters.high is not None:
        mask &= scores <= filters.high
    if filters.since is not None:
        mask &= times >= filters.since
    if filters.until is not None:
        mask &= times < filters.until
    if filters.text:
        mask &= store.contains(filters.text)
    if filters.said:
        mask &= {
            "open": spoken == NO_LABEL,
            "answered": spoken != NO_LABEL,
            "changed": (spoken != NO_LABEL) & (spoken != model_sets),
            "agreed": (spoken != NO_LABEL) & (spoken == model_sets),
        }[filters.said]
    return mask


def disagreement(store: RowStore) -> "NDArray[np.float32]":
    """Return for each row by how much models disagree about its picture: 0 if they agree.

    That is the sum of the models' scores, so that those that are all sure come first.
    """
    weights = np.zeros(store.count, np.float32)
    models = np.unique(store.column("model"))
    if models.size < 2:
        return weights
    rows = np.concatenate(
        [store.newest(np.flatnonzero(store.column("model") == model)) for model in models]
    )
    contents, sets = store.column("contents")[rows], store.column("set")[rows]
    _, group = np.unique(contents, return_inverse=True)
    low = np.full(group.max() + 1, np.iinfo(np.int32).max)
    high = np.full(group.max() + 1, NO_LABEL)
    np.minimum.at(low, group, sets)
    np.maximum.at(high, group, sets)
    sums = np.bincount(group, np.nan_to_num(store.column("score")[rows])) + 1e-6
    weights[rows] = np.where(low != high, sums, 0.0)[group]
    return weights


class Ordered:
    """The rows of one view in their order, of which the beginning is fixed."""

    def __init__(self, filters: Filters) -> None:
        self.filters = filters
        self.rows: NDArray[np.intp] = np.empty(0, np.intp)
        self.fixed = 0
        """How many positions were shown; these stay."""

    def update(self, selected: "NDArray[np.intp]") -> None:
        """Order the rows as `selected` behind those that were shown."""
        shown = self.rows[: self.fixed]
        rest = selected if not shown.size else selected[~np.isin(selected, shown)]
        self.rows = np.concatenate([shown, rest])

    def page(self, start: int, count: int) -> "NDArray[np.intp]":
        """Return the rows from a position on; their positions are fixed from now on."""
        rows = self.rows[max(0, start) : max(0, start) + count]
        self.fixed = max(self.fixed, min(start + count, self.rows.size))
        return rows
