"""Arrow columns as NumPy arrays."""

import pyarrow as pa
import pytest

from seefood.results.arrow_numbers import booleans, numbers


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1, None, 3], pa.int32()), [1, -1, 3]),
        (pa.array([0.5, 2.0], pa.float32()), [0.5, 2.0]),
        (pa.array([5, None], pa.timestamp("ms", "UTC")), [5, -1]),
        (pa.array([None, None], pa.int64()), [-1, -1]),
        (pa.array([], pa.int64()), []),
        (pa.nulls(2, pa.float32()), [-1, -1]),
    ],
    ids=str,
)
def test_numbers_are_those_of_the_column(column: pa.Array, expected: list[float]) -> None:
    """Nulls are what was said; a slice begins where it begins."""
    assert expected == numbers(column, -1).tolist()
    assert expected[1:] == numbers(column[1:], -1).tolist()


def test_nulls_are_not_true() -> None:
    """In a whole column and in a slice of more than a byte."""
    column = pa.array([True, None, False] * 5)
    expected = [True, False, False] * 5
    assert expected == booleans(column).tolist()
    assert expected[9:] == booleans(column[9:]).tolist()
    assert [False] == booleans(pa.nulls(1, pa.bool_())).tolist()
