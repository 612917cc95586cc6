"""Converts a frozen graph to the files that engines load: a SavedModel and a LiteRT file.

For float16, weights are rounded once, in the graph that both files are made from, and stored in 16
bits in both. Each engine converts them to 32 bits when it loads and computes in 32 bits, so the
files have half the size and the engines still give equal probabilities.
"""

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.engines.native_stderr import native_output_logged
from seefood.imaging.decode import Pixels
from seefood_training.frozen_graph import FrozenGraph, constant, constant_node
from seefood_training.quantisation import Quantisation

# The converter marks 16-bit weights as suitable for 16-bit arithmetic. A processor that has it
# would compute other probabilities than the certificate's, so the mark gets an unknown name.
_FULL_PRECISION: Final = (b"reduced_precision_support", b"reduced_precision_refused")
_SMALL: Final = 16
"""Smaller constants are not stored as 16 bits in the SavedModel: it would save nothing."""


def round_to_half(frozen: FrozenGraph) -> FrozenGraph:
    """Return `frozen` with each float32 constant rounded to float16 precision.

    Constants beyond the range of float16 are unchanged.
    """
    import tensorflow as tf

    proto = tf.compat.v1.GraphDef()
    proto.CopyFrom(frozen.graph)
    for node in proto.node:
        if (value := _float32(node)) is not None:
            with np.errstate(over="ignore"):
                rounded = value.astype(np.float16).astype(np.float32)
            if np.isfinite(rounded).all():
                node.CopyFrom(constant_node(node.name, rounded))
    return FrozenGraph(proto, frozen.source, frozen.outputs)


def write_saved_model(frozen: FrozenGraph, folder: Path, signatures: dict[str, list[str]]) -> None:
    """Write `frozen` as a SavedModel into the existing `folder`. Deterministic.

    `signatures` has the names of the outputs of each signature. Float32 constants that float16
    represents exactly are stored as float16, followed by a cast.
    """
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    document = saved_model_pb2.SavedModel(saved_model_schema_version=1)
    meta = document.meta_graphs.add()
    meta.meta_info_def.tags.append(tf.saved_model.SERVING)
    meta.meta_info_def.tensorflow_version = tf.version.VERSION
    meta.graph_def.CopyFrom(_stored_as_half(frozen.graph))
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(meta.graph_def, name="")
    for name, outputs in signatures.items():
        signature = meta.signature_def[name]
        signature.method_name = "tensorflow/serving/predict"
        _describe(signature.inputs["image"], graph.as_graph_element(frozen.source))
        for output in outputs:
            tensor = graph.as_graph_element(frozen.outputs[output])
            _describe(signature.outputs[output], tensor)
    data = document.SerializeToString(deterministic=True)
    (folder / "saved_model.pb").write_bytes(data)


def to_litert(
    frozen: FrozenGraph,
    size: tuple[int, int],
    outputs: list[str],
    quantisation: Quantisation,
    calibration: Pixels | None = None,
) -> bytes:
    """Return the LiteRT file of `frozen`, for one picture at a time of `size` (height, width).

    `calibration`, required for int8, is uint8 of shape `(n, height, width, 3)`. For a graph that
    cannot be converted, the converter's exception is not translated.
    """
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        write_saved_model(_one_picture(frozen, size), Path(folder), {"serving_default": outputs})
        with native_output_logged(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            converter = tf.lite.TFLiteConverter.from_saved_model(folder)
            _configure(converter, quantisation, calibration)
            flat = bytes(converter.convert())
    return _probabilities_first(flat.replace(*_FULL_PRECISION))


def _probabilities_first(flat: bytes) -> bytes:
    """Return the file with `probabilities` as its first output: the converter's order varies."""
    from tensorflow.lite.python import schema_py_generated as schema

    buffer = bytearray(flat)
    graph = schema.Model.GetRootAs(buffer, 0).Subgraphs(0)
    outputs = graph.OutputsAsNumpy()  # a view: sorting it changes the buffer
    outputs[:] = sorted(outputs, key=lambda index: int(graph.Tensors(index).ShapeLength()))
    return bytes(buffer)


def _configure(converter: Any, quantisation: Quantisation, calibration: Pixels | None) -> None:
    import tensorflow as tf

    if quantisation == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    if quantisation == "int8":
        if calibration is None:
            message = "int8 needs calibration pictures"
            raise ValueError(message)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: _each(calibration)


def _one_picture(frozen: FrozenGraph, size: tuple[int, int]) -> FrozenGraph:
    """Return `frozen` for exactly one picture of `size`."""
    import tensorflow as tf

    proto = tf.compat.v1.GraphDef()
    proto.CopyFrom(frozen.graph)
    for node in proto.node:
        if node.name == frozen.source.split(":")[0]:
            channels = node.attr["shape"].shape.dim[3].size
            node.attr["shape"].shape.CopyFrom(tf.TensorShape((1, *size, channels)).as_proto())
    return FrozenGraph(proto, frozen.source, frozen.outputs)


def _each(images: Pixels) -> Iterator[list[Pixels]]:
    for image in images:
        yield [image[np.newaxis]]


def _stored_as_half(graph: Any) -> Any:
    import tensorflow as tf

    proto = tf.compat.v1.GraphDef()
    proto.CopyFrom(graph)
    del proto.node[:]
    for node in graph.node:
        value = _float32(node)
        if value is None or value.size < _SMALL or not _is_half(value):
            proto.node.append(node)
            continue
        stored = constant_node(f"{node.name}/half", value.astype(np.float16))
        cast = tf.compat.v1.NodeDef(name=node.name, op="Cast", input=[stored.name])
        cast.attr["SrcT"].type = tf.float16.as_datatype_enum
        cast.attr["DstT"].type = tf.float32.as_datatype_enum
        proto.node.extend([stored, cast])
    return proto


def _is_half(value: NDArray[np.float32]) -> bool:
    with np.errstate(over="ignore"):
        return bool(np.array_equal(value, value.astype(np.float16).astype(np.float32)))


def _float32(node: Any) -> NDArray[np.float32] | None:
    import tensorflow as tf

    if node.op != "Const" or node.attr["dtype"].type != tf.float32.as_datatype_enum:
        return None
    return constant(node).astype(np.float32)


def _describe(info: Any, tensor: Any) -> None:
    """Fill a signature's `TensorInfo`."""
    info.name = tensor.name
    info.dtype = tensor.dtype.as_datatype_enum
    info.tensor_shape.CopyFrom(tensor.shape.as_proto())
