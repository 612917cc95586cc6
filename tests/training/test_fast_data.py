"""`seefood package --fast-data`: wrong photos, and models without a faster variant."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from seefood.bundle import load_bundle
from seefood.errors import UsageError
from tests.training.saved_models import package_by_command, two_logits

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("uncollected_imports")]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model of two logits."""
    return two_logits(tmp_path_factory.mktemp("plain"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder of 140 files of two classes, which nothing here decodes."""
    for number in range(140):
        label = tmp_path / "photos" / ("hotdog" if number % 2 else "not_hotdog")
        label.mkdir(parents=True, exist_ok=True)
        (label / f"{number}.jpg").write_bytes(bytes([number]))
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shutil.rmtree, "there is no folder"),
        (lambda folder: [file.unlink() for file in folder.rglob("*.jpg")], "has no file"),
        (lambda folder: [file.unlink() for file in folder.rglob("1*.jpg")], "photos are too few"),
        (lambda folder: (folder / "hotdog").rename(folder / "nan"), "has the class 'nan', which"),
    ],
    ids=["absent", "empty", "few", "labels"],
)
def test_wrong_fast_data_is_refused_before_the_model_is_packaged(
    source: Path, tmp_path: Path, photos: Path, change: Callable[[Path], object], message: str
) -> None:
    """Packaging takes minutes, and the folder that it would leave is not what was asked for."""
    change(photos)
    result = package_by_command(
        source, tmp_path, "--input-range", "0..1", "--fast-data", str(photos)
    )
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)
    assert not (tmp_path / "b").exists()


def test_a_model_without_a_faster_variant_is_packaged_and_said_to_be(
    source: Path, tmp_path: Path, photos: Path
) -> None:
    """The bundle is complete, so the message names it and stderr describes it."""
    options = ("--input-range", "0..1", "--multi-label", "--filter", "bilinear")
    result = package_by_command(source, tmp_path, *options, "--fast-data", str(photos))
    assert isinstance(result.exception, UsageError)
    assert "can have no faster variant" in str(result.exception)
    assert str(result.exception).endswith(
        f"{tmp_path / 'b'} is the bundle without a faster variant"
    )
    assert "b: 2 labels, multi-label, input 32x32" in result.stderr
    assert ("hotdog", "not_hotdog") == load_bundle(tmp_path / "b").labels
