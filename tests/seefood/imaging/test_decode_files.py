"""Decoding of real files: hostile ones, and those of cameras."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import load_bundle
from seefood.engines.loading import load_engine
from seefood.errors import PictureError
from seefood.imaging.decode import Pixels, ResizeRule, decode, open_upright
from seefood.imaging.formats import SUPPORTED_FORMATS

pytestmark = [pytest.mark.photos, pytest.mark.filterwarnings("ignore::UserWarning")]
RULE = ResizeRule(224, 224)


def test_hostile_files_give_a_picture_or_a_picture_error(shared: Path) -> None:
    """None of 905 malformed and dangerous files raises another exception or takes ten seconds."""
    files = sorted((shared / "hostile").iterdir())
    slowest, decoded = 0.0, 0
    for file in files:
        begun = time.perf_counter()
        try:
            image = decode(file.read_bytes(), RULE)
        except PictureError:
            image = None
        slowest = max(slowest, time.perf_counter() - begun)
        if image is not None:
            decoded += 1
            assert (224, 224, 3) == image.pixels.shape, file.name
            assert image.format in SUPPORTED_FORMATS
    assert len(files) == 905
    assert decoded > 500
    assert slowest < 10.0


@pytest.fixture(scope="module")
def pairs(shared: Path, bundle_path: Path) -> dict[str, tuple[Pixels, Pixels]]:
    """Photos of the web and of cameras decode by the bundle's rule and at full size."""
    rule = load_bundle(bundle_path).spec.rule
    assert rule.scaled_decode is not None
    full = replace(rule, scaled_decode=None)
    web = sorted((shared / "hotdog" / "test").rglob("*.jpg"))[::24]
    decoded = {}
    for file in [*web, *sorted((shared / "photos").glob("*.jp*g"))]:
        data = file.read_bytes()
        decoded[file.name] = (decode(data, rule).pixels, decode(data, full).pixels)
    return decoded


def test_scaled_decoding_changes_photos_little(pairs: dict[str, tuple[Pixels, Pixels]]) -> None:
    """On photos a scaled decode is close to a full one."""
    differences = [
        float(np.abs(scaled.astype(int) - full).mean()) for scaled, full in pairs.values()
    ]
    assert len(differences) > 50
    assert np.mean(differences) < 1.5
    assert max(differences) < 4.0


def test_scaled_decoding_changes_no_label(
    pairs: dict[str, tuple[Pixels, Pixels]], bundle_path: Path
) -> None:
    """The built-in model gives the same label either way, and nearly the same score."""
    engine = load_engine(load_bundle(bundle_path), "litert")
    flips, shifts = [], []
    for name, pair in pairs.items():
        scaled, full = engine.predict(np.stack(pair))
        shifts.append(float(np.abs(scaled - full).max()))
        if scaled.argmax() != full.argmax() and abs(float(scaled[0]) - 0.5) > 0.1:
            flips.append((name, scaled.tolist(), full.tolist()))
    assert [] == flips
    assert float(np.mean(shifts)) < 0.02


def test_eight_orientations_of_a_scene_look_alike(shared: Path) -> None:
    """The same scene stored eight ways gives nearly the same pixels."""
    for shape in ("Landscape", "Portrait"):
        files = sorted((shared / "photos").glob(f"eor_*{shape}*"))
        if not files:
            continue
        scenes = [decode(file.read_bytes(), RULE).pixels.astype(int) for file in files]
        for file, scene in zip(files, scenes, strict=True):
            assert np.abs(scene - scenes[0]).mean() < 8.0, file.name
        sizes = {open_upright(file.read_bytes(), 300).size for file in files}
        assert 1 == len(sizes)
