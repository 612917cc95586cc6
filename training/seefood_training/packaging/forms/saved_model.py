"""SavedModels: of Keras 2 and 3, `tf.saved_model.save`, TensorFlow 1, Lobe, TensorFlow Hub."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from seefood.engines.native_stderr import native_output_logged
from seefood.errors import UsageError
from seefood_training.packaging.forms.tensorflow_functions import (
    function_from_signature,
    function_from_trace,
)
from seefood_training.packaging.locate import GRAPH_FILES, Found
from seefood_training.packaging.network import Function, Opened
from seefood_training.reasons import reason

_SERVING: Final = "serve"
_DEFAULTS: Final = ("default", "serving_default")
"""The signature that is meant if none is named: of TensorFlow 1's hub, and of all others."""
_DAMAGED: Final = re.compile("(?i)checksum|read less bytes|data loss")
_CALLED: Final = ("__call__", "call", "serve", "predict", "infer", "inference", "classify")
"""The names of functions outside signatures, the likeliest first."""


def open_saved_model(found: Found) -> Opened:
    """Return the functions of the SavedModel: its signatures, then its other functions.

    Raises `UsageError` if TensorFlow cannot load it.
    """
    document = _document(found.path)
    model = _load(found.path, document)
    functions = list(_functions(model))
    if not functions:
        raise UsageError(
            f"{found.path} has no signature and no function of tensors; save it with "
            "`tf.saved_model.save(model, folder, signatures=model.serve)`, or as a .keras file"
        )
    return Opened(
        _title(found.path, document),
        tuple(functions),
        owner=model,
        layers=_layer_names(document),
    )


def _document(folder: Path) -> Any:
    from google.protobuf import text_format
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    document = saved_model_pb2.SavedModel()
    binary = folder / GRAPH_FILES[0]
    try:
        if binary.is_file():
            document.ParseFromString(binary.read_bytes())
        else:
            text_format.Parse((folder / GRAPH_FILES[1]).read_text(), document)
    except (DecodeError, text_format.ParseError, UnicodeDecodeError, OSError) as error:
        raise UsageError(
            f"{folder} has a saved_model.pb that is not a SavedModel ({error}); a frozen graph "
            "needs `tf.compat.v1.saved_model.simple_save`, a damaged file another copy"
        ) from error
    if not document.meta_graphs:
        raise UsageError(f"{folder} has an empty saved_model.pb; get it again from its maker")
    return document


def _load(folder: Path, document: Any) -> Any:
    """Load the SavedModel without the slots of optimizers that TensorFlow no longer has."""
    import tensorflow as tf

    tags = _tags(document, folder)
    slots = any(
        node.slot_variables
        for graph in document.meta_graphs
        for node in graph.object_graph_def.nodes
    )
    try:
        with native_output_logged():
            if not slots:
                return tf.saved_model.load(str(folder), tags=tags)
            with tempfile.TemporaryDirectory(prefix="seefood-model-") as scratch:
                return tf.saved_model.load(_without_slots(folder, document, scratch), tags=tags)
    except Exception as error:
        raise UsageError(_load_problem(folder, error)) from error


def _tags(document: Any, folder: Path) -> list[str]:
    choices = [list(graph.meta_info_def.tags) for graph in document.meta_graphs]
    for wanted in ([_SERVING], []):
        if wanted in choices:
            return wanted
    serving = [tags for tags in choices if _SERVING in tags]
    if len(choices) == 1 or serving:
        return (serving or choices)[0]
    described = ", ".join("+".join(tags) for tags in choices)
    raise UsageError(f"{folder} has graphs for {described} and none for serving; export it again")


def _without_slots(folder: Path, document: Any, scratch: str) -> str:
    """Write the SavedModel without its optimizer's slots; its other files are linked."""
    target = Path(scratch)
    for graph in document.meta_graphs:
        for node in graph.object_graph_def.nodes:
            del node.slot_variables[:]
    (target / GRAPH_FILES[0]).write_bytes(document.SerializeToString())
    for each in folder.iterdir():
        if each.is_dir():
            (target / each.name).symlink_to(each.absolute())
    return scratch


def _load_problem(folder: Path, error: Exception) -> str:
    text = str(error)
    variables = folder / "variables" / "variables.index"
    if not variables.is_file() and ("variables" in text or "checkpoint" in text.lower()):
        return (
            f"{folder} has no variables folder, so its weights are missing; copy the whole "
            "SavedModel: saved_model.pb and variables/"
        )
    if "Op type not registered" in text or "not registered" in text:
        return (
            f"{folder} uses an operation that TensorFlow does not have "
            f"({reason(error)}); export the model without it"
        )
    if isinstance(error, FileNotFoundError) or "data-00000" in text or _DAMAGED.search(text):
        return (
            f"the weights of {folder} are damaged or incomplete ({reason(error)}); copy the "
            "whole folder again"
        )
    return f"TensorFlow cannot load the SavedModel {folder}: {reason(error)}; export it again"


def _functions(model: Any) -> Iterator[Function]:
    signatures = dict(getattr(model, "signatures", {}))
    for name in sorted(signatures, key=lambda name: (-_rank(name), name)):
        if name != "__saved_model_init_op":
            yield function_from_signature(name, signatures[name])
    names = [*_CALLED, *(name for name in vars(model) if name not in _CALLED)]
    traces: list[Function] = []
    for name in names:
        if name in signatures or (name.startswith("_") and name != "__call__"):
            continue
        function = getattr(model, name, None)
        found = getattr(function, "concrete_functions", ())
        made = (function_from_trace(name, function, concrete) for concrete in found)
        traces.extend(trace for trace in made if trace is not None)
    yield from sorted(traces, key=lambda trace: trace.is_training)


def _rank(name: str) -> int:
    return _DEFAULTS.index(name) if name in _DEFAULTS else -1


def _layer_names(document: Any) -> tuple[str, ...]:
    """Return the operations' names without what TensorFlow appends, in the graph's order."""
    names: dict[str, None] = {}
    for meta in document.meta_graphs:
        graphs = [meta.graph_def.node, *(each.node_def for each in meta.graph_def.library.function)]
        for nodes in graphs:
            names.update(dict.fromkeys(node.name for node in nodes))
        for node in meta.object_graph_def.nodes:
            names.update(dict.fromkeys(child.local_name for child in node.children))
    return tuple(names)


def _title(folder: Path, document: Any) -> str:
    version = document.meta_graphs[0].meta_info_def.tensorflow_version
    if (folder / "keras_metadata.pb").is_file():
        return f"Keras 2 SavedModel of TensorFlow {version}"
    return f"SavedModel of TensorFlow {version or '1'}"
