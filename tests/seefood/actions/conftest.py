import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from seefood.records import ImageRef, Row, Status, utc_now
from seefood.results.files import encode_rows, part_location
from seefood.storage import open_store, write
from seefood.storage.uris import parse_location

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
        rows.append(
            Row(
                uri=uri, etag=ref.etag, version_id=None, size_bytes=ref.size_bytes, width=1,
                height=1, format="JPEG", label=label, score=0.9, top=((label, 0.9),),
                status=Status.UNSURE if number % 5 == 4 else Status.OK, error_code=None,
                error_message=None, model="m", model_digest="0123456789abcdef", engine="fake",
                classified_at=utc_now(),
            )
        )  # fmt: skip
    return rows


def write_rows(output: str, rows: list[Row]) -> None:
    refs = [ImageRef(row.uri, row.etag) for row in rows]
    location = part_location(parse_location(output), rows[0].model_digest, refs, "parquet")
    write(location, encode_rows(rows, "parquet"))


@pytest.fixture
def local(tmp_path: Path) -> Sorted:
    """Return pictures with odd names in two folders, one name in both, and their rows."""
    photos = tmp_path / "photos"
    for folder in ("one", "two"):
        (photos / folder).mkdir(parents=True)
        for name in NAMES if folder == "one" else NAMES[:3]:
            data = hashlib.sha256(f"{folder}{name}".encode()).digest()
            (photos / folder / name).write_bytes(data)
    uris = [parse_location(str(p)).uri for p in sorted(photos.rglob("*")) if p.is_file()]
    write_rows(str(tmp_path / "out"), rows_of(uris))
    return Sorted(photos, tmp_path / "out")
