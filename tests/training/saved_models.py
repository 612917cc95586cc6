"""Small SavedModels for the tests of `seefood package`."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner, Result

from seefood.engines.loading import load_engine
from seefood.imaging.decode import Pixels
from seefood.synthetic import KINDS, draw_picture
from seefood_training.commands.package import package_command
from seefood_training.packaging.answers import AnswerOptions
from seefood_training.packaging.options import PackageOptions
from seefood_training.packaging.outcome import Packaged
from seefood_training.packaging.package import package_model
from seefood_training.packaging.pixels import PixelChoice

SIZE = 32
LABELS = ("hotdog", "not_hotdog")


@cache
def drawn() -> Pixels:
    """Return one drawing of each kind."""
    return np.stack([np.asarray(draw_picture(kind, 5, (SIZE, SIZE))) for kind in KINDS])


def softmax(logits: Any) -> np.ndarray:
    """Return the probabilities of `logits`, row by row."""
    weights = np.exp(np.asarray(logits, np.float64))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def save(
    path: Path,
    function: Callable[[Any], Any],
    *,
    shape: tuple[int | None, ...] | None = (None, SIZE, SIZE, 3),
    dtype: str = "float32",
    name: str = "serving_default",
    keep: dict[str, Any] | None = None,
) -> Path:
    """Save a `tf.Module` of one function; without a signature if `name` is empty."""
    import tensorflow as tf  # noqa: PLC0415 (tests are collected without TensorFlow, too)

    module = tf.Module()
    for key, value in (keep or {}).items():
        setattr(module, key, value)
    traced = tf.function(function, input_signature=[tf.TensorSpec(shape, dtype, name="pixels")])
    module.__call__ = traced
    tf.saved_model.save(module, str(path), signatures={name: traced} if name else {})
    return path


def linear(
    columns: int, *, scale: float = 3.0, unit: float = 1.0
) -> tuple[Any, Callable[[Any], Any]]:
    """Return weights, and a function from pictures of about [0, `unit`] to `columns` numbers."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    rng = np.random.default_rng(0)
    weights = tf.Variable(rng.normal(0, scale, (12, columns)).astype(np.float32))

    def classify(pixels: Any) -> Any:
        scaled = tf.cast(pixels, tf.float32) / unit
        means = tf.reduce_mean(scaled, axis=[1, 2])
        squares = tf.reduce_mean(tf.square(scaled), axis=[1, 2])
        features = tf.concat([means, squares, means * squares, means - squares], axis=1)
        return features @ weights

    return weights, classify


def pack(source: Path, output: Path, **options: Any) -> Packaged:
    """Package `source` as `seefood package` does."""
    labels = options.pop("labels", LABELS)
    pixels = {key: options.pop(key) for key in ("filter", "fit", "channels") if key in options}
    choice = PixelChoice(options.pop("input_range", None), **pixels)
    answers = AnswerOptions(
        options.pop("output_name", None),
        options.pop("output_kind", None),
        options.pop("multi_label", False),
        options.pop("positive", None),
    )
    made = PackageOptions("mine", labels, choice, answers=answers, **options)
    return package_model(str(source), output, made)


def predictions(packaged: Packaged, engine: str) -> np.ndarray:
    """Return the probabilities of an engine for the drawings."""
    return load_engine(packaged.bundle, engine).predict(drawn())


def package_by_command(source: Path, tmp_path: Path, *options: str) -> Result:
    """Run `seefood package` on a model of two labels; the bundle is `tmp_path / "b"`."""
    (tmp_path / "labels.txt").write_text("hotdog\nnot_hotdog\n")
    arguments = [str(source), "--labels", str(tmp_path / "labels.txt")]
    arguments += ["--output", str(tmp_path / "b"), *options]
    return CliRunner().invoke(package_command, arguments)


def two_logits(folder: Path) -> Path:
    """Return a model of two logits in `folder`."""
    weights, classify = linear(2, scale=30)
    return save(folder / "m", classify, keep={"weights": weights})
