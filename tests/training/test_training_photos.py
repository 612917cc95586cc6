"""The fingerprints in a bundle: which photos they recognise, and that old bundles have none."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seefood_training.fingerprints import Fingerprint, fingerprint
from seefood_training.training_photos import FILE, TrainingPhotos, read_training_photos, seen_by


def _photo(seed: int, turns: int = 0, side: int = 64, kind: str = "PNG") -> Fingerprint:
    """Return the fingerprint of coarse noise, different for each seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    image = Image.fromarray(np.rot90(coarse, turns)).resize((side, side), Image.Resampling.NEAREST)
    stream = BytesIO()
    image.save(stream, kind)
    return fingerprint(stream.getvalue())


KNOWN = [_photo(seed) for seed in range(20)]


@pytest.mark.parametrize(
    ("photo", "expected"),
    [
        pytest.param(_photo(3), "equal", id="the same file"),
        pytest.param(_photo(3, side=96), "near", id="another size"),
        pytest.param(_photo(3, turns=1, kind="BMP"), "near", id="rotated, another format"),
        pytest.param(_photo(77), None, id="another photo"),
    ],
)
def test_copies_are_recognised(photo: Fingerprint, expected: str | None, tmp_path: Path) -> None:
    """A file of the training set is equal, a changed one is near, another one is neither."""
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / FILE).write_bytes(TrainingPhotos.of(KNOWN).encode())
    known = read_training_photos(tmp_path)

    assert known is not None
    assert [expected, None] == known.find([photo, _photo(99)])


def test_a_bundle_says_what_it_has_seen(tmp_path: Path) -> None:
    """One sentence counts the copies among photos; there is none without copies."""
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / FILE).write_bytes(TrainingPhotos.of(KNOWN).encode())
    (sentence,) = seen_by(tmp_path, [_photo(3), _photo(4, side=96), _photo(99)])

    assert sentence.startswith("2 of 3 photos are copies of photos that the model was made from")
    assert () == seen_by(tmp_path, [_photo(99)])
    assert () == seen_by(tmp_path / "unknown", [_photo(3)])


def test_order_does_not_matter() -> None:
    """The file has 16 bytes a photo, each once, in an order that depends on the photos alone."""
    content = TrainingPhotos.of(KNOWN).encode()

    assert 16 + 16 * len(KNOWN) == len(content)
    assert content == TrainingPhotos.of([*reversed(KNOWN), KNOWN[0]]).encode()


def test_without_near_copies() -> None:
    """If hashes do not tell the photos apart, only equal files are recognised."""
    known = TrainingPhotos.of(KNOWN, knows_near=False)

    assert ["equal", None] == known.find([_photo(3), _photo(3, side=96)])


@pytest.mark.parametrize("content", [None, b"", b"another version of it", b"seefood photos 2 odd"])
def test_a_bundle_without_them(content: bytes | None, tmp_path: Path) -> None:
    """An absent file, or one of another version, means that the photos are unknown."""
    (tmp_path / "assets.extra").mkdir()
    if content is not None:
        (tmp_path / "assets.extra" / FILE).write_bytes(content)

    assert read_training_photos(tmp_path) is None
