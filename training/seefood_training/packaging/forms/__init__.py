"""The forms of models that can be packaged: one module each, and a table.

To add a form, write a module with a function from `Found` to `Opened`, add it to `FORMS`, and let
`seefood_training.packaging.locate.file_form` recognise its files.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Final, cast

from seefood.errors import UsageError
from seefood_training.packaging.locate import Found
from seefood_training.packaging.network import Opened

FORMS: Final = {
    "saved_model": "seefood_training.packaging.forms.saved_model:open_saved_model",
    "keras": "seefood_training.packaging.forms.keras_file:open_keras_file",
    "h5": "seefood_training.packaging.forms.keras_file:open_keras_file",
    "tflite": "seefood_training.packaging.forms.litert_file:open_litert_file",
    "onnx": "seefood_training.packaging.forms.onnx_file:open_onnx_file",
}
"""`module:function` of each form; imported when a model has that form."""


_TENSORFLOW_FORMS: Final = ("saved_model", "keras", "h5")


def open_model(found: Found) -> Opened:
    """Return the model `found`, opened. Raises `UsageError` for one that cannot be opened."""
    if found.form in _TENSORFLOW_FORMS:
        if find_spec("tensorflow") is None:
            raise UsageError(
                f"{found.path} needs TensorFlow, which is not installed; "
                'run `pip install "seefood[train]"`'
            )
        import seefood.engines.tensorflow  # noqa: F401 (imports it without its log output)
    module, _, function = FORMS[found.form].partition(":")
    return cast("Opened", getattr(import_module(module), function)(found))
