"""The one decode on files that others made: hostile ones, and a camera's."""

import time
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import load_bundle
from seefood.engines import load_engine
from seefood.errors import PictureError
from seefood.formats import SUPPORTED_FORMATS
from seefood.image import ResizeRule, decode, open_upright

pytestmark = pytest.mark.photos
RULE = ResizeRule(224, 224)
FULL = ResizeRule(224, 224, scaled_decode=None)


def test_hostile_files_give_a_picture_or_a_picture_error(shared: Path) -> None:
    """None of 905 malformed and dangerous files raises anything else or takes ten seconds."""
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


def _sample(shared: Path) -> list[Path]:
    web = sorted((shared / "hotdog" / "test").rglob("*.jpg"))[::19]
    return [*web, *sorted((shared / "photos").glob("*.jp*g"))]


def test_scaled_decoding_changes_photos_little(shared: Path) -> None:
    """On photos of the web and of cameras a scaled decode stays close to a full one."""
    differences = []
    for file in _sample(shared):
        data = file.read_bytes()
        scaled = decode(data, RULE).pixels.astype(int)
        differences.append(np.abs(scaled - decode(data, FULL).pixels).mean())
    assert len(differences) > 50
    assert np.mean(differences) < 1.5
    assert max(differences) < 4.0


def test_scaled_decoding_changes_no_label(shared: Path, bundle_path: Path) -> None:
    """The model in the box gives the same label either way, and nearly the same score."""
    engine = load_engine(load_bundle(bundle_path), "litert")
    flips, shifts = [], []
    for file in _sample(shared):
        data = file.read_bytes()
        answers = engine.predict(np.stack([decode(data, rule).pixels for rule in (RULE, FULL)]))
        shifts.append(float(np.abs(answers[0] - answers[1]).max()))
        if answers[0].argmax() != answers[1].argmax():
            flips.append((file.name, answers.tolist()))
    assert [] == [flip for flip in flips if abs(flip[1][0][0] - 0.5) > 0.1]
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
