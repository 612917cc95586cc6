"""The Lambda: cold, from the start of its process to the first S3 event answered; and warm.

What runs is the zip's own content under Lambda's own runtime client, against a stand-in for its
Runtime API and moto's S3, all on this machine. So cold is what the code costs, without the time in
which AWS fetches a package and starts an environment.
"""

import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from moto.server import ThreadedMotoServer
from PIL import Image

from benchmarks.pictures import ensure_pictures
from benchmarks.rounds import say
from benchmarks.sections import Aim, Bar, Section, at_most
from benchmarks.setting import ROOT, Setting
from infra.build_lambda_zip import Package, build_zip
from seefood.bundle import default_bundle_path, load_bundle
from tests.lambda_runtime import RuntimeApi, copy_client

_OURS: Final = "seefood's Lambda (LiteRT)"
_TENSORFLOW: Final = "a handler with boto3, Pillow and full TensorFlow"
_PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
_BUCKET: Final = "uploads"
# Runs in the unpacked zip: CPU of decoding and network, picture by picture, as the door does it.
_WARM: Final = """
import json, sys, time
from door.labeller import Labeller
from door.settings import read_settings
from seefood.records import ImageRef
labeller = Labeller.load(read_settings({}))
spent = []
for path in json.loads(sys.argv[1]):
    data = open(path, "rb").read()
    ref = ImageRef("file://" + path, "e", len(data))
    labeller.row((ref, data))
    begun = time.process_time()
    row = labeller.row((ref, data))
    spent.append((time.process_time() - begun) * 1000)
    assert row.error_code is None, row.error_message
print(json.dumps(spent))
"""


@dataclass(frozen=True, slots=True)
class _Cold:
    """One start."""

    seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the unpacked zip, the runtime client and the scratch files are."""

    task: Path
    client: Path
    endpoint: str


def measure(setting: Setting) -> Section:
    """Start both handlers in turns, then classify with ours while it is warm."""
    rounds = setting.rounds or setting.choose(7, 3)
    web = [str(file) for file in ensure_pictures("web", setting.choose(2283, 380)).files[:200]]
    with tempfile.TemporaryDirectory(prefix="seefood-bench-") as scratch:
        folder = Path(scratch)
        package = build_zip(folder / "lambda.zip", python=_PYTHON)
        with zipfile.ZipFile(package.path) as archive:
            archive.extractall(folder / "task")
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        try:
            places = _Places(
                folder / "task", copy_client(folder / "client"), f"http://{host}:{port}"
            )
            event = _upload(places.endpoint, Path(web[0]))
            colds = _cold_rounds(places, event, rounds)
        finally:
            server.stop()
        warm = {
            "web photo": _warm(places, web),
            "12-megapixel photo": _warm(places, _twelve_megapixels()),
        }
    return _section(colds, warm, package, rounds)


def _cold_rounds(places: _Places, event: Any, rounds: int) -> dict[str, list[_Cold]]:
    starts = {_OURS: _ours(places), _TENSORFLOW: _tensorflow(places)}
    colds: dict[str, list[_Cold]] = {name: [] for name in starts}
    for number in range(rounds + 1):
        for name, (command, environment) in starts.items():
            if name == _TENSORFLOW and number > 3:
                continue
            cold = _cold(command, environment, places, event)
            say(f"  {name}: {cold.seconds:.3f} s, {cold.peak_mb:.0f} MB")
            if number:  # the first run brings the files into the system's cache
                colds[name].append(cold)
    return colds


def _ours(places: _Places) -> tuple[list[str], dict[str, str]]:
    return (
        [sys.executable, "-S", "-B", "-m", "awslambdaric", "handler.handler"],
        {
            "PYTHONPATH": f"{places.task}:{places.client}",
            "SEEFOOD_RESULTS": "s3://labels/rows",
            "SEEFOOD_WATCHED": f"s3://{_BUCKET}/",
        },
    )


def _tensorflow(places: _Places) -> tuple[list[str], dict[str, str]]:
    del places
    bundle = load_bundle(default_bundle_path())
    return (
        [sys.executable, "-m", "awslambdaric", "benchmarks/contenders/upload_tensorflow.handler"],
        {
            "PYTHONPATH": str(ROOT),
            "MODEL": str(bundle.path),
            "LABELS": ",".join(bundle.labels),
            "SIDE": str(bundle.spec.rule.width),
            "RESULTS": "labels",
        },
    )


def _cold(command: list[str], environment: Mapping[str, str], places: _Places, event: Any) -> _Cold:
    """Return how long a fresh process takes to answer `event`, and its peak memory then."""
    api = RuntimeApi()
    threading.Thread(target=api.serve_forever, args=(0.05,), daemon=True).start()
    begun = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=places.task,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={
            "PATH": os.environ["PATH"],
            **environment,
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "seefood",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "LAMBDA_TASK_ROOT": str(places.task),
            "AWS_ENDPOINT_URL": places.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        },
    )
    try:
        answer = api.invoke(event, timeout_seconds=120.0)
        seconds = time.perf_counter() - begun
        peak = _peak_mb(process.pid)
    finally:
        process.kill()
        process.wait()
        api.shutdown()
        api.server_close()
    if 1 not in answer.values():
        raise RuntimeError(f"{command} answered {answer}")
    return _Cold(seconds, peak)


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def _upload(endpoint: str, picture: Path) -> dict[str, Any]:
    """Put a picture into a bucket; return the event that S3 would send."""
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (the local server takes any)
    )
    for bucket in (_BUCKET, "labels"):
        s3.create_bucket(Bucket=bucket)
    etag = s3.put_object(Bucket=_BUCKET, Key="photo.jpg", Body=picture.read_bytes())["ETag"]
    told = {"key": "photo.jpg", "size": picture.stat().st_size, "eTag": etag.strip('"')}
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": _BUCKET}, "object": told}}
    return {"Records": [record]}


def _warm(places: _Places, pictures: list[str]) -> list[float]:
    """Return the CPU of each picture, in milliseconds."""
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", _WARM, json.dumps(pictures)],
        env={"PYTHONPATH": str(places.task), "OPENBLAS_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    spent: list[float] = json.loads(done.stdout)
    return spent


def _twelve_megapixels() -> list[str]:
    """Return camera photos of about 12 megapixels; drawn ones are exactly that."""
    found = []
    for file in ensure_pictures("camera", 29).files:
        with Image.open(file) as image:
            if 11.5e6 <= image.width * image.height <= 13.5e6:
                found.append(str(file))
    return found


def _section(
    colds: Mapping[str, list[_Cold]],
    warm: Mapping[str, list[float]],
    package: Package,
    rounds: int,
) -> Section:
    seconds = {name: statistics.median(c.seconds for c in runs) for name, runs in colds.items()}
    peaks = {name: statistics.median(c.peak_mb for c in runs) for name, runs in colds.items()}
    cpu = {name: statistics.median(spent) for name, spent in warm.items()}
    ratio = seconds[_TENSORFLOW] / seconds[_OURS]
    say(f"  {ratio:.1f} times faster; " + ", ".join(f"{n} {ms:.1f} ms" for n, ms in cpu.items()))
    return Section(
        title="The upload door",
        note=(
            "Process start to the first S3 event answered, the zip's own content under Lambda's "
            f"runtime client, medians of {rounds} starts in turns (TensorFlow: 3). Warm: CPU of "
            "decoding and network, without S3."
        ),
        columns=("handler", "first event, s", "peak memory, MB"),
        rows=tuple((name, f"{seconds[name]:.2f}", f"{peaks[name]:.0f}") for name in colds),
        aims=(
            at_most("first event answered", 0.5, seconds[_OURS]),
            Aim("against full TensorFlow", "at least 10x", f"{ratio:.1f}x", ratio >= 10),
            at_most("peak memory", 130, peaks[_OURS], " MB"),
            at_most("warm, CPU of a web photo", 8, cpu["web photo"], " ms"),
            at_most("warm, CPU of a 12-megapixel photo", 40, cpu["12-megapixel photo"], " ms"),
            at_most("zip", 45, package.zipped_bytes / 1e6, " MB"),
            at_most("unpacked", 130, package.unpacked_bytes / 1e6, " MB"),
        ),
        bars=tuple(Bar(name, value, name == _OURS) for name, value in seconds.items()),
        unit="s, process start to first event answered",
        data={
            "cold_seconds": {name: [c.seconds for c in runs] for name, runs in colds.items()},
            "peak_mb": {name: [c.peak_mb for c in runs] for name, runs in colds.items()},
            "warm_cpu_milliseconds": dict(cpu),
            "zipped_bytes": package.zipped_bytes,
            "unpacked_bytes": package.unpacked_bytes,
        },
    )
