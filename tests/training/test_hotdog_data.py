"""The data of the hot dog recipe: photos, and drawings from plain files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seefood.errors import UsageError

pytest.importorskip("tensorflow", reason="the recipe needs TensorFlow")

from seefood_training.hotdog_data import LABELS, load_hotdog_data


def _pictures(folder: Path, labels: tuple[str, ...], count: int, seed: int) -> str:
    """Write `count` pictures of coarse noise for each label."""
    rng = np.random.default_rng(seed)
    for label in labels:
        (folder / label).mkdir(parents=True)
        for number in range(count):
            noise = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
            noise.resize((48, 48), Image.Resampling.NEAREST).save(
                folder / label / f"{'kg' if number < 2 else 'ys'}_{number}.png"
            )
    return str(folder)


def test_drawings_are_a_fixed_share_of_training(tmp_path: Path) -> None:
    """Drawings follow the photos, make 6 % of the samples and are never in validation."""
    photos = _pictures(tmp_path / "photos", LABELS, 8, seed=1)
    drawings = _pictures(tmp_path / "drawings", LABELS, 3, seed=2)
    data = load_hotdog_data(photos, drawings)
    count = len(data.training_photos.photos)

    assert 16 == count + len(data.validation_photos.photos)
    assert count + 6 == len(data.training.pixels)
    weights = data.training.weights
    assert pytest.approx(0.06) == weights[count:].sum() / weights.sum()
    for share in (data.training.targets * weights[:, None]).sum(axis=0):
        assert pytest.approx(weights.sum() / 2) == share


def test_drawings_are_optional(tmp_path: Path) -> None:
    """Without drawings the photos alone are used."""
    data = load_hotdog_data(_pictures(tmp_path, LABELS, 8, seed=1))

    assert len(data.training_photos.photos) == len(data.training.pixels)


def test_other_classes_are_refused(tmp_path: Path) -> None:
    """Folders with other names are a usage error that lists the names that are needed."""
    with pytest.raises(UsageError, match=r"classes cat, dog; .* hotdog and not_hotdog"):
        load_hotdog_data(_pictures(tmp_path, ("cat", "dog"), 2, seed=1))
