"""Freezes a function into a graph without variables, constants folded and scales in the weights.

The files of both engines are made from this graph. It has nothing left that one converter would
fold and the other would not, so the engines agree to the last bits, with 16-bit weights as well.
The result is deterministic.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood_training.frozen_graph import FrozenGraph, constant, constant_node
from seefood_training.graph_precision import in_float32

Floats = NDArray[np.float32]

_IDENTITY_OPS: Final = frozenset({"Identity", "IdentityN", "StopGradient"})
_LINEAR_OPS: Final = frozenset({"Conv2D", "DepthwiseConv2dNative", "MatMul"})
_ADD_OPS: Final = frozenset({"Add", "AddV2", "BiasAdd"})
_NEVER_CONSTANT: Final = ("Placeholder", "Random", "Stateless", "Var", "Hash", "NoOp", "Read")


def freeze(function: Any, outputs: Iterable[str]) -> FrozenGraph:
    """Return the concrete `function` with its variables as constants, simplified, in float32.

    `function` takes one tensor and returns one for each name of `outputs`. For what cannot be
    frozen, such as a hash table, TensorFlow's exception is not translated.
    """
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    # Loops and branches stay functions: lowered ones are circles of nodes.
    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
    names = [tensor.name for tensor in frozen.outputs]
    graph = _Graph(in_float32(frozen.graph.as_graph_def()), names)
    graph.simplify()
    (source,) = (tensor.name for tensor in frozen.inputs)
    tensors = [_with_index(output) for output in graph.outputs]
    return FrozenGraph(graph.to_proto(), source, dict(zip(outputs, tensors, strict=True)))


class _Graph:
    """The nodes of a `GraphDef` while they are rewritten."""

    def __init__(self, proto: Any, outputs: list[str]) -> None:
        self._proto = proto
        self._nodes = {node.name: node for node in proto.node}
        self.outputs = [_plain(output) for output in outputs]
        for node in self._nodes.values():  # no node has side effects
            data = [_plain(name) for name in node.input if not name.startswith("^")]
            del node.input[:]
            node.input.extend(data)

    def simplify(self) -> None:
        """Fold constants, remove identities, move scales and offsets into weights and biases."""
        self._prune()
        self._fold_constants()
        self._rewrite(self._remove_identity)
        self._rewrite(self._batch_norm_as_scale)
        self._rewrite(self._as_mul_or_add)
        self._rewrite(self._scale_into_weights)
        self._rewrite(self._merge_adds)
        self._prune()

    def to_proto(self) -> Any:
        import tensorflow as tf

        proto = tf.compat.v1.GraphDef()
        proto.versions.CopyFrom(self._proto.versions)
        proto.library.CopyFrom(self._proto.library)
        for node in self._nodes.values():
            node.attr.pop("_output_shapes", None)
        proto.node.extend(self._nodes.values())
        return proto

    def _prune(self) -> None:
        """Keep the nodes that the outputs depend on, in topological order."""
        kept: dict[str, Any] = {}
        todo = [(_owner(name), False) for name in reversed(self.outputs)]
        while todo:
            name, inputs_done = todo.pop()
            if name in kept:
                continue
            node = self._nodes[name]
            if inputs_done:
                kept[name] = node
            else:
                todo.append((name, True))
                todo.extend((_owner(source), False) for source in reversed(node.input))
        self._nodes = kept

    def _fold_constants(self) -> None:
        """Replace the nodes that do not depend on the input by their values."""
        import tensorflow as tf

        fixed: set[str] = set()
        for name, node in self._nodes.items():
            possible = node.op == "Const" or (
                node.input and not node.op.startswith(_NEVER_CONSTANT)
            )
            if possible and all(_owner(source) in fixed for source in node.input):
                fixed.add(name)
        wanted = sorted(
            {
                source
                for name, node in self._nodes.items()
                if name not in fixed
                for source in node.input
                if _owner(source) in fixed and self._nodes[_owner(source)].op != "Const"
            }
        )
        if not wanted:
            return
        with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
            tf.import_graph_def(self.to_proto(), name="")
            values = session.run([_with_index(source) for source in wanted])
        names = {source: source.replace(":", "/output_") for source in wanted}
        for source, value in zip(wanted, values, strict=True):
            self._add(constant_node(names[source], np.asarray(value)))
        self._redirect_all(names)
        self._prune()

    def _rewrite(self, rule: Callable[[Any], bool]) -> None:
        """Apply `rule` to each node, in order, until it changes none; it returns whether it did."""
        changed = True
        while changed:
            changed = False
            for name in list(self._nodes):
                if name in self._nodes and rule(self._nodes[name]):
                    changed = True
            if changed:
                self._prune()

    def _remove_identity(self, node: Any) -> bool:
        is_same_cast = node.op == "Cast" and node.attr["SrcT"].type == node.attr["DstT"].type
        if node.op not in _IDENTITY_OPS and not is_same_cast:
            return False
        for at, source in enumerate(node.input):
            self._redirect(f"{node.name}:{at}", source)
        return True

    def _batch_norm_as_scale(self, node: Any) -> bool:
        if node.op != "FusedBatchNormV3" or _is_true(node, "is_training") or _is_nchw(node):
            return False
        values = [self._constant(name) for name in node.input[1:5]]
        if any(value is None for value in values):
            return False
        gamma, beta, mean, variance = (np.asarray(value, np.float64) for value in values)
        scale = gamma / np.sqrt(variance + node.attr["epsilon"].f)
        scaled = self._binary("Mul", f"{node.name}/scaled", node.input[0], scale)
        offset = self._binary("AddV2", f"{node.name}/offset", scaled, beta - mean * scale)
        return self._redirect(node.name, offset)

    def _as_mul_or_add(self, node: Any) -> bool:
        """Replace `x / c` by `x * (1 / c)` and `x - c` by `x + -c`, as LiteRT's converter does."""
        if node.op not in {"RealDiv", "Sub"} or len(node.input) != 2:
            return False
        value = self._float_constant(node.input[1])
        if value is None or (node.op == "RealDiv" and not np.all(value)):
            return False
        name = f"{node.name}/constant"
        with np.errstate(all="ignore"):
            inverse = 1 / value.astype(np.float64) if node.op == "RealDiv" else -value
        self._add(constant_node(name, np.asarray(inverse, np.float32)))
        node.op = "Mul" if node.op == "RealDiv" else "AddV2"
        node.input[1] = name
        return True

    def _scale_into_weights(self, node: Any) -> bool:
        """Scale the weights and the offset of a convolution instead of its result."""
        source, scale = self._operands(node, {"Mul"})
        if scale is None or source is None or not self._used_once(source):
            return False
        linear, offset = self._nodes[_owner(source)], None
        if linear.op in _ADD_OPS:
            below, offset = self._operands(linear, _ADD_OPS)
            if offset is None or below is None or not self._used_once(below):
                return False
            add, linear = linear, self._nodes[_owner(below)]
        weights = self._weights(linear)
        if weights is None:
            return False
        # A depthwise filter has two axes of channels: input channels, and outputs for each.
        shape = weights.shape[-2:] if linear.op == "DepthwiseConv2dNative" else weights.shape[-1:]
        vectors = [scale] if offset is None else [scale, offset]
        rank = 2 if linear.op == "MatMul" else 4
        channels = math.prod(shape)
        if not all(_per_channel(vector, channels, rank) for vector in vectors):
            return False
        factor = np.broadcast_to(scale.astype(np.float64).reshape(-1), (channels,))
        linear.input[1] = self._replaced(linear.input[1], weights * factor.reshape(shape))
        if offset is not None:
            at = 0 if self._constant(add.input[0]) is not None else 1
            add.input[at] = self._replaced(add.input[at], offset.reshape(-1) * factor)
        return self._redirect(node.name, source)

    def _merge_adds(self, node: Any) -> bool:
        """Replace `(y + b) + c` by `y + (b + c)`."""
        source, offset = self._operands(node, _ADD_OPS)
        if offset is None or source is None or not self._used_once(source):
            return False
        below, first = self._operands(self._nodes[_owner(source)], _ADD_OPS)
        if first is None or below is None or not first.shape == offset.shape == (first.size,):
            return False
        at = list(node.input).index(source)
        node.input[1 - at] = self._replaced(node.input[1 - at], first.astype(np.float64) + offset)
        node.input[at] = below
        return True

    def _operands(self, node: Any, ops: Iterable[str]) -> tuple[str | None, Floats | None]:
        """Return the computed and the constant operand of `node` if its op is one of `ops`."""
        if node.op not in ops or len(node.input) != 2 or _is_nchw(node):
            return None, None
        left, right = node.input
        value = self._float_constant(right)
        if value is not None:
            return left, value
        return right, self._float_constant(left)

    def _weights(self, node: Any) -> Floats | None:
        """Return the constant weights of a linear `node` with the channels last."""
        if node.op not in _LINEAR_OPS or _is_nchw(node) or _is_true(node, "transpose_b"):
            return None
        return self._float_constant(node.input[1])

    def _constant(self, name: str) -> NDArray[Any] | None:
        node = self._nodes[_owner(name)]
        return constant(node) if node.op == "Const" else None

    def _float_constant(self, name: str) -> Floats | None:
        value = self._constant(name)
        return value if value is not None and value.dtype == np.float32 else None

    def _binary(self, op: str, name: str, source: str, value: NDArray[Any]) -> str:
        import tensorflow as tf

        self._add(constant_node(f"{name}/constant", value.astype(np.float32)))
        node = tf.compat.v1.NodeDef(name=name, op=op, input=[source, f"{name}/constant"])
        node.attr["T"].type = tf.float32.as_datatype_enum
        self._add(node)
        return name

    def _replaced(self, name: str, value: NDArray[Any]) -> str:
        """Add a constant that replaces `name` in one of its users; return its name."""
        fresh = f"{_owner(name)}/folded"
        while fresh in self._nodes:  # a constant of several users
            fresh += "_"
        self._add(constant_node(fresh, value.astype(np.float32)))
        return fresh

    def _add(self, node: Any) -> None:
        self._nodes[node.name] = node

    def _used_once(self, name: str) -> bool:
        users = sum(list(node.input).count(name) for node in self._nodes.values())
        return users + self.outputs.count(name) == 1

    def _redirect(self, name: str, target: str) -> bool:
        """Replace the tensor `name` by `target` in all its users."""
        self._redirect_all({_plain(name): _plain(target)})
        return True

    def _redirect_all(self, targets: Mapping[str, str]) -> None:
        """Replace the tensors that `targets` has by others in all their users."""
        for node in self._nodes.values():
            for at, source in enumerate(node.input):
                if source in targets:
                    node.input[at] = targets[source]
        self.outputs = [targets.get(output, output) for output in self.outputs]


def _plain(tensor: str) -> str:
    """Return a tensor's name as in the inputs of nodes, without `:0`."""
    return tensor.removesuffix(":0")


def _owner(tensor: str) -> str:
    return tensor.split(":", maxsplit=1)[0]


def _with_index(tensor: str) -> str:
    return tensor if ":" in tensor else f"{tensor}:0"


def _is_true(node: Any, attribute: str) -> bool:
    # Reading an absent key of a protobuf map would add it.
    return attribute in node.attr and bool(node.attr[attribute].b)


def _is_nchw(node: Any) -> bool:
    return "data_format" in node.attr and node.attr["data_format"].s == b"NCHW"


def _per_channel(value: Floats, channels: int, rank: int) -> bool:
    """Return whether `value` broadcasts over the `channels` of the last of `rank` axes only."""
    if value.ndim > rank:
        return False
    return value.size == 1 or (value.size == channels and value.shape[-1] == channels)
