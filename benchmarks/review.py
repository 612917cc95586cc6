"""Measures `seefood review` on a million rows in S3: the first picture, the next ones, memory.

    python -m benchmarks.review FOLDER [--rows 1000000]

Serves FOLDER with versitygw (`benchmarks.s3_server`), fills it if it is empty, starts the command,
and calls the page's interface as a person's browser does.
"""

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
import psutil

from benchmarks.s3_server import running
from seefood.records import Row, Status, utc_now
from seefood.results.files import encode_rows
from seefood.storage import open_store, write
from seefood.storage.uris import parse_location
from seefood.synthetic import draw_picture

_PICTURES: Final = 1000
_PER_PART: Final = 200_000
_ANSWERS: Final = 200


def fill(folder: Path, rows: int) -> None:
    """Put pictures into the bucket `pics`, each with many names, and rows into `labels`."""
    for bucket in ("pics", "labels"):
        (folder / bucket).mkdir(parents=True)
    picture = folder / "picture.jpg"
    for number in range(_PICTURES):
        draw_picture("house", number, (320, 240)).save(picture, quality=80)
        write(parse_location(f"s3://pics/{number:04}.jpg"), picture.read_bytes())
    refs = sorted(open_store("s3://pics").list(""), key=lambda ref: ref.uri)
    scores = np.random.default_rng(1).beta(8, 1, rows) / 2 + 0.5
    for first in range(0, rows, _PER_PART):
        part = []
        for number in range(first, min(rows, first + _PER_PART)):
            ref = refs[number % _PICTURES]
            link = folder / "pics" / f"camera-{number // 1000:04}" / f"IMG_{number:07}.jpg"
            link.parent.mkdir(exist_ok=True)
            link.hardlink_to(folder / "pics" / ref.uri.removeprefix("s3://pics/"))
            part.append(_row(f"s3://pics/{link.parent.name}/{link.name}", ref.etag, scores[number]))
        name = f"part-{first:032}.parquet"
        folder_uri = "s3://labels/out/results/digest=000000000000"
        write(parse_location(f"{folder_uri}/{name}"), encode_rows(part, "parquet"))


def _row(uri: str, etag: str, score: float) -> Row:
    label = "hotdog" if score > 0.7 else "not_hotdog"
    top = (("hotdog", score), ("not_hotdog", 1 - score))
    status = Status.OK if score > 0.6 else Status.UNSURE
    details = (uri, etag, None, 6000, 320, 240, "JPEG", label, score, top, status, None, None)
    return Row(*details, "hotdog", "0" * 64, "litert", utc_now())


def measure(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the seconds and megabytes of one review."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "seefood", "review", "s3://labels/out", "--port", "0"],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None  # noqa: S101 (a pipe)
    try:
        found = re.search(r"http://\S+/", process.stderr.readline())
        assert found is not None  # noqa: S101 (as above)
        address = urlsplit(found[0])
        connection = http.client.HTTPConnection("127.0.0.1", address.port or 0)
        browser = _Browser(connection, address.path)
        first_card = browser.json("cards?start=0&count=6")["cards"][0]
        browser.picture(first_card)
        first = time.perf_counter() - started
        first_cpu = sum(psutil.Process(process.pid).cpu_times()[:2])
        while browser.json("state")["loading"]:
            time.sleep(0.05)
        loaded = time.perf_counter() - started
        card_seconds, picture_seconds = browser.answer_all()
        filters = [browser.seconds(f"cards?start=0&count=6&{view}") for view in _VIEWS]
        memory = psutil.Process(process.pid).memory_info()
        peak = Path(f"/proc/{process.pid}/status").read_text().split("VmHWM:")[1].split()[0]
        return {
            "first_picture_seconds": first,
            "first_picture_cpu_seconds": first_cpu,
            "all_rows_seconds": loaded,
            "next_median_ms": 1000 * median(card_seconds),
            "next_99_ms": 1000 * float(np.percentile(card_seconds, 99)),
            "picture_median_ms": 1000 * median(picture_seconds),
            "picture_99_ms": 1000 * float(np.percentile(picture_seconds, 99)),
            "filters_seconds": dict(zip(_VIEWS, filters, strict=True)),
            "memory_mb": memory.rss / 1e6,
            "peak_memory_mb": int(peak) * 1024 / 1e6,
            "cpu_seconds": sum(psutil.Process(process.pid).cpu_times()[:2]),
        }
    finally:
        process.terminate()
        process.communicate()


_VIEWS: Final = ("order=random&seed=1", "text=IMG_00123", "label=hotdog&high=0.8", "said=open")


class _Browser:
    """Calls the page's interface over one connection."""

    def __init__(self, connection: http.client.HTTPConnection, path: str) -> None:
        self._connection = connection
        self._path = path

    def call(self, name: str, body: object = None) -> bytes:
        data = None if body is None else json.dumps(body)
        headers = {"content-type": "application/json"}
        self._connection.request(
            "GET" if data is None else "POST", self._path + name, data, headers
        )
        response = self._connection.getresponse()
        content = response.read()
        assert response.status == 200, content  # noqa: S101 (a measurement of errors is none)
        return content

    def json(self, name: str, body: object = None) -> Any:
        return json.loads(self.call(name, body))

    def picture(self, card: Mapping[str, Any]) -> None:
        self.call(f"picture/{card['number']}/1600")

    def seconds(self, name: str, body: object = None) -> float:
        started = time.perf_counter()
        self.call(name, body)
        return time.perf_counter() - started

    def answer_all(self) -> tuple[list[float], list[float]]:
        """Answer pictures; return the seconds of an answer with the next card, and of pictures."""
        card = self.json("cards?start=0&count=6")["cards"][0]
        answers, pictures = [], []
        for number in range(_ANSWERS):
            letter = {"id": f"{number:024x}", "answers": [{**card, "note": None}]}
            started = time.perf_counter()
            reply = self.json(f"answers?start={card['position'] + 1}&count=6", letter)
            answers.append(time.perf_counter() - started)
            card = reply["cards"][0]
            pictures.append(self.seconds(f"picture/{card['number']}/1600"))
        return answers, pictures


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with running(options.folder) as environment:
        os.environ.update(environment)
        if not (options.folder / "labels").exists():
            fill(options.folder, options.rows)
        print(json.dumps(measure(environment), indent=1))


if __name__ == "__main__":
    main()
