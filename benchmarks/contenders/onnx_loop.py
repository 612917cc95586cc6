"""The bare loop once more, with onnxruntime instead of LiteRT."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import JpegImagePlugin

from benchmarks.contender import Job, read_job, timed
from benchmarks.contenders.bare_loop import decode
from benchmarks.contenders.rows import Answer, write_rows

_LOADED = JpegImagePlugin


def main(job: Job) -> None:
    """Classify the pictures on as many threads as there are cores; a session may be shared."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    rows: list[Answer] = []
    with timed(job):
        session = ort.InferenceSession(job.onnx, options, providers=["CPUExecutionProvider"])
        todo = iter(job.pictures)
        threads = [
            threading.Thread(target=_work, args=(session, todo, rows, job))
            for _ in range(job.threads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        write_rows(job, rows)


def _work(session: ort.InferenceSession, todo: Iterator[str], rows: list[Answer], job: Job) -> None:
    source = session.get_inputs()[0].name
    for path in todo:
        image = decode(Path(path).read_bytes(), job.side)
        (answer,) = session.run(None, {source: image[np.newaxis]})
        best = int(answer[0].argmax())
        rows.append((path, job.labels[best], float(answer[0][best])))


if __name__ == "__main__":
    main(read_job())
