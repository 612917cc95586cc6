"""A model, workers and rows for tests that use the fake engine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seefood.classification import ClassifyOptions, Model
from seefood.engines.batching import BatchingEngine, BatchPolicy
from seefood.engines.fake import FakeEngine
from seefood.imaging.decode import Pixels, ResizeRule
from seefood.records import ImageRef, Row, Status, utc_now
from seefood.storage import open_store, write
from seefood.storage.uris import parse_location
from seefood.workers.in_flight import InFlightTable, in_flight_file
from seefood.workers.pending import PendingChunk
from seefood.workers.threaded import ThreadedWorker

if TYPE_CHECKING:
    from seefood.engines.base import Engine

DEFAULT: Final = ClassifyOptions()
DIGEST: Final = "0123456789abcdef" * 4
MODEL: Final = Model("fake", DIGEST, ("red", "green"), (0.0, 0.0), ResizeRule(8, 8))


@dataclass(frozen=True, slots=True)
class _LocalChunk:
    """Passes the rows of a `ThreadedWorker` to the chunk that a caller waits for."""

    pending: PendingChunk
    number: int = 0

    def put(self, index: int, row: Row) -> None:
        """Store the row of one picture."""
        self.pending.put(index, row)

    def fail(self, error: Exception) -> None:
        """Fail the chunk."""
        self.pending.fail(error)


@dataclass(frozen=True, slots=True)
class LocalClassifier:
    """A `ChunkClassifier` with its threads in this process, where a test can reach its engine."""

    worker: ThreadedWorker
    model: Model = MODEL

    @property
    def engine_name(self) -> str:
        """See `ChunkClassifier`."""
        return self.worker.engine_name

    def start(
        self, refs: Sequence[ImageRef], contents: Sequence[bytes | None] = ()
    ) -> Callable[[], list[Row]]:
        """See `ChunkClassifier`."""
        pending = PendingChunk(refs, contents)
        for request in pending.requests():
            self.worker.submit(_LocalChunk(pending), request.index, request.ref, request.data)
        return pending.wait

    def classify(self, refs: Sequence[ImageRef]) -> list[Row]:
        """Return one row for each of `refs`, in order."""
        return self.start(refs)()


def fake_worker(
    before: Callable[[Pixels], None] | None = None,
    *,
    batch_size: int = 1,
    threads: int = 2,
    options: ClassifyOptions = DEFAULT,
    policy: BatchPolicy | None = None,
) -> LocalClassifier:
    """Return a worker of two classes: red pictures are `red`, green ones `green`.

    `before` is called with the pixels of each batch before they are classified. With `policy` the
    pictures of all threads are gathered, as for an engine on a device.
    """
    engine: Engine = FakeEngine(2, batch_size=batch_size, before=before)
    if policy is not None:
        engine = BatchingEngine(engine, policy, callers=threads)
    with in_flight_file(threads) as file:
        table = InFlightTable(file.fileno(), threads)
    return LocalClassifier(ThreadedWorker(engine, MODEL, options, threads=threads, table=table))


def put_all(root: str, pictures: dict[str, bytes]) -> list[ImageRef]:
    """Put objects into a store and return their references from its listing."""
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
    absent = dict.fromkeys(("width", "height", "format", "label", "score", "top"))
    return make_row(uri, **absent, status=Status.FAILED, error_code=code, error_message=message)


def uris(rows: Sequence[Row]) -> list[str]:
    """Return the URIs of `rows`, in order."""
    return [row.uri for row in rows]
