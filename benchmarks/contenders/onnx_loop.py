"""The bare loop with onnxruntime instead of LiteRT."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import JpegImagePlugin

from benchmarks.contenders.bare_loop import decode
from benchmarks.contenders.rows import Row, write_rows
from benchmarks.job import Job, read_job, timed

_IMPORTED = JpegImagePlugin  # Pillow would import it inside the timed block


def main(job: Job) -> None:
    """Classify the pictures on as many threads as there are cores; they share a session."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    rows: list[Row] = []
    with timed(job):
        session = ort.InferenceSession(job.onnx, options, providers=["CPUExecutionProvider"])
        pictures = iter(job.pictures)
        threads = [
            threading.Thread(target=_work, args=(session, pictures, rows, job))
            for _ in range(job.threads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        write_rows(job, rows)


def _work(
    session: ort.InferenceSession, pictures: Iterator[str], rows: list[Row], job: Job
) -> None:
    source = session.get_inputs()[0].name
    for path in pictures:
        image = decode(Path(path).read_bytes(), job.side)
        (output,) = session.run(None, {source: image[np.newaxis]})
        best = int(output[0].argmax())
        rows.append((path, job.labels[best], float(output[0][best])))


if __name__ == "__main__":
    main(read_job())
