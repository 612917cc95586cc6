"""A model and workers without a network, over the fake engine that ships."""

from collections.abc import Callable, Sequence
from typing import Final

from seefood.classify import ClassifyOptions, Model
from seefood.engines.fake import FakeEngine
from seefood.imaging.decode import Pixels, ResizeRule
from seefood.records import ImageRef, Row, Status, utc_now
from seefood.runs.progress import ProgressCounters
from seefood.storage import open_store, write
from seefood.storage.uris import parse_location
from seefood.workers.threaded import Worker

DEFAULT: Final = ClassifyOptions()
DIGEST: Final = "0123456789abcdef" * 4
MODEL: Final = Model("fake", DIGEST, ("red", "green"), (0.0, 0.0), ResizeRule(8, 8))


def fake_worker(
    before: Callable[[Pixels], None] | None = None,
    *,
    batch_size: int = 1,
    threads: int = 2,
    meter: ProgressCounters | None = None,
    settings: ClassifyOptions = DEFAULT,
) -> Worker:
    """Return a worker of two classes: red pictures are `red`, green ones `green`."""
    engine = FakeEngine(2, batch_size=batch_size, before=before)
    return Worker(engine, MODEL, settings, threads=threads, meter=meter)


def put_all(root: str, pictures: dict[str, bytes]) -> list[ImageRef]:
    """Put objects into a store and return their references as it lists them."""
    for key, data in pictures.items():
        write(parse_location(f"{root}/{key}"), data)
    return list(open_store(root).list(""))


def make_row(uri: str = "s3://b/a.jpg", **changes: object) -> Row:
    """Return a row of a classified picture."""
    values: dict[str, object] = {
        "uri": uri,
        "etag": "e1",
        "version_id": None,
        "size_bytes": 1234,
        "width": 40,
        "height": 30,
        "format": "JPEG",
        "label": "red",
        "score": 0.75,
        "top": (("red", 0.75), ("green", 0.25)),
        "status": Status.OK,
        "error_code": None,
        "error_message": None,
        "model": "fake",
        "model_digest": DIGEST,
        "engine": "fake",
        "classified_at": utc_now(),
    }
    return Row(**{**values, **changes})  # type: ignore[arg-type]


def failed(uri: str, code: str, message: str) -> Row:
    """Return a row of a picture that has no label."""
    nothing = dict.fromkeys(("width", "height", "format", "label", "score", "top"))
    return make_row(uri, **nothing, status=Status.FAILED, error_code=code, error_message=message)


def uris(rows: Sequence[Row]) -> list[str]:
    """Return the URIs of `rows`, in order."""
    return [row.uri for row in rows]
