"""What is proposed for a name that does not exist."""

from pathlib import Path

from seefood.nearest import nearest_path


def test_the_nearest_entry_of_the_folder_is_proposed(tmp_path: Path) -> None:
    """Names are compared, not whole paths, and the proposal is written as the path was."""
    (tmp_path / "photos").mkdir()
    assert f"; did you mean {tmp_path}/photos?" == nearest_path(tmp_path / "photo")
    assert "" == nearest_path(tmp_path / "music")
    assert "" == nearest_path("s3://bucket/photo")
    assert "; did you mean hotdog?" == nearest_path(tmp_path / "hotdgo", ("hotdog", "hotdog-lite"))
    assert "" == nearest_path(tmp_path / "photos"), "it is there"
