"""Finds the tensor with the features in each graph of a bundle."""

from pathlib import Path
from typing import Any, Final

from seefood.bundle import LITERT_MODEL, ONNX_MODEL, Bundle
from seefood.engines.registry import Graph
from seefood_training.features.last_product import Operation, find_last_product

_ONNX_PRODUCTS: Final = frozenset({"Gemm", "MatMul"})
_PRODUCTS: Final = frozenset({"MatMul", "BatchMatMulV2", "BatchMatMul"})


def find_tensors(bundle: Bundle) -> dict[str, int | str]:
    """Return the tensor with the features by the kind of graph; graphs without one are absent.

    Needs TensorFlow for a SavedModel and the `onnx` package for an ONNX file; without it, that
    graph is left out.
    """
    found: dict[str, int | str | None] = {}
    adapter = bundle.spec.adapter
    output = 0 if adapter is None else adapter.output
    if bundle.has_litert:
        found[Graph.LITERT] = _litert(bundle.file(LITERT_MODEL), output)
    if bundle.has_onnx:
        found[Graph.ONNX] = _onnx(bundle.file(ONNX_MODEL), output)
    if bundle.has_saved_model:
        found[Graph.SAVED_MODEL] = _saved_model(bundle.file("saved_model.pb"))
    return {str(graph): tensor for graph, tensor in found.items() if tensor is not None}


def _litert(path: Path, output: int | str) -> int | None:
    from ai_edge_litert import schema_py_generated as schema

    from seefood.explain.tflite_graph import read_operations

    graph = schema.Model.GetRootAs(path.read_bytes()).Subgraphs(0)

    def shape(tensor: int) -> list[int]:
        stated = graph.Tensors(tensor)
        return [int(stated.Shape(axis)) for axis in range(stated.ShapeLength())]

    def product_of(name: str, source: int) -> int | None:
        is_dense = name in {"FULLY_CONNECTED", "BATCH_MATMUL"}
        is_dense = is_dense or (name == "CONV_2D" and shape(source)[1:3] == [1, 1])
        return source if is_dense else None

    operations = [
        Operation(each.inputs, each.outputs, product_of(each.name, each.inputs[0]))
        for each in read_operations(path)
        if each.inputs
    ]
    outputs = [int(graph.Outputs(at)) for at in range(graph.OutputsLength())]
    for position, tensor in enumerate(outputs):
        if output in (position, graph.Tensors(tensor).Name().decode()):
            found = find_last_product(operations, tensor)
            return None if found is None else int(found)
    return None


def _onnx(path: Path, output: int | str) -> str | None:
    try:
        import onnx
    except ImportError:
        return None
    graph = onnx.load(str(path), load_external_data=False).graph
    if any(tensor.external_data for tensor in graph.initializer):
        return None  # ONNX Runtime reads such weights of files only, not of a changed graph
    weights = {tensor.name: len(tensor.dims) for tensor in graph.initializer}
    operations = [
        Operation(
            tuple(node.input),
            tuple(node.output),
            node.input[0] if node.op_type in _ONNX_PRODUCTS and node.input[1] in weights else None,
        )
        for node in graph.node
    ]
    names = [each.name for each in graph.output]
    wanted = names[output] if isinstance(output, int) else output
    found = find_last_product(operations, wanted)
    return None if found is None else str(found)


def _saved_model(path: Path) -> str | None:
    try:
        from tensorflow.core.protobuf import saved_model_pb2
    except ImportError:
        return None
    meta = saved_model_pb2.SavedModel.FromString(path.read_bytes()).meta_graphs[0]
    output = next(iter(meta.signature_def["serving_default"].outputs.values())).name
    operations = [_node(node) for node in meta.graph_def.node]
    found = find_last_product(operations, output.removesuffix(":0"))
    return None if found is None else f"{found}:0" if ":" not in found else str(found)


def _node(node: Any) -> Operation:
    inputs = tuple(each.removesuffix(":0") for each in node.input if not each.startswith("^"))
    product = inputs[0] if node.op in _PRODUCTS else None
    return Operation(inputs, (node.name,), product)
