"""Writes the bundle of a model: its graph, or its file as it is.

Another process checks a bundle whose graph may answer otherwise there.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seefood.bundle import EXTRA, Adapter, Bundle, load_bundle
from seefood.bundle.adapter import Quantisation
from seefood.engines.loading import create_engine, has_graph
from seefood.engines.registry import engine_spec
from seefood.errors import BundleError, UsageError
from seefood.imaging.decode import Pixels
from seefood.imaging.fit import covered_size
from seefood.imaging.resize_rule import ResizeRule
from seefood.import_path import search_path
from seefood_training.export import write_graphs
from seefood_training.frozen_graph import FrozenGraph
from seefood_training.graph_freezing import freeze
from seefood_training.packaging.answers import Answers, Values
from seefood_training.packaging.examples import Examples, resized
from seefood_training.packaging.graph_files import copy_graph
from seefood_training.packaging.graphs import concrete, constant_function, probabilities_function
from seefood_training.packaging.network import Function, Opened
from seefood_training.packaging.picture_input import PictureInput
from seefood_training.packaging.pixels import PixelArithmetic
from seefood_training.packaging.repeatable import is_stateless
from seefood_training.reasons import reason
from seefood_training.sealing import Draft, new_bundle, seal_bundle

_PROCESS_SECONDS: Final = 300
_FAITHFUL: Final = 0.02
"""Largest difference of a bundle's probability from the model's own; float16 rounds that much."""
_MAX_EXAMPLE_BYTES: Final = 8 * 1024 * 1024
_ENGINES: Final = ("litert", "onnxruntime", "tensorflow")
_CERTIFY: Final = (
    "import sys; from seefood.bundle import load_bundle; "
    "from seefood.engines.loading import load_engine; load_engine(load_bundle(sys.argv[1]))"
)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a bundle is made of."""

    name: str
    labels: tuple[str, ...]
    thresholds: tuple[float, ...]
    rule: ResizeRule
    function: Function
    source: PictureInput
    arithmetic: PixelArithmetic
    answers: Answers
    opened: Opened
    frozen: FrozenGraph | None
    """The graph of `function`, if it is TensorFlow's and can be frozen."""
    record: Mapping[str, Any]
    reference: Callable[[NDArray[np.uint8]], Values]
    """The model's own probabilities, of `(n, labels)`, for pictures in the network's size."""
    examples: Examples | None = None
    onnx: bool = False
    """Whether to write an ONNX file too."""


@dataclass(frozen=True, slots=True)
class Written:
    """The bundle, and what a user should know of it."""

    bundle: Bundle
    engines: tuple[str, ...]
    """The engines that have a graph in it; the first is the one that `auto` takes."""
    litert_error: str | None


def write_bundle_of(contents: Contents, output: Path, *, overwrite: bool) -> Written:
    """Write the bundle to the folder `output`; atomic.

    Raises `BundleError` if `output` exists, if an engine does not give the model's own answers, or
    if another process gets other answers. None is asked where no operation of the graph can differ.
    """
    with (
        new_bundle(output, overwrite=overwrite) as folder,
        tempfile.TemporaryDirectory(prefix="seefood-examples-") as scratch,
    ):
        graphs = _Graphs(None, is_stateless=False)
        if contents.opened.file is not None:
            copy_graph(contents.opened.file, folder)
        else:
            graphs = _write_graphs(contents, folder)
        examples = _write_examples(contents, Path(scratch))
        bundle = seal_bundle(folder, _draft(contents, examples))
        engines = tuple(name for name in _ENGINES if has_graph(bundle, engine_spec(name).graph))
        _check_faithful(contents, bundle, engines[0])
        if not graphs.is_stateless:
            _check_other_process(folder)
    return Written(load_bundle(output), engines, graphs.litert_error)


def _draft(contents: Contents, examples: tuple[Path, ...]) -> Draft:
    return Draft(
        contents.name,
        contents.labels,
        contents.rule,
        contents.thresholds,
        contents.record,
        multi_label=contents.answers.multi_label,
        adapter=None if contents.opened.file is None else _adapter(contents),
        examples=examples,
    )


@dataclass(frozen=True, slots=True)
class _Graphs:
    """What is known of the graphs in a bundle."""

    litert_error: str | None
    """Why LiteRT cannot run it, or None."""
    is_stateless: bool
    """Whether each operation is known to compute from its inputs alone."""


def _write_graphs(contents: Contents, folder: Path) -> _Graphs:
    """Write the graphs of TensorFlow's function."""
    source, own = contents.source, contents.function
    if contents.frozen is not None:
        own = constant_function(own, source, contents.frozen)
    function = probabilities_function(own, source, contents.arithmetic, contents.answers)
    try:
        frozen = freeze(concrete(function, source), ["probabilities"])
        single = (
            freeze(concrete(function, source, 1), ["probabilities"]) if source.one_by_one else None
        )
    except Exception as error:
        if contents.onnx:
            raise UsageError(f"this graph cannot be converted to ONNX: {reason(error)}") from error
        _save_unfrozen(contents.opened.owner, function, folder, source)
        message = f"its graph cannot be made constant: {reason(error)}"
        return _Graphs(message, is_stateless=False)
    refusal = write_graphs(frozen, folder, contents.rule, onnx=contents.onnx, single=single)
    return _Graphs(refusal, is_stateless(frozen.graph))


def _save_unfrozen(model: Any, function: Any, folder: Path, source: PictureInput) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.model = model  # owns the variables and tables that the function uses
    signature = concrete(lambda image: {"probabilities": function(image)}, source)
    tf.saved_model.save(module, str(folder), signatures={"serving_default": signature})
    (folder / EXTRA).mkdir(exist_ok=True)


def _adapter(contents: Contents) -> Adapter:
    """Return how the file's graph is called."""
    source, answers, pixels = contents.source, contents.answers, contents.arithmetic
    if source.others:
        raise UsageError(
            f"{contents.function.name} takes {', '.join(map(str, contents.function.inputs))}; a "
            "file is run as it is, with the picture alone: export the model with one input"
        )
    spec = source.spec
    result = next(each for each in contents.function.outputs if each.name == answers.output)
    layout = source.layout if source.has_batch else source.layout.removeprefix("n")
    return Adapter(
        dtype=spec.dtype,  # type: ignore[arg-type]  # `picture_input` allows numbers only
        layout=layout,  # type: ignore[arg-type]  # the layouts without their first letter
        scale=pixels.scale,
        offset=pixels.offset,
        order="bgr" if pixels.reverse else "rgb",
        input_quantisation=Quantisation(spec.scale, spec.zero_point) if spec.scale else None,
        batch=1 if source.is_single or contents.opened.one_by_one else None,
        output=result.name,
        output_quantisation=(
            Quantisation(result.scale, result.zero_point) if result.scale else None
        ),
        activation=answers.activation,
        positive=answers.positive,
    )


def _write_examples(contents: Contents, folder: Path) -> tuple[Path, ...]:
    """Write the examples in the network's size, without loss: small, and alike on any machine."""
    files: list[Path] = []
    total = 0
    for at, example in enumerate(contents.examples.items if contents.examples else ()):
        pixels = uncropped(resized(example.data, contents.rule), contents.rule)
        file = folder / f"{at + 1:03}.png"
        Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(file)
        total += file.stat().st_size
        if total > _MAX_EXAMPLE_BYTES:
            break
        files.append(file)
    return tuple(files)


def uncropped(pixels: Pixels, rule: ResizeRule) -> Pixels:
    """Return `pixels` with edges around them, so that a rule that crops takes them again."""
    height, width = pixels.shape[:2]
    if rule.fit != "crop" or rule.crop_share == 1.0:
        return pixels
    across, down = covered_size(rule, (width, height))
    left, top = round((across - width) / 2), round((down - height) / 2)
    edges = [(top, down - height - top), (left, across - width - left), (0, 0)]
    return np.pad(pixels, edges, mode="edge")


def _check_faithful(contents: Contents, bundle: Bundle, name: str) -> None:
    """Raise `BundleError` if the bundle's engine does not give the model's own answers."""
    goldens = bundle.spec.certificate.goldens
    images = np.stack(
        [resized(bundle.file(each.file).read_bytes(), contents.rule) for each in goldens]
    )
    own = contents.reference(images)
    difference = float(np.abs(create_engine(bundle, name).predict(images) - own).max())
    if not difference <= _FAITHFUL:
        raise BundleError(
            f"the {name} engine's answers differ from the model's own by {difference:.4f}; package "
            "another form of the model: a SavedModel, a .keras or an .onnx file"
        )


def _check_other_process(folder: Path) -> None:
    """Raise `UsageError` if another process does not reproduce the certificate."""
    done = subprocess.run(  # noqa: S603 (this Python, our own code)
        [sys.executable, "-P", "-c", _CERTIFY, str(folder)],
        env={**os.environ, "PYTHONPATH": search_path()},
        capture_output=True,
        text=True,
        timeout=_PROCESS_SECONDS,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1][:300]
        raise UsageError(
            f"another process gets other answers from this model ({last}); export it without "
            "anything random or stateful"
        )
