"""Numbers and names as the page shows them."""

import pytest

from seefood.errors import ErrorCode
from seefood.report.formatting import (
    ERROR_MEANINGS,
    bytes_text,
    score_text,
    seconds_text,
    share_text,
    short_name,
)


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        ("100%", share_text(5, 5)),
        ("0%", share_text(0, 5)),
        ("99.9%", share_text(99_999, 100_000)),
        ("0.1%", share_text(1, 100_000)),
        ("100%", score_text(0.99996)),
        ("99.9%", score_text(0.9991)),
        ("3.2 s", seconds_text(3.21)),
        ("12 min 5 s", seconds_text(725.2)),
        ("3 h 20 min", seconds_text(12_001)),
        ("512 B", bytes_text(512)),
        ("1.3 MB", bytes_text(1_310_000)),
        ("830 GB", bytes_text(830_000_000_000)),
        ("2,500.0 TB", bytes_text(2_500_000_000_000_000)),
        ("b c.jpg", short_name("file:///a/b%20c.jpg")),
        ("b%20c.jpg", short_name("s3://a/b%20c.jpg")),
    ],
)
def test_numbers_and_names_are_formatted(expected: str, shown: str) -> None:
    """Shares only become 0% or 100% if they are exact; names keep the store's spelling."""
    assert expected == shown


def test_every_code_has_a_meaning() -> None:
    """The report and the page for corrections show it."""
    assert set(ErrorCode) == set(ERROR_MEANINGS)
