"""Finds the model in what a user names: a file, a folder, an archive, or a location in a bucket."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from seefood.bundle import MANIFEST
from seefood.errors import SeefoodError, UsageError
from seefood.nearest import nearest_path
from seefood.records import ImageRef
from seefood.storage import fetch, open_store
from seefood.storage.uris import Location, parse_location
from seefood_training.packaging.archives import is_archive, unpack

GRAPH_FILES: Final = ("saved_model.pb", "saved_model.pbtxt")
_POINTER: Final = b"version https://git-lfs"
_MAX_DEPTH: Final = 4
_MAX_DOWNLOAD_BYTES: Final = 8 * 1024**3
_MAX_DOWNLOAD_FILES: Final = 5_000

_CURES: Final = {
    ".pt": "PyTorch's files hold Python code: export the model with `torch.onnx.export`",
    ".ckpt": "a checkpoint has no graph: export the model as a SavedModel, .keras or .onnx file",
    ".index": "a checkpoint has no graph: export the model as a SavedModel, .keras or .onnx file",
    ".safetensors": "it holds weights without a graph: export the model with `torch.onnx.export`",
    ".pkl": "a pickle runs code when it is read: save a Keras model with `model.save('m.keras')`",
    ".pb": "a frozen graph without signature: save it with `tf.compat.v1.saved_model.simple_save`",
    ".json": "a description without weights: export the model as a SavedModel or a Keras file "
    "(Teachable Machine: the tab Tensorflow, not Tensorflow.js)",
    ".mlmodel": "Core ML's form: export the model as .onnx or .tflite",
    ".xml": "OpenVINO's form: package the .onnx file or SavedModel that it was converted from",
    ".engine": "TensorRT's form, for one kind of GPU: package the .onnx file that it was made from",
    ".caffemodel": "Caffe's form: convert the model to .onnx",
    ".pdmodel": "PaddlePaddle's form: convert the model to .onnx with `paddle2onnx`",
    ".npz": "it holds weights without a graph: export the model as a SavedModel, .keras or .onnx "
    "file",
    ".h5": "it is not a whole HDF5 file: copy it again",
    ".tflite": "it is not a whole LiteRT file: copy it again",
    ".gz": "unpack it, and name the file or folder that was in it",
    ".ort": "ONNX Runtime's own form: package the .onnx file that it was made from",
    ".zip": "it is not a whole zip archive: get it again",
}
_SAME_CURE: Final = {
    ".pth": ".pt",
    ".ptl": ".pt",
    ".pte": ".pt",
    ".torchscript": ".pt",
    ".msgpack": ".npz",
    ".bin": ".safetensors",
    ".joblib": ".pkl",
    ".pickle": ".pkl",
    ".mlpackage": ".mlmodel",
    ".plan": ".engine",
    ".trt": ".engine",
    ".npy": ".npz",
    ".hdf5": ".h5",
    ".7z": ".gz",
    ".bz2": ".gz",
    ".rar": ".gz",
    ".xz": ".gz",
}
_MOST_TELLING: Final = (
    ".mlpackage",
    ".mlmodel",
    ".pt",
    ".pth",
    ".safetensors",
    ".index",
    ".ckpt",
    ".pkl",
    ".xml",
    ".engine",
    ".pb",
    ".json",
)
"""Of the files in a folder without a model, those whose form says what the folder is."""


@dataclass(frozen=True, slots=True)
class Found:
    """A model on this machine's disk."""

    path: Path
    """The folder of a SavedModel, or a file."""
    form: str
    """The name of its form in `seefood_training.packaging.forms.FORMS`."""
    folders: tuple[Path, ...]
    """Where its labels file may be, the nearest first."""
    notes: tuple[str, ...] = ()
    """What was chosen among several, one sentence each."""


@contextmanager
def located(model: str) -> Iterator[Found]:
    """Yield the model that `model` names; what was unpacked or downloaded is removed afterwards.

    Raises `UsageError` if there is none, or several without a rule that chooses.
    """
    with tempfile.TemporaryDirectory(prefix="seefood-model-") as scratch:
        folder = Path(scratch)
        location = parse_location(model)
        path = Path(location.key) if location.is_local else _downloaded(location, folder / "copy")
        if not path.exists() and path.with_name(f"{path.name}.index").is_file():
            raise UsageError(f"{model} is a checkpoint: {_CURES['.ckpt']}")
        if not path.exists():
            near = nearest_path(path)
            raise UsageError(
                f"there is no model at {model}; name a SavedModel folder or a file{near}"
            )
        if path.is_file() and file_form(path) is None and is_archive(path):
            around = path.absolute().parent
            path = _unpacked(path, folder / "unpacked")
            yield _found(path, (around,), model)
        else:
            yield _found(path, (), model)


def file_form(file: Path) -> str | None:
    """Return the form of `file` by its content; ONNX has no mark, so it goes by its suffix."""
    with file.open("rb") as stream:
        start = stream.read(8)
    if start == b"\x89HDF\r\n\x1a\n":
        return "h5"
    if start[4:8] == b"TFL3":
        return "tflite"
    if start[:2] == b"PK" and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as opened:
            return "keras" if {"config.json", "metadata.json"} <= set(opened.namelist()) else None
    return {".onnx": "onnx", ".keras": "keras"}.get(file.suffix.lower())


def _found(path: Path, around: tuple[Path, ...], model: str) -> Found:
    if path.is_file():
        _check_content(path)
        if path.name in GRAPH_FILES:
            return _found(path.absolute().parent, around, model)
        form = file_form(path)
        if form is None:
            raise UsageError(_unknown_file(path))
        return Found(path, form, (path.absolute().parent, *around))
    if (path / MANIFEST).is_file():
        raise UsageError(f"{path} is a bundle already; use it with `--model`")
    if _is_saved_model(path):
        variables = [file for file in path.glob("variables/*") if file.is_file()]
        # A model without variables may have empty files of them.
        filled = [file for file in variables if file.stat().st_size]
        for file in (*(path / name for name in GRAPH_FILES if (path / name).is_file()), *filled):
            _check_content(file)
        return Found(path, "saved_model", (path, path.absolute().parent, *around))
    return _below(path, around, model)


def _check_content(file: Path) -> None:
    """Raise `UsageError` if `file` is empty, or stands for a file that was not downloaded."""
    with file.open("rb") as stream:
        start = stream.read(len(_POINTER))
    if not start:
        raise UsageError(f"{file} is empty; get the model again from where it was made")
    if start == _POINTER:
        raise UsageError(
            f"{file} is a pointer of Git LFS and not the file itself; run `git lfs pull` in the "
            "repository that it is in, or download the file"
        )


def _below(root: Path, around: tuple[Path, ...], model: str) -> Found:
    """Return the only model below `root`, or the newest of TensorFlow Serving's versions."""
    folders = (root, *around)
    versions = [each for each in root.iterdir() if each.name.isdecimal() and _is_saved_model(each)]
    if versions:
        newest = max(versions, key=lambda each: int(each.name))
        notes = (
            (f"took version {newest.name}, the newest of {len(versions)}",)
            if len(versions) > 1
            else ()
        )
        return Found(newest, "saved_model", (newest, *folders), notes)
    models = sorted(_models_below(root, _MAX_DEPTH))
    if not models:
        raise UsageError(
            f"{model} has no model in it: no saved_model.pb, .keras, .h5, .tflite or .onnx file; "
            f"{_cure_of_folder(root)}"
        )
    if len(models) > 1:
        names = ", ".join(str(each.relative_to(root)) for each in models[:5])
        raise UsageError(f"{model} holds {len(models)} models ({names}); name the one to package")
    (found,) = models
    inner = _found(found, (), model)
    return Found(inner.path, inner.form, (*inner.folders, *folders), inner.notes)


def _cure_of_folder(root: Path) -> str:
    """Return what helps, by the most telling file of a folder without a model."""
    files = {each.suffix.lower(): each for each in sorted(root.iterdir(), reverse=True)}
    files[root.suffix.lower()] = root
    for suffix in _MOST_TELLING:
        if suffix in files:
            return f"{files[suffix].name}: {_CURES[_SAME_CURE.get(suffix, suffix)]}"
    for file in files.values():
        if file.is_file() and is_archive(file):
            return f"{file.name}: {_CURES['.gz']}"
    return (
        "write a SavedModel with `tf.saved_model.save(model, folder)` or Keras's "
        "`model.export(folder)`"
    )


def _models_below(folder: Path, depth: int) -> Iterator[Path]:
    for each in sorted(folder.iterdir()):
        if each.name.startswith((".", "__MACOSX")):
            continue
        if each.is_dir() and depth:
            if (each / MANIFEST).is_file():
                continue
            if _is_saved_model(each):
                yield each
            else:
                yield from _models_below(each, depth - 1)
        elif each.is_file() and each.suffix.lower() in {
            ".keras",
            ".h5",
            ".hdf5",
            ".tflite",
            ".onnx",
        }:
            yield each


def _is_saved_model(folder: Path) -> bool:
    return folder.is_dir() and any((folder / name).is_file() for name in GRAPH_FILES)


def _unpacked(archive: Path, folder: Path) -> Path:
    folder.mkdir()
    unpack(archive, folder)
    return folder


def _unknown_file(file: Path) -> str:
    suffix = file.suffix.lower()
    cure = _CURES.get(_SAME_CURE.get(suffix, suffix))
    if cure is None:
        cure = "name a SavedModel folder, or a .keras, .h5, .tflite, .onnx or .zip file"
    return f"{file} is not a model that can be packaged: {cure}"


def _downloaded(location: Location, folder: Path) -> Path:
    """Return the local copy of the file or folder at `location`."""
    root = location.key.rstrip("/")
    name = PurePosixPath(root).name or "model"
    try:
        refs = list(open_store(location.root).list(root))
        for ref in _checked(refs, location):
            key = parse_location(ref.uri).key
            target = folder / name / PurePosixPath(key).relative_to(root or ".")
            if ".." in target.parts:
                raise UsageError(f"{location.uri} has an object {key!r} outside its folder")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(fetch(ref))
    except UsageError:
        raise
    except SeefoodError as error:
        raise UsageError(f"the model {location.uri} cannot be read: {error}") from error
    return folder / name


def _checked(refs: list[ImageRef], location: Location) -> list[ImageRef]:
    """Return the refs at or below `location`, after checking that they may be a model."""
    root = location.key.rstrip("/")
    own = [
        ref
        for ref in refs
        if not root or (key := parse_location(ref.uri).key) == root or key.startswith(f"{root}/")
    ]
    total = sum(ref.size_bytes for ref in own)
    if not own:
        raise UsageError(f"there is no model at {location.uri}; check the bucket and the key")
    if len(own) > _MAX_DOWNLOAD_FILES or total > _MAX_DOWNLOAD_BYTES:
        raise UsageError(
            f"{location.uri} holds {len(own):,} objects of {total:,} bytes, more than a model "
            "does; name the model's own folder"
        )
    return own
