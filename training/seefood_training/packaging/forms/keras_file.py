"""`.keras` and `.h5` files of Keras 2 and 3."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from seefood.engines.native_stderr import native_output_logged
from seefood.errors import UsageError
from seefood_training.packaging.forms.keras_safety import (
    description,
    export_call,
    stateful_layer,
)
from seefood_training.packaging.forms.tensorflow_functions import function_from_call
from seefood_training.packaging.locate import Found
from seefood_training.packaging.network import Opened
from seefood_training.reasons import reason

_SUFFIXES: Final = {"keras": ".keras", "h5": ".h5"}


def open_keras_file(found: Found) -> Opened:
    """Return the model in the file, with all that is active in training only switched off.

    A file of Keras 2 is read by tf_keras, because Keras 3 reads many of its layers differently or
    not at all. Raises `UsageError` for a file that is damaged, holds code, or cannot be read.
    """
    document, version = description(found.path, found.form)
    is_old = version.startswith(("1", "2"))
    if is_old and find_spec("tf_keras") is None:
        raise UsageError(
            f"{found.path} is a file of Keras {version}, which needs tf_keras; "
            'run `pip install "seefood[train]"`'
        )
    if (layer := stateful_layer(document)) is not None:
        raise UsageError(
            f"{found.path} has a layer that remembers earlier pictures ({layer}, stateful=True); "
            "build the model again without `stateful`, give it the weights "
            "(`new.set_weights(old.get_weights())`) and save that"
        )
    model = _load(found, version, "tf_keras" if is_old else "keras")
    inputs = list(_inputs(model, found.path))
    single = len(inputs) == 1

    def call(tensors: Mapping[str, Any]) -> Any:
        values = [tensors[spec.name] for spec in inputs]
        result = model(values[0] if single else values, training=False)
        names = list(getattr(model, "output_names", None) or ())
        if isinstance(result, list | tuple) and len(names) == len(result):
            return dict(zip(names, result, strict=True))
        return result

    try:
        function = function_from_call("model", inputs, call)
    except Exception as error:
        raise UsageError(
            f"the model in {found.path} cannot be run ({reason(error)}); export it with "
            f"{export_call(version)} and package that folder"
        ) from error
    kind = "HDF5 file" if found.form == "h5" else ".keras file"
    return Opened(
        f"Keras {version.split('.')[0]} {kind}",
        (function,),
        owner=model,
        layers=tuple(_names(document)),
    )


def _load(found: Found, version: str, library: str) -> Any:
    if library == "keras":
        import keras
    else:
        import tf_keras as keras
    suffix = _SUFFIXES[found.form]
    try:
        with native_output_logged(), tempfile.TemporaryDirectory(prefix="seefood-model-") as folder:
            path = found.path
            if path.suffix != suffix:  # Keras goes by the name
                path = Path(folder) / f"model{suffix}"
                path.symlink_to(found.path.absolute())
            return keras.saving.load_model(str(path), compile=False, safe_mode=True)
    except Exception as error:
        raise UsageError(_problem(found.path, version, error)) from error


def _problem(file: Path, version: str, error: Exception) -> str:
    text = str(error)
    if match := re.search(r"(?:locate class|[Uu]nknown (?:layer|object)):? *'?([\w>.]+)", text):
        return (
            f"{file} holds {match[1]}, which is not one of Keras's own layers, and its code is not "
            f"in the file; export a SavedModel with {export_call(version)} where that code is"
        )
    if version.startswith("1"):
        return (
            f"{file} is a file of Keras {version}, which no later TensorFlow reads; load it with "
            "Keras 2.2 or 2.3 (`keras.models.load_model`), which read both, and save it again "
            "(`model.save`)"
        )
    return (
        f"Keras cannot read {file} ({reason(error)}); export a SavedModel with "
        f"{export_call(version)} where it was trained"
    )


def _inputs(model: Any, file: Path) -> Iterator[Any]:
    import tensorflow as tf

    try:
        tensors = model.inputs
    except (AttributeError, ValueError):
        tensors = None
    if not tensors:
        raise UsageError(
            f"the model in {file} does not say what it takes; call "
            "`model.build((None, height, width, 3))` before it is saved"
        )
    for at, each in enumerate(tensors):
        name = str(getattr(each, "name", f"input_{at}")).split(":", maxsplit=1)[0]
        # A model of Keras takes any number of pictures, whatever its training took.
        yield tf.TensorSpec((None, *tuple(each.shape)[1:]), each.dtype, name=name)


def _names(part: Any) -> Iterator[str]:
    """Yield the class and the name of each layer, in order."""
    if isinstance(part, Mapping):
        config = part.get("config")
        if isinstance(config, Mapping) and isinstance(config.get("name"), str):
            yield str(part.get("class_name"))
            yield config["name"]
        for each in part.values():
            yield from _names(each)
    elif isinstance(part, list):
        for each in part:
            yield from _names(each)
