"""The built-in models label the demo set correctly."""

from pathlib import Path

import pytest

from seefood.bundle import BUILT_IN, built_in_bundle_path, load_bundle
from seefood.classify import ClassifyOptions, Model, classify_images
from seefood.engines.loading import load_engine
from seefood.records import ImageRef
from seefood.synthetic.demo_set import write_demo_pictures

EXPECTED = {"hotdog": "hotdog", "other": "not_hotdog", "broken": None}


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_model_labels_the_demo_set_as_its_folders_say(name: str, tmp_path: Path) -> None:
    """Every drawn hot dog is labelled hotdog, everything else not_hotdog, broken files fail."""
    write_demo_pictures(tmp_path)
    names = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())
    bundle = load_bundle(built_in_bundle_path(name))
    fetched = [(ImageRef(name), (tmp_path / name).read_bytes()) for name in names]

    rows = classify_images(
        fetched, load_engine(bundle, "litert"), Model.of(bundle), ClassifyOptions()
    )

    wrong = {
        row.uri: f"{row.label} {row.score}"
        for row in rows
        if row.label != EXPECTED[row.uri.partition("/")[0]]
    }
    assert {} == wrong
