"""The bare loop once more, with OpenVINO in float32 instead of LiteRT."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from PIL import JpegImagePlugin

from benchmarks.contender import Job, read_job, timed
from benchmarks.contenders.bare_loop import decode
from benchmarks.contenders.rows import Answer, write_rows

_LOADED = JpegImagePlugin


def main(job: Job) -> None:
    """Classify the pictures on a stream for each core; the compiled model is shared."""
    rows: list[Answer] = []
    with timed(job):
        core = ov.Core()
        network = core.read_model(Path(job.bundle) / "assets.extra" / "model.tflite")
        threads = {"NUM_STREAMS": job.threads, "INFERENCE_NUM_THREADS": job.threads}
        model = core.compile_model(network, "CPU", {**threads, "INFERENCE_PRECISION_HINT": "f32"})
        todo = iter(job.pictures)
        workers = [
            threading.Thread(target=_work, args=(model.create_infer_request(), todo, rows, job))
            for _ in range(job.threads)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        write_rows(job, rows)


def _work(request: Any, todo: Iterator[str], rows: list[Answer], job: Job) -> None:
    for path in todo:
        image = decode(Path(path).read_bytes(), job.side)
        request.infer({0: image[np.newaxis]}, share_inputs=True)
        answer = request.get_output_tensor(0).data[0]
        best = int(answer.argmax())
        rows.append((path, job.labels[best], float(answer[best])))


if __name__ == "__main__":
    main(read_job())
