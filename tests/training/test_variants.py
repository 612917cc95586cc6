import json
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import BUILT_IN, Bundle, built_in_bundle_path, load_bundle, load_variants
from seefood.bundle.spec import Rejection
from seefood.engines.fast import fast_variant
from seefood.errors import UsageError
from seefood.imaging.decode import ResizeRule
from seefood.synthetic import KINDS, draw_picture
from seefood_training.cascade import make_cascade
from seefood_training.data import Photo, decode_photos
from seefood_training.evaluate import labelled_photos
from seefood_training.predictions import without_copies
from seefood_training.reference import Known, add_reference
from seefood_training.training_photos import TrainingPhotos
from seefood_training.variants import check_can_have_variants, measure_loss, split_fast_data
from tests.bundles import add_fake_variant, fake_bundle
from tests.fakes import put_all
from tests.pictures import jpeg

LARGE, SMALL = (load_bundle(built_in_bundle_path(name)) for name in BUILT_IN)


def _answers(*right: bool) -> np.ndarray:
    return np.asarray([[1.0, 0.0] if each else [0.0, 1.0] for each in right])


def test_loss_counts_what_only_one_of_the_two_gets_right() -> None:
    """Of 1,000 pictures of class 0 the variant loses 9 and wins 4: half a point, 13 labels."""
    whole = _answers(*[True] * 900, *[False] * 100)
    fast = _answers(*[False] * 9, *[True] * 891, *[True] * 4, *[False] * 96)
    loss = measure_loss(whole, fast, np.zeros(1000, np.int64), "drawings")
    assert (0.5, 0.895, 0.013, 1000, "drawings") == (
        loss.points, loss.accuracy, loss.labels_differ, loss.pictures, loss.data,
    )  # fmt: skip
    low, high = loss.interval_95
    assert low < 0
    assert 0.5 < high < 1.5


def test_the_interval_of_a_loss_holds_when_nothing_differs() -> None:
    """Equal answers on 100 pictures do not prove that there is no loss."""
    same = _answers(*[True] * 100)
    loss = measure_loss(same, same, np.zeros(100, np.int64), "drawings")
    assert 0.0 == loss.points
    assert loss.interval_95[0] < -1.0 < 1.0 < loss.interval_95[1]


def test_too_few_photos_are_refused(tmp_path: Path) -> None:
    """The message says how many are needed; ranges and losses never use the same photo."""
    for number in range(136):
        label = tmp_path / ("hotdog" if number % 2 else "not_hotdog")
        label.mkdir(exist_ok=True)
        (label / f"{number}.jpg").write_bytes(bytes([number]))
    photos = labelled_photos(str(tmp_path), LARGE.labels)
    with pytest.raises(UsageError, match=r"132 photos are too few .* at least 134"):
        split_fast_data(photos[:132], "few")
    data = split_fast_data(photos, "enough")
    assert (102, 34) == (len(data.measured), len(data.calibration))
    assert not set(data.measured) & set(data.calibration)


@pytest.fixture(scope="module")
def with_cascade(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Return `hotdog` with a cascade as its variant, chosen on 100 drawings."""
    folder = tmp_path_factory.mktemp("cascade")
    for number in range(100):
        kind = KINDS[number % len(KINDS)]
        label = folder / ("hotdog" if kind.startswith("hotdog") else "not_hotdog")
        label.mkdir(exist_ok=True)
        draw_picture(kind, number, (96, 96)).save(label / f"{number}.jpg")
    photos = labelled_photos(str(folder), LARGE.labels)
    made = make_cascade(
        SMALL, LARGE, photos, folder / "out",
        name="out", points_lost=50.0, as_variant=True, data_name="drawings",
    )  # fmt: skip
    return made.bundle


def test_a_bundle_rejects_the_unknown_or_has_variants(tmp_path: Path) -> None:
    """A variant has no features, so it would label what its bundle leaves to a person."""
    rejecting = fake_bundle(tmp_path / "a", rejection=Rejection(1.5, "0" * 64))
    with pytest.raises(UsageError, match="can have no faster variant: it rejects pictures"):
        check_can_have_variants(rejecting)
    varied = add_fake_variant(fake_bundle(tmp_path / "b"), "v", 0.1, 0.5)
    with pytest.raises(UsageError, match="its faster variants would not"):
        add_reference(varied, Known(varied.labels, ()), 0.01)


def test_a_cascade_is_a_variant_of_its_large_bundle(with_cascade: Bundle) -> None:
    """The bundle keeps its digest; `--fast` runs the cascade, whose rows have another one."""
    assert LARGE.digest == with_cascade.digest
    names = {each.variant.name for each in load_variants(with_cascade) if each.variant}
    assert "cascade" in names
    cascade, stated = next(
        (each, each.variant)
        for each in load_variants(with_cascade)
        if each.variant and each.variant.name == "cascade"
    )
    assert cascade.is_cascade
    assert ("hotdog-cascade", LARGE.digest, "drawings") == (
        cascade.name, stated.of, stated.loss.data,
    )  # fmt: skip
    assert LARGE.digest != cascade.digest


def test_the_default_bundle_has_an_integer_variant_at_no_relevant_loss() -> None:
    """`--fast` finds `int8` in the built-in bundle, measured on the 761 test photos."""
    variant, stated = fast_variant(LARGE)
    assert ("int8", "litert", 761) == (stated.name, stated.engine, stated.loss.pictures)
    assert stated.loss.points <= 0.5
    document = json.loads((variant.path / "assets.extra/bundle.json").read_text())
    assert LARGE.digest == document["certificate"]["variant"]["of"]


def test_photos_that_a_bundle_was_made_from_measure_no_loss(memory: str) -> None:
    """Copies of them are left out, if the bundle knows them."""
    refs = put_all(memory, {f"{at}.jpg": jpeg((80 * at, 0, 0)) for at in range(3)})
    photos, rule = [Photo(ref, 0) for ref in refs], ResizeRule(8, 8)
    prints = decode_photos(photos[:1], rule, fingerprints=True).fingerprints
    known = TrainingPhotos.of(prints, knows_near=False)
    assert tuple(photos[1:]) == without_copies(photos, known, rule)
    assert tuple(photos) == without_copies(photos, None, rule)
