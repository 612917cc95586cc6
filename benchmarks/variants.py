"""What a faster variant of the same network costs in accuracy, on the test photos.

    python -m benchmarks.variants [BUNDLE …]        default: the benchmark's network and its int8

Each engine that can serve a bundle labels every test photo; the first line of a bundle is what the
others are compared with. Milliseconds are processor time, so a busy machine changes them little.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.network import ensure_networks
from benchmarks.setting import DATA
from seefood.bundle import Bundle, load_bundle
from seefood.engines.loading import load_engine
from seefood.errors import StopError
from seefood.imaging.decode import Pixels, decode

_ENGINES: Final = ("litert", "openvino", "openvino-bf16")


def labelled_photos(every: int = 1) -> list[Path]:
    """Return the test photos, each in a folder of its label's name; `every` thins them out."""
    return sorted((DATA / "hotdog" / "test").glob("*/*.jpg"))[::every]


def decoded(files: Sequence[Path], bundle: Bundle) -> Pixels:
    """Return the photos as the bundle's network takes them."""
    return np.stack([decode(file.read_bytes(), bundle.spec.rule).pixels for file in files])


def right(answers: NDArray[np.float32], files: Sequence[Path], bundle: Bundle) -> float:
    """Return the share of photos whose best label is their folder's name, in percent."""
    said = [bundle.labels[at] for at in answers.argmax(axis=1)]
    truth = [file.parent.name for file in files]
    return 100 * float(np.mean([a == b for a, b in zip(said, truth, strict=True)]))


def main(paths: Sequence[Path]) -> None:
    """Print a table."""
    files = labelled_photos()
    if not files:
        sys.exit(f"there are no test photos at {DATA}; set SEEFOOD_SHARED to where they are")
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
            answers = engine.predict(pixels)
            each = 1000 * (time.process_time() - cpu) / len(files)
            first = answers if first is None else first
            lost = right(first, files, bundle) - right(answers, files, bundle)
            same = 100 * float((first.argmax(axis=1) == answers.argmax(axis=1)).mean())
            print(
                f"{path.name + ' ' + name:<40} {right(answers, files, bundle):7.2f} {lost:12.2f} "
                f"{same:13.2f} {np.abs(answers - first).max():14.5f} {each:7.2f}",
                flush=True,
            )


if __name__ == "__main__":
    given = [Path(text) for text in sys.argv[1:]]
    main(given or [ensure_networks().float32, ensure_networks().int8])
