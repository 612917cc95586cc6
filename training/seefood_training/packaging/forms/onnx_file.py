"""ONNX files, which ONNX Runtime runs as they are: PyTorch's way in."""

import ast
import re
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from seefood.errors import UsageError
from seefood_training.onnx_files import external_files, producers
from seefood_training.packaging.locate import Found
from seefood_training.packaging.network import (
    Arrays,
    Function,
    Opened,
    Shape,
    TensorSpec,
    without_batch,
)
from seefood_training.packaging.origins import origin, random_among

ULTRALYTICS: Final = "Ultralytics classify"
"""Stands among the layers of a file that Ultralytics exported from a YOLO classifier."""
_SOURCE_LINE: Final = re.compile(
    r"\[ONNXRuntimeError\][\s\d:]*\w+ ?: ?|Load model from \S+ failed: ?"
    r"|\S*/onnxruntime_src/\S+.*?\) "
)
"""What ONNX Runtime puts before its reason: a code, a line of its own source and a function."""
_BATCH_SCALED: Final = frozenset({"DynamicQuantizeLinear", "DynamicQuantizeMatMul"})
_TYPES: Final = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(bfloat16)": "bfloat16",
    "tensor(string)": "string",
    "tensor(bool)": "bool",
}


def open_onnx_file(found: Found) -> Opened:
    """Return the graph of the file. Raises `UsageError` if ONNX Runtime cannot run it."""
    if find_spec("onnxruntime") is None:
        raise UsageError(
            f"{found.path} needs ONNX Runtime, which is not installed; "
            'run `pip install "seefood[onnx]"`'
        )
    external_files(found.path)  # refuses weights outside the model's folder
    session = _session(found.path)
    inputs = tuple(map(_spec, session.get_inputs()))
    outputs = tuple(map(_spec, session.get_outputs()))
    made_by = producers(found.path)
    last = {spec.name: origin(made_by, spec.name) for spec in outputs}
    outputs = tuple(replace(spec, is_rounded=last[spec.name][1]) for spec in outputs)
    # These take one scale for all pictures of a batch.
    is_dynamic = any(name in _BATCH_SCALED for name, _ in made_by.values())

    def run(arrays: Arrays) -> dict[str, Any]:
        given = {spec.name: _typed(arrays[spec.name], spec) for spec in inputs}
        one_by_one = is_dynamic or any(spec.shape and spec.shape[0] == 1 for spec in inputs)
        names = [spec.name for spec in outputs]
        if not one_by_one:
            return dict(zip(names, session.run(names, given), strict=True))
        count = len(next(iter(given.values())))
        rows = [
            session.run(names, {key: value[at : at + 1] for key, value in given.items()})
            for at in range(count)
        ]
        return {
            key: np.stack([without_batch(row[at]) for row in rows]) for at, key in enumerate(names)
        }

    random = random_among(name for name, _ in made_by.values())
    function = Function("graph", inputs, outputs, run, random_operation=random)
    meta = session.get_modelmeta()
    title = f"ONNX file of {meta.producer_name}" if meta.producer_name else "ONNX file"
    return Opened(
        title,
        (function,),
        file=found.path,
        one_by_one=is_dynamic,
        last_operations={name: each for name, (each, _) in last.items() if each},
        layers=(ULTRALYTICS,) if _is_ultralytics(meta.custom_metadata_map) else (),
        labels=_labels(meta.custom_metadata_map),
    )


def _is_ultralytics(metadata: Mapping[str, str]) -> bool:
    return metadata.get("author") == "Ultralytics" and metadata.get("task") == "classify"


def _labels(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Return the classes that the file names as Ultralytics does, `names: {0: 'cat', ...}`."""
    try:
        names = ast.literal_eval(metadata.get("names", ""))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ()
    if isinstance(names, dict) and sorted(map(repr, names)) == sorted(map(repr, range(len(names)))):
        names = [names[at] for at in range(len(names))]
    is_list = isinstance(names, list) and all(isinstance(each, str) for each in names)
    return tuple(names) if is_list else ()


def _session(file: Path) -> Any:
    from seefood.engines.onnxruntime_library import ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(
            str(file), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise UsageError(_problem(file, str(error))) from error


def _spec(value: Any) -> TensorSpec:
    kind = _TYPES.get(value.type) or value.type.removeprefix("tensor(").removesuffix(")")
    shape: Shape = tuple(
        each if isinstance(each, int) and each > 0 else None for each in value.shape
    )
    return TensorSpec(value.name, kind, shape)


def _typed(value: Any, spec: TensorSpec) -> Any:
    return (
        value if spec.dtype in {"string", "bfloat16"} else np.asarray(value, np.dtype(spec.dtype))
    )


def _problem(file: Path, text: str) -> str:
    reason = _SOURCE_LINE.sub("", " ".join(text.split())).strip()[:200]
    if "external" in text:  # the files are there: `external_files` has seen them
        return (
            f"ONNX Runtime cannot read the weights of {file} from other files ({reason}); write "
            "one file with `onnx.save(onnx.load('model.onnx'), 'whole.onnx')`"
        )
    if "opset" in text or "IR version" in text:
        return (
            f"{file} is of a newer ONNX than the installed ONNX Runtime reads ({reason}); export "
            "it with `opset_version=17`, or install a newer onnxruntime"
        )
    if match := re.search(r"(\S+?)\(-?\d+\) is not a registered function", text):
        return (
            f"{file} uses the operation {match[1]}, which ONNX Runtime does not have; export the "
            "model without it"
        )
    return f"ONNX Runtime cannot run {file} ({reason}); export the model again"
