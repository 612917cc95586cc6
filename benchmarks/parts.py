"""Where a web photo's processor time goes, part by part: what benchmarks/README.md states.

    python -m benchmarks.parts          a minute; OpenVINO's rows where it is installed

`time.thread_time` of one thread, so it hardly depends on who else is busy; medians over photos.
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

from benchmarks.network import SIDE, ensure_networks
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
        f"resize, {resized_by(rule.filter)}": _milliseconds(partial(_resize, exact=False), decoded),
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
        # OpenVINO computes on threads of its own: the clock on the wall, one picture at a time.
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
    part: Callable[[_T], Any], items: Iterable[_T], clock: Callable[[], float] = time.thread_time
) -> float:
    spent = []
    for item in items:
        begun = clock()
        part(item)
        spent.append((clock() - begun) * 1000)
    return statistics.median(spent)


if __name__ == "__main__":
    main()
