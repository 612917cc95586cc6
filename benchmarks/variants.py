"""The accuracy that faster variants of a network lose on the test photos.

    python -m benchmarks.variants [BUNDLE …]        default: the benchmark's network and its int8

Each engine that can run a bundle labels every test photo. All lines are compared with the first.
Milliseconds are CPU time, which other load hardly changes.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.networks import ensure_networks
from benchmarks.settings import DATA
from seefood.bundle import Bundle, load_bundle
from seefood.engines.loading import load_engine
from seefood.errors import StopError
from seefood.imaging.decode import Pixels, decode

_ENGINES: Final = ("litert", "openvino", "openvino-bf16")


def labelled_photos(every: int = 1) -> list[Path]:
    """Return every `every`th test photo; the folder's name is the label."""
    return sorted((DATA / "hotdog" / "test").glob("*/*.jpg"))[::every]


def decoded(files: Sequence[Path], bundle: Bundle) -> Pixels:
    """Return the photos as the network's input, uint8 of shape `(n, height, width, 3)`."""
    return np.stack([decode(file.read_bytes(), bundle.spec.rule).pixels for file in files])


def accuracy_percent(
    probabilities: NDArray[np.float32], files: Sequence[Path], bundle: Bundle
) -> float:
    """Return the share of photos whose best label is their folder's name, in percent."""
    labels = [bundle.labels[at] for at in probabilities.argmax(axis=1)]
    truth = [file.parent.name for file in files]
    return 100 * float(np.mean([a == b for a, b in zip(labels, truth, strict=True)]))


def main(paths: Sequence[Path]) -> None:
    """Print a table."""
    files = labelled_photos()
    if not files:
        sys.exit(f"there are no test photos in {DATA}; set SEEFOOD_SHARED to their folder")
    print(f"{len(files)} test photos")
    print(f"{'bundle and engine':<40} right %  points lost  same label %  largest diff.  CPU ms")
    first: NDArray[np.float32] | None = None
    for path in paths:
        bundle = load_bundle(path)
        pixels = decoded(files, bundle)
        for name in _ENGINES:
            try:
                engine = load_engine(bundle, name)
            except StopError as error:
                print(f"{path.name} {name}: {error}")
                continue
            cpu = time.process_time()
            probabilities = engine.predict(pixels)
            milliseconds = 1000 * (time.process_time() - cpu) / len(files)
            first = probabilities if first is None else first
            accuracy = accuracy_percent(probabilities, files, bundle)
            lost = accuracy_percent(first, files, bundle) - accuracy
            same = 100 * float((first.argmax(axis=1) == probabilities.argmax(axis=1)).mean())
            difference = np.abs(probabilities - first).max()
            print(
                f"{path.name + ' ' + name:<40} {accuracy:7.2f} {lost:12.2f} "
                f"{same:13.2f} {difference:14.5f} {milliseconds:7.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main(
        [Path(text) for text in sys.argv[1:]] or [ensure_networks().float32, ensure_networks().int8]
    )
