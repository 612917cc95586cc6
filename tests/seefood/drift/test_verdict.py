"""Rules of the verdict: quiet on the same source, awake when pictures change."""

import math
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from seefood.drift.accuracy import estimate_accuracy
from seefood.drift.fingerprint import Fingerprint, fingerprint_rows
from seefood.drift.reference import Answer, Reference, reference_of
from seefood.drift.verdict import judge
from seefood.records import Row
from tests.fakes import failed, make_row

_NIGHT = 2000


def _picture(chance: random.Random, number: int) -> Row:
    """Return a row such as of a source of photos."""
    is_red = chance.random() < 0.3
    wide = chance.random() < 0.75
    return make_row(
        f"s3://b/{number}.jpg",
        label="red" if is_red else "green",
        score=1 - 0.5 * chance.random() ** 4,
        width=500 if wide else 375,
        height=375 if wide else 500,
        size_bytes=round(55_000 * chance.lognormvariate(0, 0.3)),
        jpeg_quality=chance.choice((80, 90, 96)),
        brightness=min(1.0, max(0.0, chance.gauss(0.45, 0.11))),
        contrast=min(0.5, max(0.0, chance.gauss(0.22, 0.05))),
        sharpness=0.025 * chance.lognormvariate(0, 0.35),
        uprightness=chance.gauss(1.2, 1.4),
        novelty=0.6 * chance.lognormvariate(0, 0.22),
    )


def _night(chance: random.Random, change: Callable[[random.Random, Row], Row]) -> Fingerprint:
    return fingerprint_rows(change(chance, _picture(chance, each)) for each in range(_NIGHT))


def _same(chance: random.Random, row: Row) -> Row:
    del chance
    return row


def _foreign(chance: random.Random, row: Row) -> Row:
    novelty = 1.3 * chance.lognormvariate(0, 0.2)
    return replace(row, novelty=novelty) if chance.random() < 0.03 else row


def _compressed(chance: random.Random, row: Row) -> Row:
    del chance
    return replace(row, jpeg_quality=20, size_bytes=row.size_bytes // 4)


def _turned(chance: random.Random, row: Row) -> Row:
    if chance.random() >= 0.1:
        return row
    return replace(row, width=row.height, height=row.width, uprightness=-(row.uprightness or 0))


def _failing(chance: random.Random, row: Row) -> Row:
    return failed(row.uri, "corrupt", "it is broken") if chance.random() < 0.02 else row


def _more_red(chance: random.Random, row: Row) -> Row:
    return replace(row, label="red") if chance.random() < 0.2 else row


@pytest.fixture(scope="module")
def earlier() -> dict[str, Fingerprint]:
    """Return three nights of one source."""
    return {f"2026112{n}": _night(random.Random(n), _same) for n in range(3)}


def _reference(seed: int = 9) -> Reference:
    chance = random.Random(seed)
    rows = [_picture(chance, each) for each in range(_NIGHT)]
    answers = [
        Answer(
            row.label or "",
            row.score or 0,
            row.label if chance.random() < (row.score or 0) else "green",  # type: ignore[arg-type]
        )
        for row in rows
    ]
    pictures = fingerprint_rows(rows)
    return reference_of(pictures, pictures.numbers["novelty"], answers)


def test_nights_of_one_source_are_quiet(earlier: dict[str, Fingerprint]) -> None:
    """A slice of `python -m benchmarks drift`, which draws 200 nights."""
    chance = random.Random(5)
    alarms = [judge(_night(chance, _same), earlier, None).alarm for _ in range(6)]
    assert [False] * 6 == alarms
    assert not judge(_night(chance, _same), {}, _reference()).alarm


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (_foreign, "novelty"),
        (_compressed, "JPEG quality|bits a pixel"),
        (_turned, "uprightness|width"),
        (_failing, "corrupt|could be classified"),
        (_more_red, "the label"),
    ],
)
def test_a_change_is_found_in_the_first_night(
    change: Callable[[random.Random, Row], Row], word: str, earlier: dict[str, Fingerprint]
) -> None:
    """Each is found against earlier runs, and said in words."""
    drift = judge(_night(random.Random(7), change), earlier, None)
    assert drift.alarm
    assert any(part in drift.reasons[0] for part in word.split("|"))
    assert "the last 3 runs" in drift.reasons[0]


@pytest.mark.parametrize("change", [_foreign, _compressed, _turned])
def test_the_first_run_of_a_model_is_compared_with_training(
    change: Callable[[random.Random, Row], Row],
) -> None:
    """Without earlier runs the bundle's reference is the yardstick."""
    drift = judge(_night(random.Random(8), change), {}, _reference())
    assert drift.alarm
    assert "in training" in drift.reasons[0]


def test_what_differs_from_training_every_night_raises_no_alarm() -> None:
    """It is told, and the last runs are the yardstick."""
    chance = random.Random(3)
    earlier = {"one": _night(chance, _compressed)}
    drift = judge(_night(chance, _compressed), earlier, _reference())
    assert not drift.alarm
    assert any("JPEG quality" in sentence for sentence in drift.since_training)


def test_too_few_pictures_are_not_judged(earlier: dict[str, Fingerprint]) -> None:
    """Fewer than 200 pictures say nothing for certain, and nothing is said of an empty run."""
    few = fingerprint_rows(_compressed(random.Random(), make_row()) for _ in range(150))
    drift = judge(few, earlier, _reference())
    assert not drift.alarm
    assert {**drift.compared_with, "pictures": 0, "training_pictures": 0} == drift.compared_with
    empty = judge(Fingerprint(), {}, None)
    assert (False, [], 0, None) == (empty.alarm, empty.reasons, empty.novel, empty.accuracy)


def test_pictures_that_resemble_nothing_are_counted() -> None:
    """By their novelty, else by scores below nearly all of the held-out ones."""
    rows = [make_row(novelty=0.5)] * 300 + [make_row(novelty=1.5)] * 7
    assert 7 == judge(fingerprint_rows(rows), {}, None).novel
    unsure = [make_row(score=0.97)] * 300 + [make_row(score=0.31)] * 5
    assert 5 == judge(fingerprint_rows(unsure), {}, _reference()).novel


def test_nothing_is_said_of_the_accuracy_of_novel_pictures() -> None:
    """All of those beyond the held-out pictures' share may be right, or none."""
    answers = [Answer("red", 0.95, "red" if number % 20 else "green") for number in range(400)]
    held_out = fingerprint_rows([make_row(novelty=0.5)] * 396 + [make_row(novelty=1.2)] * 4)
    reference = reference_of(held_out, held_out.numbers["novelty"], answers)
    usual = [make_row(score=0.95, novelty=0.5)] * 396 + [make_row(score=0.95, novelty=1.2)] * 4
    novel = usual[:200] + [make_row(score=0.95, novelty=1.5)] * 200
    known, other = (estimate_accuracy(fingerprint_rows(rows), reference) for rows in (usual, novel))
    assert known is not None
    assert other is not None
    assert known.estimate == other.estimate
    assert known.low > 0.88
    assert pytest.approx(0.51 * known.low) == other.low
    assert 1.0 == other.high


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_accuracy_is_estimated_for_other_shares_of_the_labels(share: float) -> None:
    """A class that is harder and more frequent than in the held-out pictures counts for more."""
    chance = random.Random(4)

    def answer(truth: str) -> Answer:
        right = chance.random() < (0.98 if truth == "green" else 0.85)
        label = truth if right else {"red": "green", "green": "red"}[truth]
        return Answer(label, 1 - 0.4 * chance.random() ** (3 if right else 1), truth)

    held_out = [answer(chance.choice(("red", "green"))) for _ in range(3000)]
    reference = reference_of(Fingerprint(), (), held_out)
    night = [answer("red" if chance.random() < share else "green") for _ in range(_NIGHT)]
    rows = (make_row(label=each.label, score=each.score) for each in night)
    estimate = estimate_accuracy(fingerprint_rows(rows), reference)
    true = sum(each.label == each.truth for each in night) / len(night)
    assert estimate is not None
    assert math.isclose(true, estimate.estimate, abs_tol=0.03)
    assert estimate.low <= true <= estimate.high
    assert estimate_accuracy(Fingerprint(), reference) is None
    assert (
        estimate_accuracy(fingerprint_rows([make_row()]), reference_of(Fingerprint(), (), []))
        is None
    )


def test_a_reference_is_read_as_it_was_written() -> None:
    """And one that contradicts itself is refused."""
    reference = _reference()
    document = reference.as_json()
    again = Reference.from_json(document)
    assert again is not None
    assert document == again.as_json()
    assert partial(Reference.from_json, {**document, "fingerprint": {"version": 0}})() is None
    for broken in ({}, {**document, "right": {"red": [10**6] * 16}}, {**document, "right": 1}):
        with pytest.raises(ValueError, match=r"reference|scores"):
            Reference.from_json(broken)
