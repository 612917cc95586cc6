"""The minimal work: threads that read, decode and infer, and one result file. No framework.

An upper bound for a Python program on this machine: it lists, checks, retries and reports nothing.
"""

import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from cykooz_resizer import FilterType, ResizeAlg, ResizeOptions, Resizer
from PIL import Image, JpegImagePlugin

from benchmarks.contenders.rows import Row, write_rows
from benchmarks.job import Job, read_job, timed

_IMPORTED = JpegImagePlugin  # Pillow would import it inside the timed block
_BILINEAR = ResizeOptions(ResizeAlg.convolution(FilterType.bilinear))


class _Resizers(threading.local):
    """One resizer per thread, because a resizer is not thread-safe."""

    def __init__(self) -> None:
        self.resizer = Resizer()


_RESIZERS = _Resizers()


def main(job: Job) -> None:
    """Classify the pictures on as many threads as there are cores."""
    rows: list[Row] = []
    with timed(job):
        models = [_load(job) for _ in range(job.threads)]
        pictures = iter(job.pictures)
        threads = [
            threading.Thread(target=_work, args=(model, pictures, rows, job)) for model in models
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        write_rows(job, rows)


def _load(job: Job) -> Interpreter:
    path = Path(job.bundle) / "assets.extra" / "model.tflite"
    model = Interpreter(model_path=str(path), num_threads=1)
    model.allocate_tensors()
    return model


def _work(model: Interpreter, pictures: Iterator[str], rows: list[Row], job: Job) -> None:
    source = model.get_input_details()[0]["index"]
    result = model.get_output_details()[0]["index"]
    for path in pictures:
        model.set_tensor(source, decode(Path(path).read_bytes(), job.side)[np.newaxis])
        model.invoke()
        probabilities = model.get_tensor(result)[0]
        best = int(probabilities.argmax())
        rows.append((path, job.labels[best], float(probabilities[best])))


def decode(data: bytes, side: int) -> "np.typing.NDArray[np.uint8]":
    """Return RGB of shape `(side, side, 3)`; a large JPEG is decoded at a fraction of its size."""
    image = Image.open(BytesIO(data))
    image.draft("RGB", (side * 5 // 4, side * 5 // 4))
    rgb = image.convert("RGB")
    small = Image.new("RGB", (side, side))
    _RESIZERS.resizer.resize_pil(rgb, small, _BILINEAR)
    return np.asarray(small)


if __name__ == "__main__":
    main(read_job())
