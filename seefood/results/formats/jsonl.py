"""JSON lines: one object a row. The upload handler writes single rows with the suffix `.json`."""

import json
from collections.abc import Iterator, Sequence

from seefood.records import Row
from seefood.results.columns import row_from_json
from seefood.results.formats.base import ResultFormat


def encode_json_row(row: Row) -> bytes:
    """Return `row` as one line of JSON, UTF-8."""
    line = json.dumps(row.as_json(), ensure_ascii=False, separators=(",", ":"))
    return line.encode("utf-8", "backslashreplace") + b"\n"


class JsonLines(ResultFormat):
    """JSON lines."""

    name = "jsonl"
    other_suffixes = ("json",)

    def encode(self, rows: Sequence[Row]) -> bytes:
        """See `ResultFormat.encode`."""
        return b"".join(map(encode_json_row, rows))

    def decode(self, data: bytes) -> Iterator[Row]:
        """See `ResultFormat.decode`."""
        for line in data.splitlines():
            yield row_from_json(json.loads(line))

    def merge(self, parts: Sequence[bytes]) -> bytes:
        """See `ResultFormat.merge`."""
        return b"".join(part if part.endswith(b"\n") else part + b"\n" for part in parts if part)
