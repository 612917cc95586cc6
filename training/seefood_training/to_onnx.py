"""Converts a frozen graph to ONNX, for ONNX Runtime."""

import logging
from typing import Final

from seefood.engines.native_stderr import native_output_logged
from seefood.errors import UsageError
from seefood_training.frozen_graph import FrozenGraph
from seefood_training.reasons import reason

_OPSET: Final = 18


def to_onnx(frozen: FrozenGraph) -> bytes:
    """Return the ONNX file of `frozen`, from uint8 pictures to probabilities.

    Raises `UsageError` if tf2onnx is not installed or cannot convert the graph.
    """
    try:
        import tf2onnx
    except ImportError as error:
        raise UsageError(
            "ONNX files are written by tf2onnx, which is not installed; "
            'run `pip install "seefood[onnx-export]"`'
        ) from error
    for name in ("tensorflow", "tf2onnx"):  # it calls functions that TensorFlow calls deprecated
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with native_output_logged():
            model, _ = tf2onnx.convert.from_graph_def(
                frozen.graph,
                input_names=[frozen.source],
                output_names=[frozen.outputs["probabilities"]],
                opset=_OPSET,
            )
    except Exception as error:
        raise UsageError(f"this graph cannot be converted to ONNX: {reason(error)}") from error
    return bytes(model.SerializeToString())
