import hashlib
from pathlib import Path

import pytest

from seefood.storage.uris import parse_location
from tests.sorting import NAMES, Sorted, rows_of, write_rows


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
