"""A Parquet table: a column of names, or Hugging Face's image column without bytes."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from seefood.sources.manifests.entries import KNOWN, NAMES, ListError, NoColumnError
from seefood.sources.manifests.opening import OpenList

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_ROWS: Final = 8192


def read_parquet(opened: OpenList, column: str | None) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the known columns of each row, with its number from 1.

    Raises `NoColumnError`, or `ListError` for a column that holds pictures instead of names.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 (100 ms)

    with opened.binary() as stream:
        file = pq.ParquetFile(stream)
        schema = file.schema_arrow
        names = {column} if column else set(NAMES)
        if not any(name.lower() in names for name in schema.names):
            raise NoColumnError(schema.names)
        wanted = {*KNOWN, *names}
        columns = [
            _readable(schema.field(name), file, is_name=name.lower() in names)
            for name in schema.names
            if name.lower() in wanted
        ]
        number = 0
        for batch in file.iter_batches(_ROWS, columns=columns):
            for row in batch.to_pylist():
                number += 1
                yield number, row


def _readable(field: "pa.Field[Any]", file: "pq.ParquetFile", *, is_name: bool) -> str:
    """Return the column to read for a field: of a struct only its `path`."""
    import pyarrow as pa  # noqa: PLC0415 (as above)

    kind, name = field.type, str(field.name)
    if not is_name:
        return name
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise ListError(
            f"column {name} is binary: it holds bytes, not names; write the pictures to "
            "files and name those"
        )
    if not pa.types.is_struct(kind):
        return name
    members = [kind.field(number).name for number in range(kind.num_fields)]
    if "path" not in members:
        raise ListError(
            f"column {name} is a struct of {', '.join(members)}, none of which is a path; "
            "write a column of names"
        )
    if "bytes" in members and not _is_all_null(file, f"{name}.bytes"):
        raise ListError(
            f"column {name} is a struct whose bytes hold the pictures themselves; write "
            "them to files and name those"
        )
    return f"{name}.path"


def _is_all_null(file: "pq.ParquetFile", path: str) -> bool:
    """Whether a column has no value at all, by its statistics, or else by its values."""
    metadata = file.metadata
    for group_number in range(metadata.num_row_groups):
        group = metadata.row_group(group_number)
        chunks = [group.column(number) for number in range(group.num_columns)]
        (chunk,) = [each for each in chunks if each.path_in_schema == path]
        statistics = chunk.statistics
        if statistics is not None and statistics.has_null_count:
            if statistics.null_count != group.num_rows:
                return False
            continue
        values = file.read_row_group(group_number, columns=[path]).column(0)
        if values.combine_chunks().field("bytes").null_count != group.num_rows:
            return False
    return True
