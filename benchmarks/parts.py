"""The CPU time of each processing step of a web photo, for benchmarks/README.md.

    python -m benchmarks.parts

Takes a minute. Measures `time.thread_time` of one thread, which other load hardly changes, and
prints medians over photos; OpenVINO's rows where it is installed.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final, TypeVar

from PIL import Image

from benchmarks.networks import SIDE, ensure_networks
from benchmarks.pictures import ensure_pictures
from seefood.bundle import load_bundle
from seefood.engines.loading import load_engine
from seefood.errors import SeefoodError
from seefood.imaging.decode import ResizeRule, decode
from seefood.imaging.resize import resample, resized_by

_PHOTOS: Final = 300
_T = TypeVar("_T")


def main() -> None:
    """Print a Markdown table."""
    rule = ResizeRule(SIDE, SIDE)
    files = ensure_pictures("web", 2283).files[:_PHOTOS]
    data = [file.read_bytes() for file in files]
    decoded = [_load(each) for each in data]
    pixels = [decode(each, rule).pixels[None] for each in data]
    networks = ensure_networks()
    parts: dict[str, float] = {
        "reading the file": _milliseconds(Path.read_bytes, files),
        "JPEG to RGB (Pillow, scaled)": _milliseconds(_load, data),
        f"resize, {resized_by(rule)}": _milliseconds(partial(_resize, exact=False), decoded),
        "resize, exact": _milliseconds(partial(_resize, exact=True), decoded),
        "all of `decode`": _milliseconds(partial(decode, rule=rule), data),
    }
    for bundle, name in (
        (networks.float32, "litert"),
        (networks.int8, "litert"),
        (networks.float32, "openvino"),
        (networks.float32, "openvino-bf16"),
    ):
        try:
            engine = load_engine(load_bundle(bundle), name)
        except SeefoodError as error:
            sys.stderr.write(f"{name}: {error}\n")
            continue
        # OpenVINO computes on its own threads, so its wall time is measured.
        clock = time.perf_counter if name.startswith("openvino") else time.thread_time
        parts[f"the network, {bundle.name}, {name}"] = _milliseconds(engine.predict, pixels, clock)
    sys.stdout.write("| part | ms |\n| :-- | --: |\n")
    for name, value in parts.items():
        sys.stdout.write(f"| {name} | {value:.2f} |\n")


def _load(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.draft("RGB", (SIDE * 5 // 4, SIDE * 5 // 4))
    return image.convert("RGB")


def _resize(image: Image.Image, *, exact: bool) -> Any:
    return resample(image, (SIDE, SIDE), "bilinear", exact=exact)


def _milliseconds(
    step: Callable[[_T], Any], items: Iterable[_T], clock: Callable[[], float] = time.thread_time
) -> float:
    """Return the median time of `step` per item."""
    times = []
    for item in items:
        start = clock()
        step(item)
        times.append((clock() - start) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main()
