"""`explain` shows a packaged model of any form, or says in one sentence what it cannot show."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from seefood.cli.explain import explain_command
from seefood.errors import UsageError
from seefood.synthetic import draw_picture
from tests.training.model_forms import cast, saved
from tests.training.saved_models import SIZE, pack, save

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.slow,
    pytest.mark.usefixtures("uncollected_imports"),
]
KNOWN = {"input_range": "0..1", "filter": "nearest"}
Network = Callable[[Any, Any], Any]


def _means(rows: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415 (tests are collected without TensorFlow, too)

    return tf.reduce_mean(tf.nn.relu(rows), (1, 2))


def _average_of_a_sequence(rows: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    sequence = tf.reshape(rows, (-1, (SIZE // 2) ** 2, 8))
    return tf.reduce_mean(sequence, 1)  # GlobalAveragePooling1D


def _network(
    pooling: Callable[[Any], Any], last: str, columns: int, channels: int = 3
) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        import tensorflow as tf  # noqa: PLC0415 (as above)

        rng = np.random.default_rng(1)
        kernel = tf.Variable(rng.normal(0, 1, (3, 3, channels, 8)).astype(np.float32))
        matrix = tf.Variable(rng.normal(0, 9, (8, columns)).astype(np.float32))

        def classify(x: Any) -> Any:
            scores = pooling(tf.nn.conv2d(x, kernel, 2, "SAME")) @ matrix
            return getattr(tf.nn, last)(scores)

        shape = (None, SIZE, SIZE, channels)
        return save(folder / "m", classify, shape=shape, keep={"k": kernel, "m": matrix})

    return make


def _without_convolution(folder: Path) -> Path:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    matrix = tf.Variable(np.random.default_rng(1).normal(0, 9, (3, 2)).astype(np.float32))
    return save(
        folder / "m",
        lambda x: tf.nn.softmax(tf.reduce_mean(x, (1, 2)) @ matrix),
        keep={"m": matrix},
    )


SHOWN = {
    "one sigmoid": (_network(_means, "sigmoid", 1), {}),
    "grey": (_network(_means, "softmax", 2, channels=1), {}),
    "a sequence": (_network(_average_of_a_sequence, "softmax", 2), {}),
    "no convolution": (_without_convolution, {}),
    "joined averages": (saved(cast), {"output_kind": "logits"}),
}


@pytest.mark.parametrize(("make", "options"), SHOWN.values(), ids=SHOWN)
def test_a_form_is_shown(
    make: Callable[[Path], Path], options: dict[str, Any], tmp_path: Path
) -> None:
    """The page is written, and what it leaves out is said."""
    packaged = pack(make(tmp_path), tmp_path / "b", **KNOWN, **options)
    result = _explained(packaged.bundle.path, tmp_path)
    assert result.exception is None, result.exception
    page = (tmp_path / "page.html").read_text()
    assert all(label in page for label in packaged.bundle.labels)


def test_a_graph_that_only_tensorflow_runs_is_refused(tmp_path: Path) -> None:
    """In one sentence, and no page is written."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    matrix = tf.Variable(np.random.default_rng(1).normal(0, 9, (3, 2)).astype(np.float32))

    def classify(x: Any) -> Any:
        return tf.nn.softmax(tf.reduce_mean(tf.math.special.bessel_j0(x), (1, 2)) @ matrix)

    packaged = pack(save(tmp_path / "m", classify, keep={"m": matrix}), tmp_path / "b", **KNOWN)
    with pytest.raises(UsageError, match="holds a graph that only TensorFlow runs, whose layers"):
        raise _explained(packaged.bundle.path, tmp_path).exception or AssertionError
    assert not (tmp_path / "page.html").exists()


def _explained(bundle: Path, folder: Path) -> Result:
    draw_picture("pizza", 1, (90, 60)).save(folder / "picture.png")
    arguments = [str(folder / "picture.png"), "--model", str(bundle)]
    return CliRunner().invoke(explain_command, [*arguments, "--output", str(folder / "page.html")])
