"""The folder beside a bundle: one run at a time has it, and it holds what runs write alone."""

from pathlib import Path

import pytest

from seefood.errors import UsageError
from seefood_training.training_folder import check_folder, training_folder


def test_one_run_at_a_time(tmp_path: Path) -> None:
    """A second run with the same output is refused until the first has ended."""
    output = tmp_path / "bundle"
    with (
        training_folder(output),
        pytest.raises(UsageError, match=r"another run is writing .*bundle"),
        training_folder(output),
    ):
        pass
    with training_folder(output) as folder:
        (folder / "checkpoint-0.npz").touch()

    assert ["checkpoint-0.npz"] == [path.name for path in folder.iterdir()]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """A run that fails before it wrote anything leaves no folder."""
    with pytest.raises(ValueError, match="no photo"), training_folder(tmp_path / "bundle"):
        raise ValueError("no photo")

    assert [] == list(tmp_path.iterdir())


def test_restart_removes_what_a_run_left(tmp_path: Path) -> None:
    """And nothing else, whatever else is in the folder."""
    folder = tmp_path / "bundle-training"
    (folder / "draft" / "bundle").mkdir(parents=True)
    for name in ("checkpoint-0.npz", "checkpoint-1.npz.partial", "curves.png", "own.jpg"):
        (folder / name).touch()
    with training_folder(tmp_path / "bundle", restart=True):
        pass

    assert ["own.jpg"] == [path.name for path in folder.iterdir()]


def test_a_folder_of_photos_is_not_used(tmp_path: Path) -> None:
    """Photos in a folder that has the name of a run's are never mixed with its files."""
    (tmp_path / "flowers-training" / "rose").mkdir(parents=True)

    with pytest.raises(UsageError, match=r"flowers-training, which has 'rose'; choose another"):
        check_folder(tmp_path / "flowers")


@pytest.mark.parametrize("name", ["lock", "curves.png", "checkpoint-1.npz", ".DS_Store"])
def test_a_folder_of_a_run_is_used_again(tmp_path: Path, name: str) -> None:
    """What a run or a system left there does not matter."""
    (tmp_path / "bundle-training").mkdir()
    (tmp_path / "bundle-training" / name).touch()

    check_folder(tmp_path / "bundle")
