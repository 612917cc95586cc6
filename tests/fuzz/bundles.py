"""Bundles: any bundle.json, in a folder and in a bucket; a damaged graph."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from seefood.bundle import LITERT_MODEL, MANIFEST, default_bundle_path, load_bundle
from seefood.bundle.download import fetch_bundle
from seefood.bundle.spec import compute_digest, spec_from_json
from seefood.engines.loading import load_engine
from seefood.errors import BundleError
from seefood.explain.tflite_graph import read_operations
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.bundles import fake_bundle
from tests.fuzz.target import Choices, Target

_REMOTE: Final = "memory://fuzz-bundles/model"


@cache
def _scratch() -> Path:
    return Path(tempfile.mkdtemp(prefix="seefood-fuzz-"))


@cache
def _bundle() -> Path:
    """Return a complete bundle; each input replaces its bundle.json."""
    path = fake_bundle(_scratch() / "fake").path
    for file in sorted(path.rglob("*")):
        if file.is_file():
            name = file.relative_to(path).as_posix()
            write(parse_location(f"{_REMOTE}/{name}"), file.read_bytes())
    return path


def _description(data: bytes) -> None:
    """Load bundle.json as it is, and again with the digest of its content."""
    _load(data)
    try:
        document = json.loads(data)
        document["digest"] = compute_digest(spec_from_json(document), document["files"])
    except Exception:  # noqa: BLE001 (what has no digest is refused before)
        return
    _load(json.dumps(document).encode())


def _load(data: bytes) -> None:
    (_bundle() / MANIFEST).write_bytes(data)
    write(parse_location(f"{_REMOTE}/{MANIFEST}"), data)
    with suppress(BundleError):
        load_engine(load_bundle(_bundle()), "fake")
    cache_folder = _scratch() / "cache"
    with suppress(BundleError):
        fetch_bundle(_REMOTE, cache_folder)
    outside = [path for path in _scratch().iterdir() if path.name not in ("fake", "cache")]
    assert [] == outside
    shutil.rmtree(cache_folder, ignore_errors=True)


def _description_seeds() -> Sequence[bytes]:
    return [(fake_bundle(Path(tempfile.mkdtemp()) / "seed").path / MANIFEST).read_bytes()]


@cache
def _graph() -> bytes:
    return (default_bundle_path() / LITERT_MODEL).read_bytes()


def _graph_operations(data: bytes) -> None:
    """Change bytes of the built-in model's graph, and truncate some graphs."""
    choices = Choices(data)
    graph = bytearray(_graph())
    while choices.left > 5:
        graph[choices.number(len(graph))] = choices.number(256)
    if choices.number(4) == 0:
        del graph[choices.number(len(graph)) :]
    path = _scratch() / "graph.tflite"
    path.write_bytes(graph)
    try:
        assert isinstance(read_operations(path), tuple)
    except BundleError:
        return


def _operations_seeds() -> Sequence[bytes]:
    size = len(_graph())
    places: list[Any] = [0, 4, 8, 16, 32, 64, size - 4, size - 400, size - 4000, size - 40_000]
    return [at.to_bytes(3, "big") + b"\xff" for at in places] + [b"\0\0\x10\0"]


TARGETS: Final = (
    Target("bundle", _description, _description_seeds, 8192, is_json=True),
    Target("graph", _graph_operations, _operations_seeds, 128),
)
