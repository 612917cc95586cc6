"""The bare loop with OpenVINO in float32 instead of LiteRT."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from PIL import JpegImagePlugin

from benchmarks.contenders.bare_loop import decode
from benchmarks.contenders.rows import Row, write_rows
from benchmarks.job import Job, read_job, timed

_IMPORTED = JpegImagePlugin  # Pillow would import it inside the timed block


def main(job: Job) -> None:
    """Classify the pictures on one stream per core; they share the compiled model."""
    rows: list[Row] = []
    with timed(job):
        core = ov.Core()
        network = core.read_model(Path(job.bundle) / "assets.extra" / "model.tflite")
        threads = {"NUM_STREAMS": job.threads, "INFERENCE_NUM_THREADS": job.threads}
        model = core.compile_model(network, "CPU", {**threads, "INFERENCE_PRECISION_HINT": "f32"})
        ov.Tensor(np.zeros(1, np.uint8))  # the first one in two threads at once never returns
        pictures = iter(job.pictures)
        workers = [
            threading.Thread(target=_work, args=(model.create_infer_request(), pictures, rows, job))
            for _ in range(job.threads)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        write_rows(job, rows)


def _work(request: Any, pictures: Iterator[str], rows: list[Row], job: Job) -> None:
    for path in pictures:
        image = decode(Path(path).read_bytes(), job.side)
        request.infer({0: image[np.newaxis]}, share_inputs=True)
        probabilities = request.get_output_tensor(0).data[0]
        best = int(probabilities.argmax())
        rows.append((path, job.labels[best], float(probabilities[best])))


if __name__ == "__main__":
    main(read_job())
