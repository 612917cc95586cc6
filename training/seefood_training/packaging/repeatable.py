"""Refuses a function whose answer to a picture depends on anything but the picture.

Two kinds of check. The function runs on each picture alone, on all together, and again; and its
graph is searched for operations that draw random numbers or compute from a whole batch, because a
few runs may miss a rare effect.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.imaging.decode import Pixels
from seefood.synthetic import KINDS, draw_picture
from seefood_training.packaging.answers import Values, rows_of
from seefood_training.packaging.network import Function
from seefood_training.packaging.picture_input import PictureInput
from seefood_training.packaging.pixels import arithmetic, prepared, run

_TOLERANCE: Final = 2e-3
"""Of the largest number; float16 arithmetic on another batch size differs by about half of it."""
_RANDOM: Final = ("Random", "Multinomial", "Rng", "TruncatedNormal", "Stateful", "Bernoulli")
_NOT_RANDOM: Final = ("StatefulPartitionedCall", "RandomDataset")
_BRANCHES: Final = frozenset({"then_branch", "else_branch", "branches"})


@lru_cache(maxsize=4)
def probe_pictures(height: int, width: int, channels: int) -> Pixels:
    """Return drawings and noise to run a model on, uint8 of `(n, height, width, channels)`.

    Equal calls return the same array, which is read-only.
    """
    rng = np.random.default_rng(0)
    drawn = [
        np.asarray(draw_picture(kind, 1, (max(16, width), max(16, height))))[:height, :width]
        for kind in KINDS
    ]
    noise = rng.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    images = np.concatenate([np.stack(drawn), noise])
    if channels == 1:
        weights = np.array([0.299, 0.587, 0.114])
        images = np.asarray(np.rint(images @ weights)[..., np.newaxis], np.uint8)
    images.flags.writeable = False
    return images


def unrepeatable(function: Function, source: PictureInput, ranges: tuple[str, ...]) -> str | None:
    """Return how the answers of `function` to one picture differ, or None if they do not.

    `ranges` are the input ranges under which it is tried.
    """
    images = probe_pictures(source.height, source.width, source.channels)
    few = np.concatenate([images[:4], images[-2:]])
    for name in ranges:
        inputs = prepared(few, source, arithmetic(name, None))
        together = rows_of(run(function, source, inputs), len(few))
        again = rows_of(run(function, source, inputs), len(few))
        if (difference := _difference(together, again)) > _TOLERANCE:
            return f"the same picture gets another answer each time (by {difference:.2g})"
        if source.one_by_one:
            continue
        alone = [
            rows_of(run(function, source, inputs[at : at + 1]), 1) for at in range(len(inputs))
        ]
        joined = {
            key: np.concatenate([row[key] for row in alone])
            for key in together
            if all(key in row for row in alone)
        }
        if (difference := _difference(together, joined)) > _TOLERANCE:
            return (
                "a picture's answer depends on the pictures beside it in the batch "
                f"(by {difference:.2g})"
            )
    return None


def random_operation(graph: Any) -> str | None:
    """Return the operation of a frozen `GraphDef` that draws random numbers or uses a batch.

    Branches that are not known to be taken do not count: Keras 2 keeps its training in such.
    """
    library = {each.signature.name: each.node_def for each in graph.library.function}
    for node in _active(graph.node, library, set()):
        if any(part in node.op for part in _RANDOM) and not node.op.startswith(_NOT_RANDOM):
            return f"the operation {node.op} ({node.name}) draws random numbers"
        # Reading an absent key of a protobuf map would add it.
        if "is_training" in node.attr and node.attr["is_training"].b:
            return f"the batch normalisation {node.name} computes its mean from the batch"
    return None


def is_stateless(graph: Any) -> bool:
    """Return whether each operation of a frozen `GraphDef` computes from its inputs alone."""
    import tensorflow as tf

    with tf.Graph().as_default() as imported:
        tf.graph_util.import_graph_def(graph, name="")
    return not any(each.op_def.is_stateful for each in imported.get_operations())


def _active(nodes: Any, library: dict[str, Any], seen: set[str]) -> Iterator[Any]:
    for node in nodes:
        yield node
        for key, value in node.attr.items():
            name = value.func.name
            if name and key not in _BRANCHES and name in library and name not in seen:
                seen.add(name)
                yield from _active(library[name], library, seen)


def _difference(first: dict[str, Values], second: dict[str, Values]) -> float:
    """Return the largest difference of an output, as a share of its largest number."""
    largest = 0.0
    for key, values in first.items():
        if key in second and values.shape == second[key].shape:
            largest = max(largest, _share(values, second[key]))
    return largest


def _share(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    finite = np.isfinite(first) & np.isfinite(second)
    if not finite.any():
        return 0.0
    difference = np.abs(first - second)[finite].max()
    return float(difference / max(float(np.abs(first[finite]).max()), 1e-6))
