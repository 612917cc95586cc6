"""What the page needs: pictures in an order, and a place for answers.

The page shows the picture at a position of the queue, sends the person's answer, and moves on to
the next position without an answer. A queue is any object with the methods of `Queue`:

- `seefood review` has one position for each row that the person's filters leave, in the order that
  the person chose.
- `seefood audit` (`is_blind`) draws its next picture when `cards` asks for a position that it has
  not drawn yet, and is done (`Progress.is_done`) when no more answers are needed. The page then
  shows neither the model's label nor its score, and has no filters, orders, heat maps or grid.

`serve_queue(queue, ...)` of `seefood.review.server` serves the page until SIGINT or SIGTERM.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from seefood.corrections import Correction
from seefood.errors import UsageError
from seefood.records import ImageRef, Row

View = Mapping[str, str]
"""The filters and the order that a page has chosen, as its query string has them."""


@dataclass(frozen=True, slots=True)
class Card:
    """One picture as the page shows it."""

    number: int
    """Names the picture in requests, as long as this process runs."""
    row: Row
    """What the model said; a blind queue's page shows only the picture and its name."""
    said: Correction | None = None
    """The latest answer, of whomever; of a blind queue, of its own."""
    others: tuple[Row, ...] = ()
    """What other models said, where they disagree."""
    copies: tuple["Card", ...] = ()
    """Pictures that an answer about this one settles as well."""

    @property
    def ref(self) -> ImageRef:
        """The picture's object."""
        return ImageRef(self.row.uri, self.row.etag, self.row.size_bytes, self.row.version_id)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A picture that is similar to another one."""

    card: Card
    similarity: float
    """The cosine between centred features, in [-1, 1]."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says about one picture."""

    number: int
    """Of its card."""
    label: str | None
    """None, with `labels` None, takes the earlier answers back."""
    note: str | None = None
    labels: tuple[str, ...] | None = None
    """All labels, of a picture that may have several; `label` is not used then."""


def answered_labels(
    answer: Answer, row_label: str | None, *, has_several: bool
) -> tuple[str | None, tuple[str, ...] | None]:
    """Return what `Correction.label` and `Correction.labels` are for an answer.

    `row_label` is the model's main label, which stays the main one if it is right. Raises
    `UsageError` for several labels, or none, where models give a picture one.
    """
    if answer.labels is None:
        return answer.label, None
    labels = tuple(dict.fromkeys(answer.labels))
    if not has_several:
        if len(labels) != 1:
            raise UsageError(f"a picture has one label here, not {len(labels)}")
        return labels[0], None
    if row_label in labels:
        labels = (row_label, *(each for each in labels if each != row_label))
    return (labels[0] if labels else None), labels


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a queue stands."""

    length: int
    """Positions that `cards` can show, as far as they are known."""
    answered: int
    """How many of them have an answer."""
    text: str = ""
    """One sentence for the person, such as an audit's interval so far."""
    is_loading: bool = False
    """Whether there will be more positions."""
    is_done: bool = False
    """Whether no more answers are needed."""
    problem: str = ""
    """What went wrong in the background; empty if nothing did."""


class Queue(Protocol):
    """Supplies pictures and takes answers. Called from several threads."""

    @property
    def title(self) -> str:
        """What is reviewed: the output."""

    @property
    def is_blind(self) -> bool:
        """Whether the page hides what the model said."""

    @property
    def has_several(self) -> bool:
        """Whether pictures may have several labels, so that an answer is a set of them."""

    def labels(self) -> Sequence[str]:
        """Return the labels to choose from; the digits choose the first ten."""

    def add_label(self, label: str) -> None:
        """Add a label to choose from. Raises `UsageError` for one that cannot be."""

    def progress(self, view: View) -> Progress:
        """Return where the queue stands. Raises `UsageError` for a wrong filter."""

    def cards(self, view: View, start: int, count: int) -> list[Card]:
        """Return the cards from position `start` on, at most `count`; none behind the end.

        A position that was returned once keeps its picture. Raises `UsageError` as `progress`.
        """

    def next_open(self, view: View, start: int) -> int | None:
        """Return the first position from `start` on without an answer; None if there is none."""

    def card(self, number: int) -> Card:
        """Return one card, with the latest answer. Raises `KeyError`."""

    def near(self, number: int, count: int) -> list[Neighbour] | None:
        """Return the pictures most similar to a card's; None while features are read.

        Raises `UsageError` if there are none.
        """

    def find(self, uri: str, etag: str) -> int | None:
        """Return the number of a picture's card; None if it is not known, or not yet."""

    def answer(self, answers: Sequence[Answer], answer_id: str) -> None:
        """Write answers as one durable append. A repeated `answer_id` is no second answer.

        Raises `UsageError` for a label or a picture that cannot be, `JobError` if nothing could
        be written: the page then shows why, and sends the same answer again.
        """

    def refresh(self) -> int:
        """Read what others have answered; return a number that grows with every change."""
