"""The label as a tag on the uploaded object."""

from seefood.records import ImageRef, Row


def tag_object(ref: ImageRef, key: str, row: Row) -> None:
    """Set the tag `key` of the version `ref` to the row's label. Raises `RetryableError`."""
    raise NotImplementedError
