"""The Lambda: cold, from the start of its process to the first handled S3 event; and warm.

Runs the content of the zip under AWS's runtime client, with a fake Runtime API and moto's S3 on
this machine. A cold start in AWS also includes fetching the package and starting an environment.
"""

import logging
import statistics
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import boto3
from moto.server import ThreadedMotoServer
from PIL import Image

from benchmarks.networks import onnx_of
from benchmarks.pictures import ensure_pictures
from benchmarks.progress import log
from benchmarks.sections import Aim, Bar, Section, at_most
from benchmarks.settings import Settings
from benchmarks.upload_handlers import BUCKET, Handler, ours, peer
from infra.build_lambda_zip import Package, build_zip
from seefood.bundle import built_in_bundle_path, default_bundle_path, load_bundle
from tests.lambda_runtime import RuntimeApi, copy_client

_OURS: Final = "**seefood's Lambda** (LiteRT)"
_LITE: Final = "**seefood's Lambda**, `hotdog-lite`"
_BUS: Final = "**seefood's Lambda**, each row also an EventBridge event"
_ONNX: Final = "a handler with boto3, Pillow and onnxruntime"
_TENSORFLOW: Final = "a handler with boto3, Pillow and full TensorFlow"
_PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
_WEB: Final = "web photo, CPU ms"
_LARGE: Final = "12-megapixel photo, CPU ms"


@dataclass(frozen=True, slots=True)
class _Cold:
    """One cold start."""

    seconds: float
    peak_mb: float


def measure(settings: Settings) -> Section:
    """Start the handlers in turns, then label pictures with each while it is warm."""
    rounds = settings.rounds or settings.choose(7, 3)
    web = [str(file) for file in ensure_pictures("web", settings.choose(2283, 380)).files[:200]]
    with tempfile.TemporaryDirectory(prefix="seefood-bench-") as scratch:
        folder = Path(scratch)
        client = copy_client(folder / "client")
        package = build_zip(folder / "lambda.zip", python=_PYTHON)
        lite = build_zip(
            folder / "lite.zip", python=_PYTHON, model=built_in_bundle_path("hotdog-lite")
        )
        task = _unpacked(package)
        handlers = [
            ours(_OURS, task, client),
            ours(_BUS, task, client, {"SEEFOOD_EVENT_BUS": "default"}),
            ours(_LITE, _unpacked(lite), client),
            *_peers(client),
        ]
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        try:
            endpoint = f"http://{host}:{port}"
            colds = _cold_rounds(handlers, endpoint, _upload(endpoint, Path(web[0])), rounds)
        finally:
            server.stop()
        large = _twelve_megapixels()
        warm = {
            each.title: {
                _WEB: statistics.median(each.cpu_milliseconds(web)),
                _LARGE: statistics.median(each.cpu_milliseconds(large)),
            }
            for each in handlers
            if each.title != _BUS
        }
        warm[_BUS] = warm[_OURS]  # the event is sent after what is measured here
    return _section(colds, warm, package, rounds)


def _unpacked(package: Package) -> Path:
    folder = package.path.with_suffix("")
    with zipfile.ZipFile(package.path) as archive:
        archive.extractall(folder)
    return folder


def _peers(client: Path) -> list[Handler]:
    bundle = load_bundle(default_bundle_path())
    peers = []
    if (onnx := onnx_of(bundle)) is None:
        log(f"  {_ONNX}: NOT INSTALLED (onnxruntime and tf2onnx; use `make bench`)")
    else:
        peers.append(peer(_ONNX, "upload_onnx", onnx, bundle, client))
    return [*peers, peer(_TENSORFLOW, "upload_tensorflow", bundle.path, bundle, client)]


def _cold_rounds(
    handlers: Sequence[Handler], endpoint: str, event: Any, rounds: int
) -> dict[str, list[_Cold]]:
    colds: dict[str, list[_Cold]] = {each.title: [] for each in handlers}
    for number in range(rounds + 1):
        for each in handlers:
            if number >= each.max_starts:
                continue
            cold = _cold(each, endpoint, event)
            log(f"  {each.title}: {cold.seconds:.3f} s, {cold.peak_mb:.0f} MB")
            if number:  # the first start reads the files into the page cache
                colds[each.title].append(cold)
    return colds


def _cold(handler: Handler, endpoint: str, event: Any) -> _Cold:
    """Return how long a fresh process takes to handle `event`, and its peak memory then."""
    api = RuntimeApi()
    threading.Thread(target=api.serve_forever, args=(0.05,), daemon=True).start()
    start = time.perf_counter()
    process = handler.start(
        {
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "seefood",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "LAMBDA_TASK_ROOT": str(handler.folder),
            "AWS_ENDPOINT_URL": endpoint,
            # Of its own, so that the row is new, and has an event.
            "SEEFOOD_RESULTS": f"s3://labels/{uuid4()}",
        }
    )
    try:
        response = api.invoke(event, timeout_seconds=120.0)
        seconds = time.perf_counter() - start
        peak = _peak_mb(process.pid)
    finally:
        process.kill()
        process.wait()
        api.shutdown()
        api.server_close()
    if 1 not in response.values():
        raise RuntimeError(f"{handler.title} returned {response}")
    return _Cold(seconds, peak)


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def _upload(endpoint: str, picture: Path) -> dict[str, Any]:
    """Put a picture into a bucket; return the event that S3 sends for it."""
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (moto accepts any)
    )
    for bucket in (BUCKET, "labels"):
        s3.create_bucket(Bucket=bucket)
    etag = s3.put_object(Bucket=BUCKET, Key="photo.jpg", Body=picture.read_bytes())["ETag"]
    item = {"key": "photo.jpg", "size": picture.stat().st_size, "eTag": etag.strip('"')}
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": item}}
    return {"Records": [record]}


def _twelve_megapixels() -> list[str]:
    """Return camera photos of about 12 megapixels, which is the size of the drawn ones."""
    files = []
    for file in ensure_pictures("camera", 29).files:
        with Image.open(file) as image:
            if 11.5e6 <= image.width * image.height <= 13.5e6:
                files.append(str(file))
    return files


def _section(
    colds: Mapping[str, Sequence[_Cold]],
    warm: Mapping[str, Mapping[str, float]],
    package: Package,
    rounds: int,
) -> Section:
    seconds = {name: statistics.median(c.seconds for c in runs) for name, runs in colds.items()}
    peaks = {name: statistics.median(c.peak_mb for c in runs) for name, runs in colds.items()}
    ratio = seconds[_TENSORFLOW] / seconds[_OURS]
    return Section(
        title="The upload handler",
        note=(
            "Process start to the first S3 event answered, the zip's own content under Lambda's "
            f"runtime client, medians of {rounds} starts in turns (peers: 3). CPU: of decoding and "
            "network while warm, all cores together, without S3."
        ),
        columns=("handler", "first event, s", "peak memory, MB", _WEB, _LARGE),
        rows=tuple(
            (
                name,
                f"{seconds[name]:.2f}",
                f"{peaks[name]:.0f}",
                f"{warm[name][_WEB]:.1f}",
                f"{warm[name][_LARGE]:.1f}",
            )
            for name in colds
        ),
        aims=(
            at_most("first event answered", 0.5, seconds[_OURS]),
            at_most("first event answered, each row also an event", 0.5, seconds[_BUS]),
            Aim("against full TensorFlow", "at least 10x", f"{ratio:.1f}x", ratio >= 10),
            at_most("peak memory", 130, peaks[_OURS], " MB"),
            at_most("warm, CPU of a web photo", 8, warm[_OURS][_WEB], " ms"),
            at_most("warm, CPU of a web photo, hotdog-lite", 8, warm[_LITE][_WEB], " ms"),
            at_most("warm, CPU of a 12-megapixel photo", 40, warm[_OURS][_LARGE], " ms"),
            at_most("zip", 45, package.zipped_bytes / 1e6, " MB"),
            at_most("unpacked", 130, package.unpacked_bytes / 1e6, " MB"),
        ),
        bars=tuple(
            Bar(name.replace("*", ""), value, "**" in name) for name, value in seconds.items()
        ),
        unit="s, process start to first event answered",
        data={
            "cold_seconds": {name: [c.seconds for c in runs] for name, runs in colds.items()},
            "peak_mb": {name: [c.peak_mb for c in runs] for name, runs in colds.items()},
            "warm_cpu_milliseconds": {name: dict(times) for name, times in warm.items()},
            "zipped_bytes": package.zipped_bytes,
            "unpacked_bytes": package.unpacked_bytes,
        },
    )
