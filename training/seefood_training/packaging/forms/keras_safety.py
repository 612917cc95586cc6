"""Refuses Keras files that run code of their maker when they are read.

Both forms describe layers as JSON. A Lambda layer holds Python bytecode, a custom layer names a
module to import, and an operation of Keras 2 names any function of TensorFlow's, those that write
files included. The description is checked before Keras sees it.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from seefood.errors import UsageError

_LAMBDAS: Final = frozenset({"Lambda", "__lambda__"})
_OPERATION_LAYERS: Final = frozenset(
    {"TFOpLambda", "SlicingOpLambda", "InstanceMethod", "ClassMethod"}
)
_HARMLESS_OPERATIONS: Final = (
    "math.",
    "nn.",
    "linalg.",
    "image.",
    "__operators__.",
    "compat.v1.nn.",
    "compat.v1.math.",
    "compat.v1.image.",
    "cast",
    "clip_by_value",
    "compat.v1.transpose",
    "concat",
    "convert_to_tensor",
    "expand_dims",
    "identity",
    "keras.backend.",
    "reshape",
    "reverse",
    "squeeze",
    "stack",
    "split",
    "tile",
    "transpose",
    "unstack",
)
_MAX_CONFIG_BYTES: Final = 64 * 1024 * 1024


def description(file: Path, form: str) -> tuple[Mapping[str, Any], str]:
    """Return the JSON description of the model in `file`, checked, and the version of Keras.

    Raises `UsageError` for weights without a model, and for a file that would run code.
    """
    config, version = _from_zip(file) if form == "keras" else _from_hdf5(file)
    try:
        document = json.loads(config)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the description of the layers in {file} is damaged: {error}") from error
    for part in _parts(document):
        if (problem := _problem(part)) is not None:
            raise UsageError(
                f"{file} holds {problem}, which is not run; write the same with Keras's own layers "
                "(Rescaling in place of a Lambda that divides), or export a SavedModel with "
                f"{export_call(version)}"
            )
    return document, version


def stateful_layer(document: Mapping[str, Any]) -> str | None:
    """Return the name of a layer that keeps its state from one batch to the next, or None."""
    for part in _parts(document):
        config = part.get("config")
        if isinstance(config, Mapping) and config.get("stateful") is True:
            return str(config.get("name") or part.get("class_name"))
    return None


def export_call(version: str) -> str:
    """Return the call that writes a SavedModel in the given version of Keras."""
    call = "save" if version.startswith(("1", "2")) else "export"
    return f"`model.{call}('folder')`"


def _problem(part: Mapping[str, Any]) -> str | None:
    name, module, config = part.get("class_name"), part.get("module"), part.get("config")
    own = config.get("name") if isinstance(config, Mapping) else None
    if name in _LAMBDAS:
        return f"a Lambda layer ({own or 'without a name'}), Python code of its maker"
    if name in _OPERATION_LAYERS and isinstance(config, Mapping):
        operation = str(config.get("function") or config.get("symbol") or "")
        if name != "SlicingOpLambda" and not operation.startswith(_HARMLESS_OPERATIONS):
            return f"a call of TensorFlow's {operation or name}"
    is_keras = module is None or module in {"keras", "builtins"} or str(module).startswith("keras.")
    if name is not None and not is_keras:
        return f"a custom object, {module}.{name}"
    if name is not None and part.get("registered_name") not in {None, name, ""} and module is None:
        return f"a custom object, {part['registered_name']}"
    return None


def _parts(document: Any) -> Iterator[Mapping[str, Any]]:
    todo = [document]
    while todo:
        part = todo.pop()
        if isinstance(part, Mapping):
            yield part
            todo.extend(part.values())
        elif isinstance(part, list):
            todo.extend(part)


def _from_zip(file: Path) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(file) as opened:
            if opened.getinfo("config.json").file_size > _MAX_CONFIG_BYTES:
                raise UsageError(f"{file} has a description of the layers of more than 64 MiB")
            version = json.loads(opened.read("metadata.json")).get("keras_version", "3")
            return opened.read("config.json").decode(), str(version)
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, AttributeError) as error:
        raise UsageError(f"{file} is not a whole .keras file ({error}); copy it again") from error


def _from_hdf5(file: Path) -> tuple[str, str]:
    import h5py

    try:
        with h5py.File(file, "r") as opened:
            config = opened.attrs.get("model_config")
            version = opened.attrs.get("keras_version", "2")
            if config is None:
                raise UsageError(
                    f"{file} holds weights without the model (`save_weights`): load them into the "
                    "model and save it whole, with `model.save('model.keras')`"
                )
            opened.visititems_links(lambda name, link: _refuse_link(name, link, file))
    except (OSError, KeyError, RuntimeError) as error:
        raise UsageError(f"{file} is not a whole HDF5 file ({error}); copy it again") from error
    return _text(config), _text(version)


def _refuse_link(name: str, link: Any, file: Path) -> None:
    import h5py

    if isinstance(link, h5py.ExternalLink):
        raise UsageError(f"{file} takes {name} from another file, {link.filename}; save it whole")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
