"""Writes bundles whose certificate has the fake engine's probabilities."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from seefood.bundle import (
    EXTRA,
    GOLDEN,
    LITERT_MODEL,
    VARIANTS,
    Bundle,
    BundleSpec,
    Certificate,
    Golden,
    Loss,
    Variant,
    list_variants,
    load_bundle,
    write_bundle,
)
from seefood.engines.fake import FakeEngine
from seefood.imaging.decode import ResizeRule, decode
from seefood.synthetic import draw_picture
from tests.pictures import encoded

LABELS = ("hotdog", "not_hotdog")


def fake_bundle(folder: Path, **changes: object) -> Bundle:
    """Write a bundle whose graphs are a few bytes, certified with the fake engine.

    `changes` replace fields of its `BundleSpec`.
    """
    for file, content in {
        "saved_model.pb": b"not really a graph",
        "variables/variables.data-00000-of-00001": bytes(range(64)),
        "variables/variables.index": b"an index",
        LITERT_MODEL: b"not really a flat buffer",
        f"{EXTRA}/MODEL_CARD.md": b"# A fake\n",
    }.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content)
    (folder / GOLDEN).mkdir()
    rule = ResizeRule(24, 32)
    engine = FakeEngine(len(LABELS))
    goldens = []
    for kind in ("hotdog_mustard", "house"):
        name = f"{GOLDEN}/{kind}.png"
        (folder / name).write_bytes(_drawn(kind))
        pixels = decode(_drawn(kind), rule, exact=True).pixels
        answer = engine.predict(pixels[np.newaxis])[0]
        goldens.append(Golden(name, tuple(map(float, answer))))
    spec = BundleSpec(
        name="fake",
        labels=LABELS,
        rule=rule,
        thresholds=(0.6, 0.7),
        certificate=Certificate(1e-4, tuple(goldens)),
        training={"network": "none", "seconds": 0.5},
        metrics={"accuracy": 0.5},
    )
    return write_bundle(folder, replace(spec, **changes))  # type: ignore[arg-type]


@cache
def _drawn(kind: str) -> bytes:
    return encoded(draw_picture(kind, 1, (60, 40)), "PNG")


def add_fake_variant(
    bundle: Bundle, name: str, points: float, share: float, *, engine: str = "fake", of: str = ""
) -> Bundle:
    """Add a variant that shares all files of `bundle`, and return the bundle with its variants.

    It loses `points` percentage points and takes `share` of the time.
    """
    shared = (LITERT_MODEL, *(golden.file for golden in bundle.spec.certificate.goldens))
    loss = Loss(points, (points - 1, points + 1), 0.9, 0.02, (0.01, 0.03), 200, "some photos")
    variant = Variant(of or bundle.digest, name, engine, share, loss, shared)
    certificate = replace(bundle.spec.certificate, variant=variant)
    folder = bundle.path / VARIANTS / name
    folder.mkdir(parents=True)
    write_bundle(folder, replace(bundle.spec, name=f"fake-{name}", certificate=certificate))
    return list_variants(load_bundle(bundle.path))
