"""LiteRT (TFLite) files, which the LiteRT engine runs as they are."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seefood.engines.native_stderr import native_output_logged
from seefood.errors import UsageError
from seefood_training.packaging.forms.litert_metadata import read_input_range, read_labels
from seefood_training.packaging.locate import Found
from seefood_training.packaging.network import (
    Arrays,
    Function,
    Opened,
    TensorSpec,
    without_batch,
)
from seefood_training.packaging.origins import origin, random_among


def open_litert_file(found: Found) -> Opened:
    """Return the graph of the file. Raises `UsageError` if LiteRT cannot run it."""
    from ai_edge_litert.interpreter import Interpreter

    from seefood.explain.tflite_graph import read_operations

    try:
        with native_output_logged():
            interpreter = Interpreter(model_path=str(found.path))
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise UsageError(_problem(found.path, str(error))) from error
    if (others := _differing(interpreter)) is not None:
        raise UsageError(
            f"{found.path} has the signatures {others[0]} and {others[1]}, which say different "
            "things, and LiteRT runs the first graph alone; convert one of them: "
            "`tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=['NAME'])`"
        )
    sources, results = interpreter.get_input_details(), interpreter.get_output_details()
    inputs = tuple(map(_spec, sources))
    has_batch = all(spec.shape and spec.shape[0] in {None, 1} for spec in inputs)

    def call(given: Arrays) -> dict[str, Any]:
        for each in sources:
            value = given[each["name"]].astype(each["dtype"])
            if None in (_spec(each).shape or ()):  # a size that the file leaves open
                interpreter.resize_tensor_input(each["index"], value.shape)
                interpreter.allocate_tensors()
            interpreter.set_tensor(each["index"], value)
        interpreter.invoke()
        return {
            each["name"]: _real(interpreter.get_tensor(each["index"]), each) for each in results
        }

    def run(arrays: Arrays) -> dict[str, Any]:
        given = {spec.name: np.asarray(arrays[spec.name]) for spec in inputs}
        if not has_batch:
            return call(given)
        count = max(map(len, given.values()))
        rows = [
            call({key: v[at : at + 1] if len(v) == count else v for key, v in given.items()})
            for at in range(count)
        ]
        return {key: np.stack([without_batch(row[key]) for row in rows]) for key in rows[0]}

    operations = read_operations(found.path)
    last = _origins(operations, results)
    outputs = tuple(replace(_spec(each), is_rounded=last[each["name"]][1]) for each in results)
    random = random_among(each.name for each in operations)
    function = Function("graph", inputs, outputs, run, random_operation=random)
    layers = tuple(str(each["name"]) for each in interpreter.get_tensor_details())
    return Opened(
        "LiteRT file",
        (function,),
        file=found.path,
        layers=layers,
        last_operations={name: each for name, (each, _) in last.items() if each},
        labels=read_labels(found.path),
        input_range=read_input_range(found.path),
    )


def _origins(
    operations: Sequence[Any], results: list[dict[str, Any]]
) -> dict[str, tuple[str | None, bool]]:
    """Return of each output what computes it, and whether it is rounded."""
    producers = {
        output: (each.name, next(iter(each.inputs), None))
        for each in operations
        for output in each.outputs
    }
    return {each["name"]: origin(producers, int(each["index"])) for each in results}


def _differing(interpreter: Any) -> tuple[str, str] | None:
    """Return the names of two signatures that answer the same numbers differently, or None."""
    known: dict[str, list[Any]] = {}
    for name in interpreter.get_signature_list():
        runner = interpreter.get_signature_runner(name)
        sources = runner.get_input_details()
        if len(sources) != 1:
            continue
        ((key, source),) = sources.items()
        # Whole numbers too must differ: between 0 and 1 they would all be 0.
        numbers = 100 * np.random.default_rng(0).random(tuple(source["shape"]))
        try:
            answers = list(runner(**{key: numbers.astype(source["dtype"])}).values())
        except (ValueError, RuntimeError):  # it takes other than numbers
            continue
        for other, theirs in known.items():
            if not any(_are_close(mine, each) for mine in answers for each in theirs):
                return other, name
        known[name] = answers
    return None


def _are_close(one: Any, other: Any) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    is_number = np.issubdtype(one.dtype, np.number)
    return bool(np.allclose(one, other, 1e-3) if is_number else np.array_equal(one, other))


def _spec(details: dict[str, Any]) -> TensorSpec:
    shape = [int(each) for each in details["shape"]]
    signature = [int(each) for each in details.get("shape_signature", shape)]
    if len(signature) == len(shape):
        shape = [-1 if side < 0 else size for side, size in zip(signature, shape, strict=True)]
    scale, zero = details["quantization"]
    name = "string" if details["dtype"] is np.bytes_ else np.dtype(details["dtype"]).name
    return TensorSpec(
        details["name"],
        name,
        tuple(None if each < 0 else each for each in shape),
        float(scale),
        int(zero),
    )


def _real(stored: Any, details: dict[str, Any]) -> Any:
    """Return the numbers that a quantised tensor stands for."""
    scale, zero = details["quantization"]
    if not scale or not np.issubdtype(details["dtype"], np.integer):
        return stored.copy()
    return (stored.astype(np.float32) - zero) * np.float32(scale)


def _problem(file: Path, text: str) -> str:
    if "Flex" in text or "Select TensorFlow" in text:
        return (
            f"{file} was converted with operations of TensorFlow that LiteRT does not have; "
            "package the SavedModel or Keras file that it was made from"
        )
    if "edgetpu" in text:
        return (
            f"{file} was compiled for the Edge TPU; package the .tflite file that it was compiled "
            "from (its name without `_edgetpu`)"
        )
    reason = (text.strip().splitlines() or ["no reason given"])[0][:200]
    return (
        f"LiteRT cannot run {file} ({reason}); convert the model again, or package its SavedModel"
    )
