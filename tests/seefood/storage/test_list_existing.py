"""What seefood has written below an output is listed, or it is said why that cannot be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seefood.actions.journal import read_journals
from seefood.audit.store import read_audits
from seefood.corrections.log import list_corrections
from seefood.errors import UsageError
from seefood.features.files import list_feature_parts
from seefood.results.files import list_parts
from seefood.storage import list_existing
from seefood.storage.uris import Location, parse_location

READERS = [
    ("results", list_parts),
    ("features", list_feature_parts),
    ("corrections", list_corrections),
    ("audits", read_audits),
    ("journal", read_journals),
]


@pytest.mark.parametrize(("folder", "read"), READERS, ids=[name for name, _ in READERS])
def test_before_the_first_write_there_is_nothing(
    tmp_path: Path, folder: str, read: Callable[[Location], list[Any]]
) -> None:
    """An absent folder, and a file in the place of the output, hold no objects."""
    assert [] == read(parse_location(tmp_path / "absent"))
    (tmp_path / "file").touch()
    assert [] == list(list_existing(parse_location(tmp_path / "file").child(f"{folder}/")))


@pytest.mark.parametrize(("folder", "read"), READERS, ids=[name for name, _ in READERS])
def test_a_folder_that_cannot_be_listed_is_an_error(
    tmp_path: Path, folder: str, read: Callable[[Location], list[Any]]
) -> None:
    """It is not taken for an empty one: pictures would be classified, or answered, again."""
    (tmp_path / folder).symlink_to(tmp_path / folder)
    with pytest.raises(UsageError, match=r"cannot list .* levels of symbolic links"):
        read(parse_location(tmp_path))
