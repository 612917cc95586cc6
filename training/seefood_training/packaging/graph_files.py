"""Copies a `.tflite` or `.onnx` file into a bundle as its author exported it."""

import shutil
from pathlib import Path

from seefood.bundle import EXTRA, LITERT_MODEL, ONNX_MODEL
from seefood.errors import BundleError
from seefood_training.onnx_files import external_files


def copy_graph(file: Path, folder: Path) -> None:
    """Copy `file`, and the files that an ONNX graph keeps its weights in, into the empty `folder`.

    Raises `UsageError` if such a file is missing or elsewhere, `BundleError` if one cannot be
    copied.
    """
    is_onnx = file.suffix.lower() == ".onnx"
    names = external_files(file) if is_onnx else ()
    try:
        (folder / EXTRA).mkdir()
        shutil.copyfile(file, folder / (ONNX_MODEL if is_onnx else LITERT_MODEL))
        for name in names:
            target = folder / EXTRA / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.parent / name, target)
    except OSError as error:
        raise BundleError(f"{file} cannot be copied: {error}") from error
