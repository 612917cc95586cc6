"""Rows of removed pictures that cannot be removed fail their own message only."""

import pytest

from seefood.errors import RetryableError
from seefood.records import ImageRef
from seefood.results.files import upload_location
from seefood.storage import write
from seefood.storage.uris import parse_location
from seefood_lambda.events import Removal
from seefood_lambda.removals import remove_rows
from tests.fakes import DIGEST


@pytest.mark.parametrize(
    "row",
    [b"", b"\xff", b"[]", b"null", b"{}", b'"text"', b'{"uri": "memory://b/a.jpg", "etag": 7}'],
    ids=repr,
)
def test_a_damaged_row_is_an_error_of_its_message(memory: str, row: bytes) -> None:
    """The other messages of the batch go on, and the sentence names the object to delete."""
    picture = f"{memory}/a.jpg"
    results = parse_location(f"{memory}/labels")
    location = upload_location(results, DIGEST, ImageRef(picture, "e"))
    write(location, row)
    with pytest.raises(RetryableError, match=rf"{location.uri} is damaged; delete it"):
        remove_rows(Removal(picture, None), results, DIGEST, has_marks=True)
