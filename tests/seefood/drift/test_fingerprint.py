"""Rules of the fingerprint: it adds up, and depends on nothing but the rows."""

import json
import random
from dataclasses import replace

import pytest

from seefood.drift.fingerprint import Fingerprint, fingerprint_rows
from seefood.records import Row
from seefood.results.formats import format_names, result_format
from seefood.results.totals import Totals, count_rows
from tests.fakes import failed, make_row


def _rows(count: int, seed: int = 1) -> list[Row]:
    chance = random.Random(seed)
    rows = [
        make_row(
            f"s3://b/{number}.jpg",
            label=chance.choice(("red", "green")),
            score=chance.random(),
            width=chance.randrange(1, 4000),
            format=chance.choice(("JPEG", "PNG")),
            brightness=chance.random(),
            contrast=chance.random() / 2,
            sharpness=chance.random() / 10,
            uprightness=chance.gauss(1.2, 1.5),
            jpeg_quality=chance.choice((None, 20, 75, 100)),
            novelty=chance.random() * 2,
        )
        for number in range(count)
    ]
    return [*rows, failed("s3://b/broken.jpg", "corrupt", "it is broken")]


def test_fingerprints_of_parts_add_up_in_any_order() -> None:
    """The sum over parts is the whole's, byte for byte in JSON."""
    rows = _rows(300)
    whole = fingerprint_rows(rows)
    parts = [fingerprint_rows(rows[start::7]) for start in range(7)]
    random.Random(2).shuffle(parts)
    assert json.dumps(whole.as_json()) == json.dumps(sum(parts, Fingerprint()).as_json())
    assert 301 == whole.rows == whole.total("failure")
    assert 300 == whole.total("brightness")


@pytest.mark.parametrize("name", format_names())
def test_written_rows_have_the_fingerprint_of_the_rows_in_memory(name: str) -> None:
    """A resumed run counts earlier rows from its result objects: nothing shifts by a bin."""
    file_format = result_format(name)
    stored = list(file_format.decode(file_format.encode(_rows(200))))
    again = list(file_format.decode(file_format.encode(stored)))
    assert fingerprint_rows(stored) == fingerprint_rows(again)
    assert 200 == fingerprint_rows(stored).total("uprightness")


def test_totals_carry_it_through_json() -> None:
    """Beam's workers send totals to the launcher as JSON."""
    totals = count_rows(_rows(50)) + count_rows(_rows(20, seed=3))
    received = Totals.from_json(json.loads(json.dumps(totals.as_json())))
    assert totals.fingerprint.as_json() == received.fingerprint.as_json()
    assert 72 == received.fingerprint.rows


def test_one_of_another_version_is_not_used_and_a_broken_one_is_refused() -> None:
    """Bins of another version mean something else."""
    document = fingerprint_rows(_rows(5)).as_json()
    assert Fingerprint.from_json({**document, "version": 0}) is None
    broken_ones: tuple[object, ...] = (
        [],
        {**document, "rows": -1},
        {**document, "numbers": {"brightness": [1, 2]}},
        {**document, "numbers": {"no such measure": [1]}},
        {**document, "names": {"label": {"red": "many"}}},
    )
    for broken in broken_ones:
        with pytest.raises(ValueError, match=r"fingerprint|count|bins"):
            Fingerprint.from_json(broken)


def test_a_row_without_measures_is_counted() -> None:
    """Rows of the first release have no measures."""
    bare = replace(make_row(), width=None, height=None, format=None)
    assert 1 == fingerprint_rows([bare]).rows
    assert 0 == fingerprint_rows([bare]).total("brightness")
