"""Small ONNX files, as `torch.onnx.export` writes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from seefood.bundle import Bundle, load_bundle
from seefood_training.packaging.graph_files import copy_graph
from seefood_training.sealing import Draft, new_bundle, seal_bundle

Weights = NDArray[np.float32]
SIZE: Final = 16


def weights(classes: int, channels: int = 3, seed: int = 1) -> Weights:
    """Return the weights of `linear_graph`, of shape `(channels, classes)`."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (channels, classes)).astype(np.float32)


def linear_graph(
    file: Path,
    matrix: Weights,
    *,
    shape: Sequence[int | str] = ("batch", 3, SIZE, SIZE),
    axes: tuple[int, ...] = (2, 3),
    dtype: int = TensorProto.FLOAT,
    last: str | None = None,
) -> Path:
    """Write a network: the mean of each channel over `axes`, times `matrix`, then the node `last`.

    It has two outputs: the means, called `features`, and the scores, called `scores`.
    """
    nodes = [
        helper.make_node("Cast", ["input"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["real", "axes"], ["features"], keepdims=0),
        helper.make_node("MatMul", ["features", "matrix"], ["scores" if last is None else "sums"]),
    ]
    if last is not None:
        nodes.append(helper.make_node(last, ["sums"], ["scores"]))
    batch = [shape[0]] if len(shape) - len(axes) > 1 else []
    channels, classes = matrix.shape
    graph = helper.make_graph(
        nodes,
        "main_graph",
        [helper.make_tensor_value_info("input", dtype, list(shape))],
        [
            helper.make_tensor_value_info("features", TensorProto.FLOAT, [*batch, channels]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [*batch, classes]),
        ],
        [
            numpy_helper.from_array(matrix, "matrix"),
            numpy_helper.from_array(np.asarray(axes, np.int64), "axes"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    file.write_bytes(model.SerializeToString())
    return file


def sealed(source: Path, output: Path, draft: Draft) -> Bundle:
    """Make a bundle of the graph file `source`, called as the draft's adapter states."""
    with new_bundle(output, overwrite=False) as folder:
        copy_graph(source, folder)
        seal_bundle(folder, draft)
    return load_bundle(output)
