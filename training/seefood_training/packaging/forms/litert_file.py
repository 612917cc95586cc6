"""LiteRT (TFLite) files, which the LiteRT engine runs as they are."""

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seefood.engines.native_stderr import native_output_logged
from seefood.errors import UsageError
from seefood_training.packaging.locate import Found
from seefood_training.packaging.network import Arrays, Function, Opened, TensorSpec
from seefood_training.packaging.origins import origin


def open_litert_file(found: Found) -> Opened:
    """Return the graph of the file. Raises `UsageError` if LiteRT cannot run it."""
    from ai_edge_litert.interpreter import Interpreter

    try:
        with native_output_logged():
            interpreter = Interpreter(model_path=str(found.path))
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise UsageError(_problem(found.path, str(error))) from error
    sources, results = interpreter.get_input_details(), interpreter.get_output_details()

    def run(arrays: Arrays) -> dict[str, Any]:
        names = [each["name"] for each in sources]
        rows: dict[str, list[Any]] = {each["name"]: [] for each in results}
        for at in range(len(arrays[names[0]])):
            for each in sources:
                value = np.asarray(arrays[each["name"]])
                one = value[at : at + 1] if value.ndim == len(each["shape"]) else value[at]
                interpreter.set_tensor(each["index"], one.astype(each["dtype"]))
            interpreter.invoke()
            for each in results:
                rows[each["name"]].append(_real(interpreter.get_tensor(each["index"]), each))
        return {key: np.concatenate(value) if value else value for key, value in rows.items()}

    last = _origins(found.path, results)
    outputs = tuple(replace(_spec(each), is_rounded=last[each["name"]][1]) for each in results)
    function = Function("graph", tuple(map(_spec, sources)), outputs, run)
    layers = tuple(str(each["name"]) for each in interpreter.get_tensor_details())
    return Opened(
        "LiteRT file",
        (function,),
        file=found.path,
        layers=layers,
        last_operations={name: each for name, (each, _) in last.items() if each},
        labels=_labels(found.path),
    )


def _origins(file: Path, results: list[dict[str, Any]]) -> dict[str, tuple[str | None, bool]]:
    """Return of each output what computes it, and whether it is rounded."""
    from seefood.explain.tflite_graph import read_operations

    producers = {
        output: (each.name, next(iter(each.inputs), None))
        for each in read_operations(file)
        for output in each.outputs
    }
    return {each["name"]: origin(producers, int(each["index"])) for each in results}


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


def _labels(file: Path) -> tuple[str, ...]:
    """Return the labels that TFLite metadata keeps in a zip behind the graph."""
    if not zipfile.is_zipfile(file):
        return ()
    try:
        with zipfile.ZipFile(file) as opened:
            for name in opened.namelist():
                if name.endswith(".txt") and opened.getinfo(name).file_size < 1 << 24:
                    lines = opened.read(name).decode("utf-8").splitlines()
                    return tuple(line.strip() for line in lines if line.strip())
    except (zipfile.BadZipFile, OSError, UnicodeDecodeError, RuntimeError):
        pass
    return ()


def _problem(file: Path, text: str) -> str:
    if "Flex" in text or "Select TensorFlow" in text:
        return (
            f"{file} was converted with operations of TensorFlow that LiteRT does not have; "
            "package the SavedModel or Keras file that it was made from"
        )
    reason = (text.strip().splitlines() or ["no reason given"])[0][:200]
    return (
        f"LiteRT cannot run {file} ({reason}); convert the model again, or package its SavedModel"
    )
