"""TensorFlow graphs of a model: of its function, and of the one that a bundle holds."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from seefood_training.frozen_graph import FrozenGraph
from seefood_training.graph_freezing import freeze
from seefood_training.packaging.answers import Answers
from seefood_training.packaging.forms.tensorflow_functions import function_from_graph
from seefood_training.packaging.network import Function
from seefood_training.packaging.origins import origin
from seefood_training.packaging.picture_input import PictureInput, filled
from seefood_training.packaging.pixels import PixelArithmetic, traced_input

_log = logging.getLogger(__name__)


def frozen_outputs(function: Function, source: PictureInput) -> FrozenGraph | None:
    """Return the graph of `function` from its own input to all its outputs of numbers.

    None if it is not TensorFlow's or cannot be frozen.
    """
    import tensorflow as tf

    if function.trace is None:
        return None
    trace = function.trace
    names = [each.name for each in function.outputs if tf.as_dtype(each.dtype).is_floating]
    spec = tf.TensorSpec(source.spec.shape, source.spec.dtype, name="image")

    def outputs(image: Any) -> Any:
        results = trace(filled(source, image, _constant))
        return [results[name] for name in names]

    try:
        return freeze(tf.function(outputs, autograph=False).get_concrete_function(spec), names)
    except Exception as error:  # noqa: BLE001 (a graph with tables is packaged unfrozen)
        _log.debug("the graph of %s cannot be frozen: %s", function.name, error)
        return None


def constant_function(function: Function, source: PictureInput, frozen: FrozenGraph) -> Function:
    """Return `function` as its `frozen` graph, which is faster to trace and to freeze again."""
    inputs = {source.spec.name: frozen.source}
    return function_from_graph(function.name, frozen.graph, inputs, frozen.outputs)


def last_operation(frozen: FrozenGraph | None, output: str) -> str | None:
    """Return the operation that computes `output`, or None if it is not known."""
    if frozen is None or output not in frozen.outputs:
        return None
    producers = {
        node.name: (str(node.op), node.input[0].split(":")[0] if node.input else None)
        for node in frozen.graph.node
    }
    return origin(producers, frozen.outputs[output].split(":")[0])[0]


def probabilities_function(
    function: Function, source: PictureInput, pixels: PixelArithmetic, answers: Answers
) -> Callable[[Any], Any]:
    """Return the function that a bundle holds, for any number of pictures.

    From uint8 of shape `(n, height, width, channels)` to probabilities of `(n, labels)`.
    """
    import tensorflow as tf

    def some(image: Any) -> Any:
        assert function.trace is not None  # noqa: S101 (only TensorFlow's functions come here)
        ready = traced_input(image, source, pixels)
        if not source.has_batch:
            ready = ready[0]
        results = function.trace(filled(source, ready, _constant))
        values = tf.reshape(tf.cast(results[answers.output], tf.float32), (-1, answers.columns))
        if answers.activation != "none":
            values = (tf.nn.softmax if answers.activation == "softmax" else tf.sigmoid)(values)
        if answers.positive is None:
            return values
        pair = [values, 1 - values] if answers.positive == 0 else [1 - values, values]
        return tf.concat(pair, axis=1)

    if not source.one_by_one:
        return some
    result = tf.TensorSpec((2 if answers.positive is not None else answers.columns,), tf.float32)

    def each(image: Any) -> Any:
        if image.shape[0] == 1:
            return some(image)
        return tf.map_fn(lambda one: some(one[tf.newaxis])[0], image, fn_output_signature=result)

    return each


def concrete(function: Any, source: PictureInput, batch: int | None = None) -> Any:
    """Return `function` traced for uint8 pictures of the size of `source`."""
    import tensorflow as tf

    shape = (batch, source.height, source.width, source.channels)
    spec = tf.TensorSpec(shape, tf.uint8, name="image")
    return tf.function(function, autograph=False).get_concrete_function(spec)


def _constant(value: Any) -> Any:
    import tensorflow as tf

    return tf.constant(np.asarray(value))
