"""A table of trained bundles: accuracy, parameters, size, time per picture by engine.

    python -m benchmarks.zoo BUNDLE …

Accuracy and parameters are read from the bundles. Times are medians in milliseconds of wall time,
one picture at a time, with the engines in turns.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from seefood.bundle import LITERT_MODEL, Bundle, load_bundle
from seefood.engines.base import Engine
from seefood.engines.loading import load_engine
from seefood.errors import StopError

_ENGINES: Final = ("litert", "tensorflow", "openvino")
_ROUNDS: Final = 5
_PICTURES: Final = 20


def milliseconds(engines: Sequence[Engine], bundle: Bundle) -> list[float]:
    """Return each engine's time for one picture."""
    rule = bundle.spec.rule
    picture = np.random.default_rng(0).integers(0, 256, (1, rule.height, rule.width, 3), np.uint8)
    times: list[list[float]] = [[] for _ in engines]
    for round_ in range(_ROUNDS):
        for engine, values in zip(engines, times, strict=True):
            for _ in range(_PICTURES):
                start = time.perf_counter()
                engine.predict(picture)
                if round_ > 0:  # the first round warms caches
                    values.append(1000 * (time.perf_counter() - start))
    return [median(each) for each in times]


def row(path: Path) -> str:
    """Return the table row of the bundle at `path`."""
    bundle = load_bundle(path)
    engines, cells = [], dict.fromkeys(_ENGINES, "-")
    for name in _ENGINES:
        try:
            engines.append(load_engine(bundle, name))
        except StopError as error:
            print(f"{path.name} {name}: {error}", file=sys.stderr)
    for engine, value in zip(engines, milliseconds(engines, bundle), strict=True):
        cells[engine.name] = f"{value:.1f}"
    spec, size = bundle.spec, (path / LITERT_MODEL).stat().st_size / 1e6
    accuracy = spec.metrics["test"]["accuracy"]
    low, high = accuracy["interval_95"]
    parts = (
        f"`{spec.name}`: {spec.training['network']}",
        str(spec.rule.height),
        f"{spec.training['parameters']:,}",
        f"{size:.1f} ({spec.training['quantisation']})",
        f"{accuracy['value']:.3f} ({low:.3f} to {high:.3f})",
        *cells.values(),
    )
    return "| " + " | ".join(parts) + " |"


def main(paths: Sequence[Path]) -> None:
    """Print a table in Markdown."""
    titles = ("bundle", "input", "parameters", "LiteRT file, MB", "test accuracy")
    print("| " + " | ".join((*titles, *(f"{name}, ms" for name in _ENGINES))) + " |")
    print("|" + " --- |" * (len(titles) + len(_ENGINES)))
    for path in paths:
        print(row(path), flush=True)


if __name__ == "__main__":
    main([Path(text) for text in sys.argv[1:]])
