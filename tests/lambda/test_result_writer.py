from itertools import permutations

import pytest

from seefood.errors import RetryableError
from seefood.results.files import read_rows
from seefood.storage.uris import Location, parse_location
from seefood_lambda.result_writer import WriteResult, put_row
from tests.fakes import failed, make_row

URI = "s3://photos/a.jpg"
LABELLED = make_row(URI)
TRUNCATED = failed(URI, "truncated", "it ends early")
GONE = failed(URI, "not_found", "the object is gone")
REPLACED = failed(URI, "changed", "the object was replaced")


def results_in(root: str) -> Location:
    return parse_location(f"{root}/labels")


def test_a_duplicate_changes_nothing(memory: str) -> None:
    """The first row stays as it is."""
    duplicate = make_row(URI, label="green")

    assert [WriteResult.CREATED, WriteResult.KEPT] == [
        put_row(row, results_in(memory)) for row in (LABELLED, duplicate)
    ]
    assert [LABELLED] == list(read_rows(results_in(memory)))


def test_a_row_of_a_read_picture_replaces_a_transient_failure(memory: str) -> None:
    """The same content may be uploaded again after it was gone: then it gets its label."""
    assert [WriteResult.CREATED, WriteResult.REPLACED] == [
        put_row(row, results_in(memory)) for row in (GONE, LABELLED)
    ]
    assert [LABELLED] == list(read_rows(results_in(memory)))


@pytest.mark.parametrize("last", [LABELLED, TRUNCATED], ids=["labelled", "truncated"])
def test_the_final_row_is_the_same_in_every_order(memory: str, last: object) -> None:
    """In any order of deliveries the row of the read picture stays."""
    for number, order in enumerate(permutations([last, GONE, REPLACED])):
        results = results_in(f"{memory}{number}")
        for row in order:
            put_row(row, results)  # type: ignore[arg-type]

        assert [last] == list(read_rows(results))


def test_another_content_or_model_has_its_own_row(memory: str) -> None:
    """The key depends on the URI, the content and the model."""
    rows = [LABELLED, make_row(URI, etag="e2"), make_row(URI, model_digest="f" * 64)]

    assert [WriteResult.CREATED] * 3 == [put_row(row, results_in(memory)) for row in rows]
    assert 3 == len(list(read_rows(results_in(memory))))


def test_a_failing_store_is_a_retryable_error(tmp_path: object) -> None:
    """The message is kept until the row can be written."""
    (tmp_path / "labels").write_text("a file where a folder should be")  # type: ignore[operator]

    with pytest.raises(RetryableError, match="cannot write"):
        put_row(LABELLED, parse_location(f"{tmp_path}/labels"))
