"""Pictures with odd names, and outputs that label them, for tests of sorting and tagging."""

from dataclasses import dataclass
from pathlib import Path

from seefood.records import ImageRef, Row, Status
from seefood.results.files import encode_rows, part_location
from seefood.storage import open_store, write
from seefood.storage.uris import parse_location
from tests.fakes import make_row

NAMES = [
    "plain.jpg", "with space.jpg", "ünï 猫.jpg", "quote'\".jpg", "per%20cent.jpg", "#hash?.jpg",
    "-dash.jpg", "new\nline.jpg", "noending", "a&b<c>.jpg", "back\\slash.jpg",
]  # fmt: skip


@dataclass(frozen=True)
class Sorted:
    """Pictures and an output with their rows."""

    photos: Path
    output: Path

    def tree(self) -> dict[str, tuple[bytes, int]]:
        """Return what lies below `photos`: contents and times of modification, and folders."""
        return {
            str(path.relative_to(self.photos)): (
                (b"", 0) if path.is_dir() else (path.read_bytes(), path.stat().st_mtime_ns)
            )
            for path in self.photos.rglob("*")
        }


def rows_of(uris: list[str]) -> list[Row]:
    """Return rows that label the pictures in turns; every fifth is unsure."""
    rows = []
    for number, uri in enumerate(uris):
        ref = open_store(parse_location(uri).root).stat(ImageRef(uri))
        label = ("hot/dog", "other")[number % 2]
        status = Status.UNSURE if number % 5 == 4 else Status.OK
        changes = {"label": label, "score": 0.9, "top": ((label, 0.9),), "status": status}
        rows.append(make_row(uri, etag=ref.etag, size_bytes=ref.size_bytes, **changes))
    return rows


def write_rows(output: str, rows: list[Row]) -> None:
    """Write the rows as one result object of `output`."""
    refs = [ImageRef(row.uri, row.etag) for row in rows]
    location = part_location(parse_location(output), rows[0].model_digest, refs, "parquet")
    write(location, encode_rows(rows, "parquet"))
