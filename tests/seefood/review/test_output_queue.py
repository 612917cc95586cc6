import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from seefood.corrections import Correction, CorrectionLog, read_corrections
from seefood.errors import JobError, UsageError
from seefood.features.files import write_part_features
from seefood.records import Row, Vector, utc_now
from seefood.results.files import part_location
from seefood.review.output_queue import OutputQueue
from seefood.review.queue import Answer, Card
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.fakes import failed, make_row
from tests.seefood.results.test_output_rows import put_part

_NOW = utc_now()
_OTHER = "f" * 64


def scored(number: int, score: float, **changes: object) -> Row:
    """Return a row of the picture with this number."""
    return make_row(f"s3://b/x/{number}.jpg", score=score, **changes)


def open_queue(root: str, *rows: Row, labels: tuple[str, ...] = ()) -> OutputQueue:
    """Return a loaded queue over these rows."""
    for digest in {row.model_digest for row in rows}:
        put_part(root, "a", *(row for row in rows if row.model_digest == digest))
    queue = OutputQueue(parse_location(root), "ada", labels, refresh_seconds=0.0)
    queue.start()
    queue.wait_until_loaded()
    return queue


def names(cards: list[Card]) -> list[str]:
    """Return the last parts of the cards' URIs."""
    return [card.row.uri.rpartition("/")[2].removesuffix(".jpg") for card in cards]


def _some(root: str) -> OutputQueue:
    return open_queue(
        root,
        scored(1, 0.9),
        scored(2, 0.6, status="unsure", label="green"),
        scored(3, 0.7, classified_at=datetime(2026, 1, 1, 12, tzinfo=UTC)),
        failed("s3://b/y/4.jpg", "corrupt", "bad data"),
    )


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ({}, ["2", "3", "1", "4"]),
        ({"order": "surest"}, ["1", "3", "2", "4"]),
        ({"order": "stored"}, ["1", "2", "3", "4"]),
        ({"label": "green"}, ["2"]),
        ({"status": "unsure"}, ["2"]),
        ({"status": "failed"}, ["4"]),
        ({"status": "corrupt"}, ["4"]),
        ({"low": "65%", "high": "0.8"}, ["3"]),
        ({"until": "2026-01-01"}, ["3"]),
        ({"since": "2026-01-02"}, ["2", "1", "4"]),
        ({"text": "s3://b/y"}, ["4"]),
        ({"text": "2.jp"}, ["2"]),
        ({"label": "blue"}, []),
        ({"order": "disagreement"}, []),
        ({"unknown": "1", "status": " "}, ["2", "3", "1", "4"]),
    ],
)
def test_filters_and_orders(view: dict[str, str], expected: list[str], memory: str) -> None:
    """Each leaves its rows, in its order."""
    queue = _some(memory)
    assert expected == names(queue.cards(view, 0, 10))
    assert len(expected) == queue.progress(view).length


@pytest.mark.parametrize(
    "view",
    [{"order": "x"}, {"low": "2"}, {"since": "soon"}, {"seed": "x"}, {"model": "9"}, {"said": "x"}],
)
def test_a_wrong_filter_is_named(view: dict[str, str], memory: str) -> None:
    """The message has the value."""
    with pytest.raises(UsageError, match=repr(next(iter(view.values())))):
        _some(memory).cards(view, 0, 1)


def test_a_random_order_is_the_same_for_a_seed(memory: str) -> None:
    """Another seed gives another order of the same rows."""
    queue = open_queue(memory, *(scored(n, 0.5) for n in range(50)))
    first, again, other = (
        names(queue.cards({"order": "random", "seed": seed}, 0, 50)) for seed in ("1", "1", "2")
    )
    assert first == again
    assert first != other
    assert set(first) == set(other)


def test_models_that_disagree_come_with_what_each_said(memory: str) -> None:
    """The newest row counts, the other models' are shown beside it, the surest pair first."""
    old = {"model_digest": _OTHER, "classified_at": _NOW - timedelta(days=1)}
    queue = open_queue(
        memory,
        *(scored(n, 0.6) for n in (1, 2, 3)),
        scored(1, 0.7, label="green", **old),
        scored(2, 0.6, **old),
        scored(3, 0.9, label="green", **old),
    )
    cards = queue.cards({"order": "disagreement"}, 0, 10)
    assert ["3", "1"] == names(cards)
    assert [("red", ["green"])] * 2 == [
        (card.row.label, [row.label for row in card.others]) for card in cards
    ]
    assert 3 == queue.progress({}).length
    assert {"green"} == {
        card.row.label for card in queue.cards({"model": _OTHER[:12], "label": "green"}, 0, 9)
    }


def test_an_answer_is_a_correction_at_once(memory: str) -> None:
    """It is durable when `answer` returns, once, and shown by whom."""
    queue = _some(memory)
    first, second = queue.cards({}, 0, 2)
    queue.answer([Answer(first.number, "red", "sure")], "a1")
    queue.answer([Answer(first.number, "red")], "a1")
    (correction,) = read_corrections(parse_location(memory)).values()
    assert ("s3://b/x/2.jpg", "red", "green", "ada", "sure") == (
        correction.uri,
        correction.label,
        correction.was,
        correction.reviewer,
        correction.note,
    )
    assert 1 == queue.next_open({}, 0)
    assert 1 == queue.progress({}).answered
    assert correction == queue.card(first.number).said
    queue.answer([Answer(first.number, None), Answer(second.number, "red")], "a2")
    assert 0 == queue.next_open({}, 0)
    assert 2 == queue.next_open({}, 1)
    assert ["3"] == names(queue.cards({"said": "agreed"}, 0, 9))
    assert [] == names(queue.cards({"said": "changed"}, 0, 9))


def test_what_was_shown_keeps_its_place(memory: str) -> None:
    """A picture that leaves the filter by its answer stays where it was."""
    queue = _some(memory)
    view = {"said": "open"}
    first = queue.cards(view, 0, 1)[0]
    queue.answer([Answer(first.number, "red")], "a1")
    assert ["2", "3"] == names(queue.cards(view, 0, 2))
    assert 1 == queue.next_open(view, 0)


def test_a_label_that_nobody_knows_is_added_first(memory: str) -> None:
    """Labels of the model, of --labels, and typed ones can be said; others are refused."""
    queue = open_queue(memory, scored(1, 0.5), labels=("blue",))
    assert ["blue", "red"] == queue.labels()
    with pytest.raises(UsageError, match="nobody knows the label 'mauve'"):
        queue.answer([Answer(0, "mauve")], "a1")
    queue.add_label(" mauve ")
    queue.answer([Answer(0, "mauve")], "a1")
    again = OutputQueue(parse_location(memory), "bob")
    again.start()
    again.wait_until_loaded()
    assert {"mauve", "red"} == set(again.labels())
    with pytest.raises(KeyError):
        queue.answer([Answer(7, "red")], "a2")


def test_two_people_see_each_other(memory: str) -> None:
    """What another process wrote is there after a refresh, and not asked again."""
    queue = _some(memory)
    before = queue.refresh()
    CorrectionLog(parse_location(memory)).append(
        [Correction("s3://b/x/2.jpg", "e1", "mauve", "green", None, "bob", _NOW)]
    )
    assert before < queue.refresh()
    assert 1 == queue.next_open({}, 0)
    said = queue.cards({}, 0, 1)[0].said
    assert said is not None
    assert ("bob", "mauve") == (said.reviewer, said.label)
    assert "mauve" in queue.labels()
    assert queue.find("s3://b/x/2.jpg", "e1") == queue.cards({}, 0, 1)[0].number
    assert queue.find("s3://b/x/2.jpg", "e2") is None


def test_damaged_corrections_stop_reading_and_no_answer_waits(memory: str) -> None:
    """The page shows the cause; a picture of a page from before has no row."""
    put_part(memory, "a", scored(1, 0.9))
    write(parse_location(f"{memory}/corrections/bo/1-x.jsonl"), b"[1")
    queue = OutputQueue(parse_location(memory), "ada")
    queue.start()
    with pytest.raises(JobError, match="holds no corrections"):
        queue.wait_until_loaded()
    with pytest.raises(KeyError):
        queue.answer([Answer(0, "red", None)], "a1")


def test_an_output_without_rows_is_refused(memory: str) -> None:
    """Before a port is opened."""
    with pytest.raises(UsageError, match="there are no rows below"):
        OutputQueue(parse_location(memory), "ada").start()


def _looking(root: str) -> OutputQueue:
    """Return a queue over two pairs of copies, of which one has two labels, and another picture."""
    kinds = {1: (9, 1, 1), 2: (1, 9, 1), 3: (9, 1, 2), 4: (1, 9, 2), 5: (1, 1, 9)}
    rows = [
        scored(
            number,
            0.5 + number / 10,
            label="green" if number == 4 else "red",
            etag=f"e{number}",
            phash=f"{0xFFFF << 16 * values.index(9):016x}",
            vector=Vector(1.0, np.array(values, np.int8).tobytes()),
        )
        for number, values in kinds.items()
    ]
    output = parse_location(root)
    part = part_location(output, rows[0].model_digest, [row.ref for row in rows], "parquet")
    write_part_features(part, output, rows[0].model_digest, rows)
    return open_queue(root, *rows)


def _when_compared(queue: OutputQueue, view: dict[str, str]) -> list[Card]:
    while queue.progress(view).is_loading:
        time.sleep(0.01)
    return queue.cards(view, 0, 10)


def test_the_most_different_come_first(memory: str) -> None:
    """The first three are of three kinds, and copies of them follow."""
    queue = _looking(memory)
    found = names(_when_compared(queue, {"order": "different"}))
    assert {"1", "2", "3", "4", "5"} == set(found)
    assert 3 == len({{"3": "1", "4": "2"}.get(name, name) for name in found[:3]})
    near = None
    while near is None:
        near = queue.near(queue.find("s3://b/x/1.jpg", "e1") or 0, 2)
    assert ("3", 2) == (names([near[0].card])[0], len(near))


def test_copies_come_as_one_group(memory: str) -> None:
    """Each group is one position, that with two labels first; its card has the copies."""
    queue = _looking(memory)
    cards = _when_compared(queue, {"order": "copies"})
    groups = [set(names([card, *card.copies])) for card in cards]
    assert [{"2", "4"}, {"1", "3"}] == groups
    first = cards[0]
    queue.answer([Answer(each.number, "green") for each in (first, *first.copies)], "a1")
    assert 1 == queue.progress({"order": "copies"}).answered
    assert 1 == queue.next_open({"order": "copies"}, 0)
    assert 2 == len(read_corrections(parse_location(memory)))


def test_an_order_without_features_says_why(memory: str) -> None:
    """The sentence names the option that stores them."""
    queue = _some(memory)
    with pytest.raises(UsageError, match="--features"):
        _when_compared(queue, {"order": "different"})
