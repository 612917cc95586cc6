"""Makes a bundle of a `.tflite` or `.onnx` file as its author exported it. Needs no TensorFlow.

The file is copied unchanged; the draft's adapter states how it is called.
"""

import shutil
from pathlib import Path
from typing import Final

from seefood.bundle import EXTRA, LITERT_MODEL, ONNX_MODEL, Adapter, Bundle, load_bundle
from seefood.errors import BundleError, UsageError
from seefood_training.onnx_files import external_files
from seefood_training.sealing import Draft, new_bundle, seal_bundle

_TARGETS: Final = {".tflite": LITERT_MODEL, ".onnx": ONNX_MODEL}


def package_as_is(source: Path, output: Path, draft: Draft, *, overwrite: bool = False) -> Bundle:
    """Write the bundle of the graph file `source` to the folder `output`, certified.

    The draft's adapter is required and the certificate has the answers of the engine that runs the
    file: LiteRT or ONNX Runtime. Files that an ONNX graph keeps its weights in are copied too.
    Atomic: written beside `output`, then renamed. Raises `UsageError` if the engine's library is
    not installed, `BundleError` if `output` exists or the graph does not fit the draft.
    """
    target = _TARGETS.get(source.suffix.lower())
    if target is None or not isinstance(draft.adapter, Adapter):
        raise UsageError(f"{source} is not a .tflite or .onnx file with an adapter")
    with new_bundle(output, overwrite=overwrite) as folder:
        (folder / EXTRA).mkdir()
        try:
            shutil.copyfile(source, folder / target)
            for name in external_files(source) if target == ONNX_MODEL else ():
                copy = folder / EXTRA / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source.parent / name, copy)
        except OSError as error:
            raise BundleError(f"{source} cannot be copied: {error}") from error
        seal_bundle(folder, draft)
    return load_bundle(output)
