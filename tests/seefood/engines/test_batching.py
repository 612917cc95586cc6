"""Pictures of many threads are computed together, and every answer is what the engine gives."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from seefood.engines.base import Engine, Probabilities
from seefood.engines.batching import BatchingEngine, BatchPolicy
from seefood.engines.fake import FakeEngine
from seefood.imaging.decode import Pixels
from seefood.records import Row
from tests.fakes import fake_worker, put_all
from tests.pictures import jpeg

PICTURES = np.random.default_rng(0).integers(0, 256, (24, 8, 8, 3), dtype=np.uint8)
PATIENT = BatchPolicy(max_pictures=16, max_wait_seconds=60.0, parallel=1)
"""A test with it passes in time only if a batch begins once every caller waits."""


@contextmanager
def batching(
    engine: Engine, policy: BatchPolicy = PATIENT, *, callers: int | None = None
) -> Iterator[BatchingEngine]:
    wrapped = BatchingEngine(engine, policy, callers=callers)
    yield wrapped
    wrapped.close()


def ask(engine: Engine, parts: Sequence[Pixels]) -> list[Probabilities]:
    """Return the answers for each of `parts`, each asked for on a thread of its own."""
    with ThreadPoolExecutor(len(parts)) as pool:
        return list(pool.map(engine.predict, parts))


def refusing(refuses: Callable[[Pixels], bool]) -> FakeEngine:
    """Return an engine that raises on some batches."""

    def before(images: Pixels) -> None:
        if refuses(images):
            raise ValueError("refused")

    return FakeEngine(3, batch_size=4, before=before)


def test_calls_are_gathered_and_each_gets_its_answer() -> None:
    """Six threads with different numbers of pictures make two or three batches of at most 16."""
    sizes: list[int] = []
    parts = np.split(PICTURES, [3, 4, 6, 11, 12])
    fake = FakeEngine(3, before=lambda images: sizes.append(len(images)))
    with batching(fake, callers=len(parts)) as engine:
        answers = ask(engine, parts)
    for part, answer in zip(parts, answers, strict=True):
        np.testing.assert_array_equal(FakeEngine(3).predict(part), answer)
    assert 24 == sum(sizes)
    assert len(sizes) < len(parts)
    assert max(sizes) <= 16


def test_what_arrives_while_the_device_is_busy_is_one_batch() -> None:
    """The size of batches follows the load."""
    sizes: list[int] = []
    entered, opened = threading.Event(), threading.Event()

    def before(images: Pixels) -> None:
        sizes.append(len(images))
        entered.set()
        assert opened.wait(10)

    with (
        batching(FakeEngine(before=before), BatchPolicy(max_wait_seconds=0, parallel=1)) as engine,
        ThreadPoolExecutor(9) as pool,
    ):
        calls = [pool.submit(engine.predict, PICTURES[:1])]
        assert entered.wait(10)
        calls += [pool.submit(engine.predict, PICTURES[n : n + 2]) for n in range(8)]
        while engine.waiting_pictures < 16:
            threading.Event().wait(0.001)
        opened.set()
        assert [1, *[2] * 8] == [len(call.result()) for call in calls]
    assert [1, 16] == sizes


def test_a_call_that_nobody_joins_is_answered() -> None:
    """The wait for more pictures ends: with unknown callers, and with callers that do not call."""
    for callers in (None, 8):
        policy = BatchPolicy(max_wait_seconds=0.01)
        with batching(FakeEngine(), policy, callers=callers) as engine:
            assert (2, 2) == engine.predict(PICTURES[:2]).shape


def test_the_wait_follows_the_time_of_a_batch() -> None:
    """A quarter of what a batch takes, and never more than the limit."""
    policy = BatchPolicy(max_wait_seconds=0.02, wait_share=0.25)
    assert [0.02, 0.001, 0.02] == [policy.wait_seconds(each) for each in (None, 0.004, 3.0)]


def test_a_call_that_fails_alone_does_not_fail_the_others() -> None:
    """The batch is computed again call by call; only the call with the refused picture raises."""
    bad = np.full((1, 8, 8, 3), 255, np.uint8)
    fake = refusing(lambda images: bool((images == 255).all(axis=(1, 2, 3)).any()))
    parts = [*np.split(PICTURES[:6], 6), bad]
    with batching(fake, callers=7) as engine, ThreadPoolExecutor(7) as pool:
        calls = [pool.submit(engine.predict, part) for part in parts]
        for part, call in zip(parts[:-1], calls, strict=False):
            np.testing.assert_array_equal(FakeEngine(3).predict(part), call.result())
        with pytest.raises(ValueError, match="refused"):
            calls[-1].result()
        assert 16 == engine.max_pictures  # it was not the size


def test_batches_that_do_not_fit_become_smaller_and_grow_again() -> None:
    """If every call succeeds alone, the batch was too large: half of it is the new limit."""
    sizes: list[int] = []

    def refuses(images: Pixels) -> bool:
        sizes.append(len(images))
        return len(images) > 5

    parts = np.split(PICTURES[:8], 8)
    with batching(refusing(refuses), callers=8) as engine:
        assert 8 == len(ask(engine, parts))
        assert 4 == engine.max_pictures
        sizes.clear()
        assert 8 == len(ask(engine, parts))
        assert max(sizes) <= 4
    policy = BatchPolicy(max_pictures=16, max_wait_seconds=0, parallel=1)
    with batching(refusing(refuses), policy) as engine:
        engine.limit(4)
        for _ in range(64):
            engine.predict(PICTURES[:1])
        assert 16 == engine.max_pictures


def test_closing_answers_what_waits() -> None:
    """Pending calls are answered at once, whatever they wait for; later ones are refused."""
    with batching(FakeEngine(), callers=99) as engine, ThreadPoolExecutor(1) as pool:
        call = pool.submit(engine.predict, PICTURES[:3])
        while not engine.waiting_pictures:
            threading.Event().wait(0.001)
        engine.close()
        assert (3, 2) == call.result().shape
        with pytest.raises(RuntimeError, match="closed"):
            engine.predict(PICTURES[:1])


def test_an_engine_that_breaks_off_does_not_end_the_threads() -> None:
    """Even `SystemExit` goes to its caller, and the next call is answered."""
    broken = threading.Event()

    def before(images: Pixels) -> None:
        del images
        if not broken.is_set():
            broken.set()
            raise SystemExit

    with batching(FakeEngine(before=before), callers=1) as engine:
        with pytest.raises(SystemExit):
            engine.predict(PICTURES[:1])
        assert (1, 2) == engine.predict(PICTURES[:1]).shape


def test_features_come_with_the_answers() -> None:
    """They are the engine's, and only an engine that has features says so."""
    with batching(FakeEngine(), callers=1) as engine:
        assert engine.has_features
        expected = FakeEngine().predict_with_features(PICTURES)
        for due, actual in zip(expected, engine.predict_with_features(PICTURES), strict=True):
            np.testing.assert_array_equal(due, actual)


def test_answers_of_another_number_are_an_error() -> None:
    """A call never gets the answer for another's picture."""

    class Short(FakeEngine):
        def predict(self, images: Pixels) -> Probabilities:
            return super().predict(images)[1:]

    with (
        batching(Short(), callers=1) as engine,
        pytest.raises(ValueError, match="2 answers for 3 pictures"),
    ):
        engine.predict(PICTURES[:3])


@pytest.mark.parametrize("room", [1, 3])
def test_a_device_with_room_for_less_than_a_call_labels_every_picture(
    memory: str, room: int
) -> None:
    """The worker asks for its pictures one by one then, and no row says that memory was short."""
    sizes: list[int] = []

    def before(images: Pixels) -> None:
        sizes.append(len(images))
        if len(images) > room:
            raise MemoryError

    refs = put_all(memory, {f"{n:02d}": jpeg((10 * n, 9, 99)) for n in range(12)})
    rows = fake_worker(before, batch_size=4, threads=2, policy=BatchPolicy()).classify(refs)
    assert [(ref.uri, None) for ref in refs] == [(row.uri, row.error_code) for row in rows]
    assert max(sizes) > room


class ResourceExhaustedError(Exception):
    """Has the name of TensorFlow's exception."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ResourceExhaustedError("SameWorkerRecvDone unable to allocate output tensor"),
        RuntimeError("Failed to allocate memory for requested buffer of size 4096"),
        RuntimeError("CUDA failure 2: out of memory ; GPU=0 ; hostname=h"),
        RuntimeError("CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("std::bad_alloc"),
    ],
    ids=repr,
)
def test_a_device_without_room_for_one_picture_says_so_in_every_row(
    memory: str, error: Exception
) -> None:
    """Each row has a sentence and is tried again by the next run; no thread hangs or ends."""

    def before(_: Pixels) -> None:
        raise error

    refs = put_all(memory, {f"{n:02d}": jpeg((10 * n, 9, 99)) for n in range(6)})
    rows = fake_worker(before, batch_size=4, threads=2, policy=BatchPolicy()).classify(refs)
    message = "there was not enough memory for the fake engine"
    assert [("out_of_memory", message)] * 6 == [(row.error_code, row.error_message) for row in rows]


def test_two_engines_at_once_do_not_share_batches() -> None:
    """A cascade has two, and their answers have different lengths."""
    parts = np.split(PICTURES[:12], 12)
    with (
        batching(FakeEngine(2), callers=6) as two,
        batching(FakeEngine(3), callers=6) as three,
        ThreadPoolExecutor(12) as pool,
    ):
        calls = [pool.submit((two, three)[n % 2].predict, part) for n, part in enumerate(parts)]
        answers = [call.result() for call in calls]
    for n, (part, answer) in enumerate(zip(parts, answers, strict=True)):
        np.testing.assert_array_equal(FakeEngine(2 + n % 2).predict(part), answer)


def test_rows_equal_those_without_it(memory: str) -> None:
    """A worker's rows are the same, also of pictures on which the engine or the decoder fails."""
    colors = [(250, 5, 5), (5, 250, 5), (1, 1, 250)]
    pictures = {f"{n:03d}": jpeg(colors[n % 3 == 1]) for n in range(60)}
    pictures |= {"007": jpeg(colors[2]), "031": b"no picture", "032": jpeg(colors[2])}
    refs = put_all(memory, pictures)

    def before(images: Pixels) -> None:
        if (images[..., 2].mean(axis=(1, 2)) > 200).any():
            raise ValueError("blue")

    def content(rows: Sequence[Row]) -> list[object]:
        return [
            (row.uri, row.label, row.score, row.status, row.error_code, row.error_message)
            for row in rows
        ]

    plain = fake_worker(before, batch_size=4, threads=4).classify(refs)
    policy = BatchPolicy(max_pictures=8)
    gathered = fake_worker(before, batch_size=4, threads=4, policy=policy).classify(refs)
    assert content(plain) == content(gathered)
    assert ["engine_error", "not_an_image", "engine_error"] == [
        row.error_code for row in gathered if row.error_code
    ]
