"""A run in which no picture could be read is not a success."""

import pytest

from seefood.runs.nothing_read import nothing_read
from seefood.storage.uris import parse_location


@pytest.mark.parametrize(
    ("codes", "rows", "words"),
    [
        ({"forbidden": 3}, 3, "s3:GetObject"),
        ({"not_found": 2, "forbidden": 1}, 3, "none of them exists"),
        ({"store_error": 3}, 3, "seefood doctor"),
        ({"store_error": 2}, 3, None),
        ({"corrupt": 3}, 3, None),
        ({"store_error": 2, "corrupt": 1}, 3, None),
        ({}, 0, None),
    ],
    ids=str,
)
def test_the_likely_cause_is_named(
    memory: str, codes: dict[str, int], rows: int, words: str | None
) -> None:
    """Only if each picture failed for a reason that is not its own."""
    summary = {"by_error_code": codes, "rows": rows, "model": {"digest": "0" * 64}}
    cause = nothing_read(summary, parse_location(f"{memory}/out"))
    assert (words is None) == (cause is None)
    assert words is None or words in str(cause)
