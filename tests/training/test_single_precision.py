"""Networks of mixed precision run in LiteRT, in float32."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seefood.engines.loading import load_engine
from seefood.imaging.decode import ResizeRule
from seefood_training.export import export_bundle
from tests.models import SIZE, tiny_model

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_network_of_mixed_precision(policy: str, tmp_path: Path) -> None:
    """LiteRT runs it and agrees with the network itself, within what 16 bits leave."""
    import keras  # noqa: PLC0415 (collecting tests needs no TensorFlow)

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = tiny_model(3)
    finally:
        keras.config.set_dtype_policy(before)
    empty: dict[str, Any] = {}
    bundle = export_bundle(
        model,
        tmp_path / "bundle",
        name="mixed",
        labels=("a", "b", "c"),
        rule=ResizeRule(SIZE, SIZE),
        temperature=1.0,
        thresholds=(0.0,) * 3,
        training=empty,
        metrics=empty,
    )
    assert bundle.has_litert
    images = np.random.default_rng(0).integers(0, 256, (8, SIZE, SIZE, 3), dtype=np.uint8)
    logits = np.asarray(model(images.astype(np.float32), training=False)).astype(np.float64)
    due = np.exp(logits - logits.max(axis=1, keepdims=True))
    due /= due.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(due, load_engine(bundle).predict(images), atol=0.06)
