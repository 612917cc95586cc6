"""The features of a bundle are found, certified and added without another digest."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from seefood.bundle import LITERT_MODEL, MANIFEST, Bundle, load_bundle, write_bundle
from seefood.engines.certificate import certify
from seefood.engines.loading import create_engine
from seefood_training.features.adding import add_features
from seefood_training.features.last_product import Operation, find_last_product


def _old_bundle(source: Path, folder: Path) -> Bundle:
    """Return a copy with LiteRT's graph alone, as a release wrote it that had no features."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("saved_model.pb"))
    return write_bundle(folder, load_bundle(source).spec)


def test_features_are_added_and_the_digest_stays(bundle_path: Path, tmp_path: Path) -> None:
    """Nothing but `bundle.json` changes, and the features are those of the built-in bundle."""
    old = _old_bundle(bundle_path, tmp_path / "b")
    graph = old.file(LITERT_MODEL).read_bytes()
    assert old.features is None
    added = add_features(old)
    assert old.digest == added.digest == load_bundle(old.path).digest
    assert graph == old.file(LITERT_MODEL).read_bytes()
    built_in = load_bundle(bundle_path).features
    assert built_in is not None
    assert added.features is not None
    assert {"litert": built_in.tensors["litert"]} == added.features.tensors
    assert built_in.goldens == added.features.goldens
    certify(create_engine(added, "litert", features=True), added, features=True)


def test_a_stated_dimension_is_checked(bundle_path: Path, tmp_path: Path) -> None:
    """A `bundle.json` whose features contradict each other describes no bundle."""
    old = add_features(_old_bundle(bundle_path, tmp_path / "b"))
    document = json.loads((old.path / MANIFEST).read_text())
    document["features"]["dimension"] += 1
    (old.path / MANIFEST).write_text(json.dumps(document))
    with pytest.raises(Exception, match="does not describe a bundle"):
        load_bundle(old.path)


def test_a_cascade_has_no_features(bundle_path: Path) -> None:
    """Its two networks have different ones."""
    bundle = load_bundle(bundle_path)
    cascade = replace(bundle, spec=replace(bundle.spec, cascade_threshold=0.9), features=None)
    assert add_features(cascade).features is None


def test_the_last_product_is_one_that_the_output_needs() -> None:
    """Not one of another output, and not an earlier one."""
    operations = [
        Operation(("x", "w1"), ("a",), "x"),
        Operation(("a",), ("b",)),
        Operation(("b", "w2"), ("c",), "b"),
        Operation(("a", "w3"), ("maps",), "a"),
        Operation(("c",), ("out",)),
    ]
    assert "b" == find_last_product(operations, "out")
    assert "a" == find_last_product(operations, "maps")
    assert find_last_product(operations[1:2], "b") is None
