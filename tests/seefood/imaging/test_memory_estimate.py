"""The memory estimate from the header is an upper bound, and a process stays below 1 GB."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from seefood.bundle import load_bundle
from seefood.classification import ClassifyOptions, Model
from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import Limits, ResizeRule, decode
from seefood.imaging.formats import open_image
from seefood.imaging.memory_estimate import decode_bytes, has_more_frames
from seefood.storage import open_store
from seefood.workers.protocol import WorkerConfig
from seefood.workers.supervisor import SupervisedWorker
from tests.conftest import ROOT
from tests.pictures import encoded, gradient, plain
from tests.tiff_files import DEFLATE, Tiff, tiff

RULE = ResizeRule(24, 32)
SIDE = 2400
GRACE_BYTES = 24 * 1024 * 1024
"""For a decoder's own tables and threads, independent of the picture's size."""
KINDS = (
    *("RGB.PNG", "RGBA.PNG", "LA.PNG", "P.PNG", "RGB.WEBP", "RGBA.WEBP", "RGB.AVIF", "RGBA.AVIF"),
    *("RGB.HEIF", "RGBA.HEIF", "RGB.TIFF", "I;16.PNG", "F.TIFF", "P.GIF", "RGB.JPEG", "CMYK.JPEG"),
    *("I;16.TIFF", "planes.TIFF", "doubles.TIFF", "alpha.TIFF", "RGB.BMP", "RGBA.BMP", "P.BMP"),
    "runs.BMP",
)


_LAYOUTS = {
    "planes.TIFF": Tiff(2, 16, planar=True, compression=DEFLATE),
    "doubles.TIFF": Tiff(1, 64, 3),
    "alpha.TIFF": Tiff(2, 16, extra=(2,), compression=DEFLATE),
}


def _picture(kind: str, side: int) -> bytes:
    mode, _, format_name = kind.partition(".")
    if mode in ("I;16", "F"):
        kinds = {"I;16": np.uint16, "F": np.float32}
        return encoded(Image.fromarray(np.zeros((side, side), kinds[mode])), format_name)
    if kind in _LAYOUTS:
        how = _LAYOUTS[kind]
        dtype = np.dtype("f8" if how.sample_format == 3 else "u2")
        samples = 4 if how.extra else 3 if how.photometric == 2 else 1
        return tiff(np.zeros((side, side, samples), dtype), how)
    if kind == "runs.BMP":
        head = encoded(Image.new("P", (side, side)), "BMP")[: 54 + 1024]
        runs = (bytes([255, 7]) * (side // 255) + bytes([side % 255, 7, 0, 0])) * side
        return head[:30] + b"\1" + head[31:] + runs
    fast: dict[str, dict[str, Any]] = {
        "WEBP": {"method": 0},
        "AVIF": {"speed": 10},
        "PNG": {"compress_level": 1},
        "HEIF": {"enc_params": {"preset": "ultrafast"}},
    }
    options = dict(fast.get(format_name, {}))
    if kind == "P.PNG":
        options["transparency"] = 0
    return encoded(Image.new(mode, (side, side)), format_name, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_no_format_takes_more_than_estimated(kind: str, tmp_path: Path) -> None:
    """The estimate from the header is an upper bound of a process's growth."""
    file = tmp_path / "picture"
    file.write_bytes(_picture(kind, SIDE))
    command = [sys.executable, "-m", "tests.decode_peak", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    taken, estimated = map(int, done.stdout.split())
    assert taken < estimated + GRACE_BYTES
    assert estimated < 28 * SIDE * SIDE


def _cost(data: bytes) -> int:
    image, format_name = open_image(data)
    return decode_bytes(image, format_name, data, image.size)


def test_jpegs_with_several_scans_keep_their_coefficients() -> None:
    """A progressive JPEG takes two more bytes for each coefficient; subsampled ones have fewer."""
    picture, pixels = gradient((200, 160)), 200 * 160
    assert 9 * pixels == _cost(encoded(picture, "JPEG"))
    full = _cost(encoded(picture, "JPEG", progressive=True, subsampling=0))
    half = _cost(encoded(picture, "JPEG", progressive=True, subsampling=2))
    assert (9 + 6) * pixels == full
    assert (9 + 3) * pixels == half


def test_a_baseline_jpeg_with_split_scans_is_recognized() -> None:
    """Where the first scan has fewer components than the frame, libjpeg keeps all coefficients."""
    data = bytearray(encoded(gradient((200, 160)), "JPEG", subsampling=0))
    scan = data.index(b"\xff\xda")
    assert 3 == data[scan + 4]
    data[scan + 4] = 1
    assert (9 + 6) * 200 * 160 == _cost(bytes(data))


def test_a_picture_above_the_memory_limit_is_refused() -> None:
    """A picture above the limit has an error code; one below it is decoded."""
    data = encoded(plain(size=(2000, 1500)), "PNG")
    with pytest.raises(PictureError, match="bytes to decode, more than the limit") as caught:
        decode(data, RULE, Limits(max_decode_bytes=20_000_000))
    assert ErrorCode.TOO_MANY_PIXELS == caught.value.code
    assert (2000, 1500) == (decode(data, RULE, Limits(max_decode_bytes=28_000_000)).width, 1500)


def _animation(format_name: str, frames: int) -> bytes:
    pictures = [plain((n * 20 % 255, 9, 9)) for n in range(frames)]
    return encoded(pictures[0], format_name, save_all=True, append_images=pictures[1:])


@pytest.mark.parametrize("format_name", ["GIF", "TIFF", "WEBP", "PNG", "AVIF"])
def test_frames_are_counted(format_name: str) -> None:
    """A file with more frames than the limit is refused; of any other the first is decoded."""
    data = _animation(format_name, 5)
    assert (32, 24) == (decode(data, RULE, Limits(max_frames=5)).width, 24)
    with pytest.raises(PictureError, match="more frames than the limit of 4") as caught:
        decode(data, RULE, Limits(max_frames=4))
    assert ErrorCode.TOO_MANY_FRAMES == caught.value.code


def test_a_cycle_of_directories_ends() -> None:
    """Of a TIFF whose last page points to its first, each page is counted once."""
    data = bytearray(_animation("TIFF", 3))
    at = first = int.from_bytes(data[4:8], "little")
    while True:
        end = at + 2 + 12 * int.from_bytes(data[at : at + 2], "little")
        following = int.from_bytes(data[end : end + 4], "little")
        if following == 0:
            break
        at = following
    data[end : end + 4] = first.to_bytes(4, "little")
    image, name = open_image(bytes(data))
    assert not has_more_frames(image, name, bytes(data), 3)
    assert has_more_frames(image, name, bytes(data), 2)


def _peak_bytes(process: int) -> int:
    """Return a process's peak of memory; its rusage would include its parent's."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.photos
@pytest.mark.slow
# macOS and Windows have no /proc. The code is the same there, and CI runs on Linux.
@pytest.mark.skipif(
    sys.platform != "linux", reason="needs /proc for the peak memory of a running process"
)
@pytest.mark.timeout(600)
def test_a_worker_stays_below_one_gigabyte(shared: Path, tmp_path: Path, bundle_path: Path) -> None:
    """905 hostile files and the largest bombs: one row each, and no process above 1 GB."""
    bombs = tmp_path / "bombs"
    bombs.mkdir()
    for number, kind in enumerate(("RGBA.PNG", "RGBA.PNG", "F.TIFF", "I;16.PNG", "RGB.WEBP")):
        side = 5600 if kind == "RGB.WEBP" else 7000
        (bombs / f"{number}").write_bytes(_picture(kind, side))
    huge = Image.new("RGB", (11_000, 11_000))
    huge.save(bombs / "9", "JPEG", progressive=True, subsampling=2, quality=5)
    files = open_store("file://")
    refs = [*files.list(str(bombs)), *files.list(str(shared / "hostile"))]
    bundle = load_bundle(bundle_path)
    start = WorkerConfig(str(bundle.path), bundle.digest, "litert", ClassifyOptions(), threads=2)
    worker = SupervisedWorker(start, Model.of(bundle))
    rows = worker.classify(refs)
    peaks = [_peak_bytes(child.pid) for child in psutil.Process().children(recursive=True)]
    worker.close()
    assert [ref.uri for ref in refs] == [row.uri for row in rows]
    assert 905 + 6 == len(rows)
    assert [] == [row.uri for row in rows if row.error_code in ("decoder_crash", "timeout")]
    assert 100_000_000 < max(peaks) < 1_000_000_000
