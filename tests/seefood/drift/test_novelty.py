"""Rules of the novelty: the same kind is familiar, another kind is not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import MANIFEST, load_bundle, set_knowledge
from seefood.classification import ClassifyOptions, Model, classify_images
from seefood.drift.fingerprint import Fingerprint
from seefood.drift.novelty import Floats, NoveltySpace, fit_space
from seefood.drift.reference import Reference
from seefood.engines.fake import FakeEngine
from seefood.errors import BundleError
from seefood.imaging.decode import ResizeRule
from seefood.records import ImageRef, Status
from tests.bundles import fake_bundle
from tests.pictures import jpeg


def _vectors(kind: int, count: int) -> Floats:
    """Return vectors near one plane for each kind."""
    directions = np.random.default_rng(kind).normal(size=(4, 60))
    chance = np.random.default_rng(kind + 10)
    near = chance.normal(size=(count, 4)) @ directions
    return np.asarray(near + chance.normal(scale=0.1, size=(count, 60)), np.float32)


@pytest.mark.parametrize("held_out", [None, _vectors(1, 300)[200:]])
def test_one_in_a_hundred_of_the_same_kind_is_novel_and_all_of_another(
    held_out: Floats | None,
) -> None:
    """Also without held-out pictures: each fifth is measured with the space of the others."""
    found = fit_space(_vectors(1, 200), held_out)
    assert found is not None
    space, unseen = found
    assert (100 if held_out is not None else 200) == len(unseen)
    assert 0.99 == pytest.approx((unseen <= 1).mean(), abs=0.01)
    assert (space.novelty(_vectors(1, 2000)) > 1).mean() < 0.06
    assert (space.novelty(_vectors(2, 100)) > 2).all()


def test_it_is_stored_as_it_is_used() -> None:
    """16 bits a number, and nothing is rounded twice."""
    found = fit_space(_vectors(1, 200))
    assert found is not None
    space, _ = found
    again = NoveltySpace.from_json(space.as_json())
    vectors = _vectors(3, 5)
    assert np.allclose(space.novelty(vectors), again.novelty(vectors), atol=1e-3)
    with pytest.raises((ValueError, TypeError, LookupError)):
        NoveltySpace.from_json({**space.as_json(), "components": 7})
    assert fit_space(_vectors(1, 9)) is None


def test_a_bundle_that_rejects_the_unknown_has_another_digest(tmp_path: Path) -> None:
    """What decides a row is in the digest; what only describes the training pictures is not."""
    bundle = fake_bundle(tmp_path)
    space = NoveltySpace(np.zeros(3, np.float32), np.eye(1, 3, dtype=np.float32), 10.0)
    told = set_knowledge(bundle, Reference(Fingerprint()), space)
    assert bundle.digest == told.digest == load_bundle(bundle.path).digest
    assert told.reference is not None
    rejecting = set_knowledge(bundle, told.reference, space, 1.5)
    assert bundle.digest != rejecting.digest == load_bundle(bundle.path).digest
    loaded = load_bundle(bundle.path)
    assert loaded.spec.rejection == rejecting.spec.rejection
    manifest = bundle.path / MANIFEST
    text = manifest.read_text()
    manifest.write_text(text.replace('"unit": 10.0', '"unit": 11.0'))
    with pytest.raises(BundleError, match="the novelty by which it rejects"):
        load_bundle(bundle.path)


def test_a_picture_that_resembles_nothing_is_unsure() -> None:
    """Its label and score stay; the row states the novelty."""
    known = NoveltySpace(
        np.array([200, 30, 30], np.float32), np.zeros((1, 3), np.float32), 10.0
    )  # the fake engine's features are the mean colors
    model = Model("m", "d" * 64, ("red", "green"), (0.0, 0.0), ResizeRule(8, 8), novelty=known)
    engine = FakeEngine(2)
    fetched = [
        (ImageRef("s3://b/r.jpg"), jpeg((200, 30, 30))),
        (ImageRef("s3://b/g.jpg"), jpeg((20, 220, 40))),
    ]
    rows = classify_images(fetched, engine, model)
    assert [Status.OK, Status.OK] == [row.status for row in rows]
    assert rows[0].novelty is not None
    assert rows[0].novelty < 1 < (rows[1].novelty or 0)
    assert rows[0].vector is None
    strict = replace(model, reject_above=1.0)
    again = classify_images(fetched, engine, strict, ClassifyOptions(features=True))
    assert [Status.OK, Status.UNSURE] == [row.status for row in again]
    assert [row.label for row in rows] == [row.label for row in again]
    assert again[1].vector is not None
