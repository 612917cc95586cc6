"""Turns TensorFlow's functions into `Function`s: flat inputs and outputs with names."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seefood_training.packaging.network import Arrays, Function, TensorSpec


def function_from_signature(name: str, signature: Any) -> Function:
    """Return the signature `name` of a SavedModel: keyword arguments, a dict of outputs."""
    specs = dict(signature.structured_input_signature[1])
    outputs = signature.structured_outputs
    described = tuple(_spec(key, spec) for key, spec in specs.items())
    named = outputs if isinstance(outputs, Mapping) else _named(outputs)
    return replace(
        _function(name, described, named, lambda tensors: signature(**tensors)), is_signature=True
    )


def function_from_trace(name: str, function: Any, concrete: Any) -> Function | None:
    """Return one trace of a `tf.function`, or None if it takes no tensor.

    The Python values of its arguments, such as `training=False`, are fixed to the traced ones.
    """
    arguments, keywords = concrete.structured_input_signature
    specs: dict[str, TensorSpec] = {}
    flags: list[Any] = []

    def template(value: Any, key: str) -> Any:
        if isinstance(value, list | tuple):
            return [template(each, f"{key}_{at}") for at, each in enumerate(value)]
        if isinstance(value, Mapping):
            return {k: template(each, str(k)) for k, each in value.items()}
        if hasattr(value, "dtype") and hasattr(value, "shape"):
            plain = getattr(value, "name", None) or key
            unique = plain if plain not in specs else f"{plain}_{len(specs)}"
            specs[unique] = _spec(unique, value)
            return _Slot(unique)
        flags.append(value)
        return value

    positional = [template(each, f"input_{at}") for at, each in enumerate(arguments)]
    named = {key: template(each, key) for key, each in keywords.items()}
    if not specs:
        return None

    def call(tensors: Mapping[str, Any]) -> Any:
        filled = [_filled(each, tensors) for each in positional]
        return function(*filled, **{key: _filled(each, tensors) for key, each in named.items()})

    outputs = _named(concrete.structured_outputs)
    training = any(flag is True for flag in flags)
    return _function(name, tuple(specs.values()), outputs, call, is_training=training)


def function_from_graph(
    name: str, proto: Any, inputs: Mapping[str, str], outputs: Mapping[str, str]
) -> Function:
    """Return a frozen graph as a function; `inputs` and `outputs` map names to tensors."""
    import tensorflow as tf

    def load() -> None:
        tf.import_graph_def(proto, name="")

    wrapped = tf.compat.v1.wrap_function(load, [])
    graph = wrapped.graph
    pruned = wrapped.prune(
        [graph.as_graph_element(each) for each in inputs.values()],
        [graph.as_graph_element(each) for each in outputs.values()],
    )
    specs = tuple(_spec(key, graph.as_graph_element(tensor)) for key, tensor in inputs.items())
    named = {key: graph.as_graph_element(tensor) for key, tensor in outputs.items()}

    def call(tensors: Mapping[str, Any]) -> Any:
        return dict(zip(outputs, pruned(*(tensors[key] for key in inputs)), strict=True))

    return _function(name, specs, named, call)


def function_from_call(name: str, specs: Sequence[Any], call: Callable[[Any], Any]) -> Function:
    """Return `call`, from a dict of tensors of `specs` to any structure of tensors, traced."""
    import tensorflow as tf

    signature = {spec.name: spec for spec in specs}
    traced = tf.function(call, input_signature=[signature], autograph=False)
    outputs = _named(traced.get_concrete_function().structured_outputs)
    return _function(name, [_spec(key, spec) for key, spec in signature.items()], outputs, traced)


class _Slot:
    """The place of a tensor among the arguments."""

    def __init__(self, name: str) -> None:
        self.name = name


def _filled(value: Any, tensors: Mapping[str, Any]) -> Any:
    if isinstance(value, _Slot):
        return tensors[value.name]
    if isinstance(value, list):
        return [_filled(each, tensors) for each in value]
    if isinstance(value, dict):
        return {key: _filled(each, tensors) for key, each in value.items()}
    return value


def _function(
    name: str,
    inputs: Sequence[TensorSpec],
    outputs: Mapping[str, Any],
    call: Any,
    *,
    is_training: bool = False,
) -> Function:
    def trace(tensors: Mapping[str, Any]) -> dict[str, Any]:
        result = call(tensors)
        return result if isinstance(result, dict) else _named(result)

    def run(arrays: Arrays) -> dict[str, Any]:
        import tensorflow as tf

        tensors = {
            spec.name: tf.cast(tf.constant(arrays[spec.name]), spec.dtype)
            if spec.dtype != "string"
            else tf.constant(arrays[spec.name])
            for spec in inputs
        }
        return {key: _array(value) for key, value in trace(tensors).items()}

    described = tuple(
        _spec(key, value) for key, value in outputs.items() if hasattr(value, "dtype")
    )
    return Function(name, tuple(inputs), described, run, trace, is_training)


def _array(tensor: Any) -> Any:
    value = np.asarray(tensor)
    return value.astype(np.float32) if value.dtype.name == "bfloat16" else value


def _named(structure: Any) -> dict[str, Any]:
    """Return the tensors of any structure of outputs, by name."""
    if isinstance(structure, Mapping):
        parts: Iterable[tuple[str, Any]] = ((str(k), v) for k, v in structure.items())
    elif isinstance(structure, list | tuple):
        parts = ((str(at), each) for at, each in enumerate(structure))
    else:
        return {"output": structure}
    flat: dict[str, Any] = {}
    for key, value in parts:
        if isinstance(value, Mapping | list | tuple):
            flat.update({f"{key}/{inner}": each for inner, each in _named(value).items()})
        else:
            flat[key] = value
    return flat


def _spec(name: str, tensor: Any) -> TensorSpec:
    shape = None if tensor.shape.rank is None else tuple(tensor.shape.as_list())
    return TensorSpec(name, tensor.dtype.name, shape)
