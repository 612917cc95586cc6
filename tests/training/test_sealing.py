"""A finished bundle takes the place of an older one, whatever the names."""

from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow")

from seefood_training.sealing import put_in_place


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Return a bundle's folder whose name ends as that of a replaced bundle does."""
    folder = tmp_path / "model.old"
    folder.mkdir()
    (folder / "which").write_text("first")
    return folder


def test_the_older_bundle_is_replaced(output: Path, tmp_path: Path) -> None:
    """Nothing else is left."""
    draft = tmp_path / "drafts" / output.name
    draft.mkdir(parents=True)
    (draft / "which").write_text("second")
    put_in_place(draft, output)
    assert "second" == (output / "which").read_text()
    assert [] == list(draft.parent.iterdir())


def test_a_link_is_replaced_and_not_what_it_names(output: Path, tmp_path: Path) -> None:
    """Another link may name the same folder."""
    link, draft = tmp_path / "current", tmp_path / "draft"
    link.symlink_to(output)
    draft.mkdir()
    put_in_place(draft, link)
    assert not link.is_symlink()
    assert "first" == (output / "which").read_text()
    assert {"current", "model.old"} == {each.name for each in tmp_path.iterdir()}


def test_the_older_bundle_stays_if_there_is_none_to_put_there(output: Path, tmp_path: Path) -> None:
    """A rename that fails leaves everything as it was."""
    with pytest.raises(FileNotFoundError):
        put_in_place(tmp_path / "absent", output)
    assert "first" == (output / "which").read_text()
    assert [output] == list(tmp_path.iterdir())
