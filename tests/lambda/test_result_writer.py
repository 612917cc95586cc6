from itertools import permutations

import pytest

from seefood.errors import RetryableError
from seefood.results.files import read_rows
from seefood.storage.uris import Location, parse_location
from seefood_lambda.result_writer import Written, put_row
from tests.fakes import failed, make_row

URI = "s3://photos/a.jpg"
LABELLED = make_row(URI)
TRUNCATED = failed(URI, "truncated", "it ends early")
GONE = failed(URI, "not_found", "the object is gone")
REPLACED = failed(URI, "changed", "the object was replaced")


def place(root: str) -> Location:
    return parse_location(f"{root}/labels")


def test_a_duplicate_changes_nothing(memory: str) -> None:
    """The first row stays, to the millisecond."""
    again = make_row(URI, label="green")

    assert [Written.CREATED, Written.KEPT] == [
        put_row(row, place(memory)) for row in (LABELLED, again)
    ]
    assert [LABELLED] == list(read_rows(place(memory)))


def test_a_row_that_read_the_picture_replaces_one_that_did_not(memory: str) -> None:
    """The same content may be put back after it was gone: then it gets its label."""
    assert [Written.CREATED, Written.REPLACED] == [
        put_row(row, place(memory)) for row in (GONE, LABELLED)
    ]
    assert [LABELLED] == list(read_rows(place(memory)))


@pytest.mark.parametrize("last", [LABELLED, TRUNCATED], ids=["labelled", "truncated"])
def test_the_end_is_the_same_in_every_order(memory: str, last: object) -> None:
    """However deliveries overtake one another, what is known best stays."""
    for number, order in enumerate(permutations([last, GONE, REPLACED])):
        results = place(f"{memory}{number}")
        for row in order:
            put_row(row, results)  # type: ignore[arg-type]

        assert [last] == list(read_rows(results))


def test_another_content_or_model_has_its_own_row(memory: str) -> None:
    """The key names the place, the content and the model."""
    rows = [LABELLED, make_row(URI, etag="e2"), make_row(URI, model_digest="f" * 64)]

    assert [Written.CREATED] * 3 == [put_row(row, place(memory)) for row in rows]
    assert 3 == len(list(read_rows(place(memory))))


def test_a_store_that_fails_asks_for_another_try(tmp_path: object) -> None:
    """A row that cannot be written is no reason to lose the message."""
    (tmp_path / "labels").write_text("a file where a folder should be")  # type: ignore[operator]

    with pytest.raises(RetryableError, match="cannot write"):
        put_row(LABELLED, parse_location(f"{tmp_path}/labels"))
