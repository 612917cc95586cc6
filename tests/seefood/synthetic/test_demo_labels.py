"""The built-in models label the demo set correctly."""

from pathlib import Path

import pytest

from seefood.bundle import BUILT_IN, built_in_bundle_path, load_bundle
from seefood.classification import ClassifyOptions, Model, classify_images
from seefood.engines.loading import load_engine
from seefood.records import ImageRef

EXPECTED = {"hotdog": "hotdog", "other": "not_hotdog", "broken": None}


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_model_labels_the_demo_set_as_its_folders_say(name: str, demo_set: Path) -> None:
    """Every drawn hot dog is labelled hotdog, everything else not_hotdog, broken files fail."""
    names = sorted(p.relative_to(demo_set).as_posix() for p in demo_set.rglob("*") if p.is_file())
    bundle = load_bundle(built_in_bundle_path(name))
    fetched = [(ImageRef(name), (demo_set / name).read_bytes()) for name in names]

    rows = classify_images(
        fetched, load_engine(bundle, "litert"), Model.of(bundle), ClassifyOptions()
    )

    wrong = {
        row.uri: f"{row.label} {row.score}"
        for row in rows
        if row.label != EXPECTED[row.uri.partition("/")[0]]
    }
    assert {} == wrong
