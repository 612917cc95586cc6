"""Adapters in `bundle.json`: written, read, checked, and absent from the digests of others."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from seefood.bundle import (
    LITERT_MODEL,
    MANIFEST,
    Adapter,
    BundleSpec,
    Quantisation,
    load_bundle,
    write_bundle,
)
from seefood.bundle.adapter import adapter_from_json
from seefood.errors import BundleError
from seefood.imaging.resize_rule import ResizeRule
from tests.bundles import fake_bundle

_ADAPTERS = [
    Adapter(),
    Adapter("float32", "nchw", (0.1, 0.2, 0.3), (-1.0, -2.0, 0.0), order="bgr", output="scores"),
    Adapter("int8", input_quantisation=Quantisation(0.5, -128), batch=1, activation="softmax"),
    Adapter("float16", "flat", output=1, output_quantisation=Quantisation(1 / 256, 0), positive=1),
]


def _as_is(folder: Path, **changes: object) -> BundleSpec:
    """Return the spec of a bundle in `folder` that has only a LiteRT graph."""
    bundle = fake_bundle(folder)
    for name in bundle.files:
        if not name.startswith("assets.extra"):
            bundle.file(name).unlink()
    return replace(bundle.spec, **{"adapter": Adapter(), **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("adapter", _ADAPTERS)
def test_an_adapter_is_read_as_it_was_written(adapter: Adapter, tmp_path: Path) -> None:
    """Through JSON and through a bundle; fields with their default are left out."""
    assert adapter == adapter_from_json(json.loads(json.dumps(adapter.as_json())))
    assert {} == Adapter().as_json()
    written = write_bundle(tmp_path, _as_is(tmp_path, adapter=adapter))
    assert written == load_bundle(tmp_path)


def test_older_bundles_say_nothing_of_it(tmp_path: Path) -> None:
    """Fields that older bundles do not have are absent when default, so digests stay the same."""
    document = json.loads(fake_bundle(tmp_path).file(MANIFEST).read_text())
    assert {"height", "width", "fit", "filter", "scaled_decode"} == set(document["rule"])
    assert not {"adapter", "multi_label"} & set(document)


def test_grey_several_labels_and_a_crop_are_kept(tmp_path: Path) -> None:
    """The later fields of the rule and the bundle are read as written."""
    rule = ResizeRule(8, 8, "crop", "nearest", channels="grey", crop_share=0.875)
    written = write_bundle(tmp_path, _as_is(tmp_path, rule=rule, multi_label=True))
    assert (rule, True) == (load_bundle(tmp_path).spec.rule, written.spec.multi_label)


@pytest.mark.parametrize(
    ("adapter", "reason"),
    [
        (Adapter(scale=(1.0, 2.0)), "2 scales for 3 channels"),
        (Adapter(layout="nhw"), "no axis for 3 channels"),
        (Adapter(batch=0), "takes 0 pictures"),
        (Adapter(positive=2), "label 2 of 2"),
        (Adapter(output_quantisation=Quantisation(0.0, 0)), "no scale above 0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_contradiction_is_refused(adapter: Adapter, reason: str, tmp_path: Path) -> None:
    """Each part of an adapter is compared with the rule and the labels."""
    with pytest.raises(BundleError, match=reason):
        write_bundle(tmp_path, _as_is(tmp_path, adapter=adapter))


def test_an_adapter_is_of_one_graph(tmp_path: Path) -> None:
    """A bundle with a SavedModel, or with no graph, has no adapter."""
    bundle = fake_bundle(tmp_path)
    with pytest.raises(BundleError, match=r"contains saved_model\.pb, assets\.extra/model\.tflite"):
        write_bundle(tmp_path, replace(bundle.spec, adapter=Adapter()))
    for name in ("saved_model.pb", LITERT_MODEL):
        bundle.file(name).unlink()
    with pytest.raises(BundleError, match="and contains none"):
        write_bundle(tmp_path, replace(bundle.spec, adapter=Adapter()))


@pytest.mark.parametrize(
    "document",
    [{"dtype": "complex64"}, {"layout": "whcn"}, {"scale": "x"}, {"nothing": 1}, {"batch": "x"}],
    ids=str,
)
def test_an_invalid_adapter_is_a_damaged_bundle(
    document: dict[str, object], tmp_path: Path
) -> None:
    """Whatever `bundle.json` says, the error is a sentence about the bundle."""
    write_bundle(tmp_path, _as_is(tmp_path))
    file = tmp_path / MANIFEST
    file.write_text(json.dumps({**json.loads(file.read_text()), "adapter": document}))
    with pytest.raises(BundleError, match="does not describe a bundle"):
        load_bundle(tmp_path)
