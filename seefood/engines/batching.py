"""Gathers the pictures of many threads into batches for an engine on a device.

A device computes a large batch in little more time than a small one, and each decoding thread has
only a few pictures at a time. `BatchingEngine` wraps any engine: threads call `predict` as before
and wait, while a few threads of its own compute what has been gathered. Whatever arrives while the
device is busy becomes the next batch, so the size of batches follows the load by itself (adaptive
batching, as in Clipper: Crankshaw et al. 2017, section 4.3).
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from seefood.engines.base import FeatureEngine
from seefood.engines.devices import device_of
from seefood.imaging.decode import Pixels

if TYPE_CHECKING:
    from seefood.engines.base import Engine, Probabilities
    from seefood.vectors import Features

_SMOOTHING: Final = 0.2
"""The weight of the newest batch in the mean duration of a batch."""
_GROW_AFTER: Final = 32
"""So many batches without an error double a limit that was halved."""


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """How pictures are gathered."""

    max_pictures: int = 128
    """Of one batch. It bounds the device memory, and is halved where a batch does not fit."""
    max_wait_seconds: float = 0.02
    """How long the first picture of a batch waits at most for others."""
    wait_share: float = 0.25
    """It waits at most this share of the mean duration of a batch."""
    parallel: int = 2
    """How many batches are in computation: one computes while the next is prepared and copied."""

    def wait_seconds(self, batch_seconds: float | None) -> float:
        """Return how long to wait for more pictures; None: no batch has been computed yet."""
        if batch_seconds is None:
            return self.max_wait_seconds
        return min(self.max_wait_seconds, self.wait_share * batch_seconds)


class _Answer(NamedTuple):
    """What the network returns for some pictures."""

    probabilities: "Probabilities"
    features: "Features | None"

    def part(self, start: int, stop: int) -> "_Answer":
        features = None if self.features is None else self.features[start:stop]
        return _Answer(self.probabilities[start:stop], features)


@dataclass(frozen=True, slots=True)
class _Request:
    """The pictures of one call, and its answer."""

    images: Pixels
    with_features: bool
    arrived: float = field(default_factory=time.monotonic)
    answer: "Future[_Answer]" = field(default_factory=Future)

    def fits(self, first: "_Request") -> bool:
        """Whether it can be computed together with `first`."""
        return (
            self.with_features == first.with_features
            and self.images.shape[1:] == first.images.shape[1:]
        )


class BatchingEngine:
    """An engine that computes the pictures of all calling threads in common batches.

    An answer never depends on the other pictures of a batch: if the engine fails on a batch, each
    call is computed alone, and only those that fail again raise. If all of them succeed alone, the
    batch was too large for the device, and batches become smaller.
    """

    def __init__(
        self, engine: "Engine", policy: BatchPolicy = BatchPolicy(), *, callers: int | None = None
    ) -> None:
        """Wrap `engine`; `close` ends its threads.

        `callers` is how many threads call `predict`: once all of them wait, no picture can come,
        and a batch begins at once.
        """
        self.name = engine.name
        self.batch_size = engine.batch_size
        self.device = device_of(engine)
        self._engine = engine
        self._policy = policy
        self._callers = callers
        self._limit = policy.max_pictures
        self._successes = 0
        self._batch_seconds: float | None = None
        self._busy = 0  # calls that are being computed
        self._waiting: deque[_Request] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"batch-{number}", daemon=True)
            for number in range(policy.parallel)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def max_pictures(self) -> int:
        """The size of the largest batch now."""
        return self._limit

    @property
    def waiting_pictures(self) -> int:
        """How many pictures wait to be computed now."""
        with self._changed:
            return sum(len(request.images) for request in self._waiting)

    def limit(self, pictures: int) -> None:
        """Compute at most so many pictures at a time for now; it grows again to the policy's."""
        with self._changed:
            self._limit, self._successes = max(1, pictures), 0

    def predict(self, images: Pixels) -> "Probabilities":
        """See `Engine.predict`. Raises what the engine raises for these pictures alone."""
        return self._ask(images, with_features=False).probabilities

    @property
    def has_features(self) -> bool:
        """See `FeatureEngine.has_features`."""
        return isinstance(self._engine, FeatureEngine) and self._engine.has_features

    def predict_with_features(self, images: Pixels) -> "tuple[Probabilities, Features]":
        """See `FeatureEngine.predict_with_features`."""
        answer = self._ask(images, with_features=True)
        assert answer.features is not None  # noqa: S101 (it was asked for)
        return answer.probabilities, answer.features

    def close(self) -> None:
        """Compute what waits and end the threads; a later call raises `RuntimeError`."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _ask(self, images: Pixels, *, with_features: bool) -> _Answer:
        request = _Request(images, with_features)
        with self._changed:
            if self._is_closed:
                message = f"the {self.name} engine was closed"
                raise RuntimeError(message)
            self._waiting.append(request)
            self._changed.notify()
        return request.answer.result()

    def _run(self) -> None:
        """Loop: gather a batch and compute it, until closed."""
        while batch := self._gather():
            started = time.monotonic()
            try:
                self._compute(batch)
            finally:
                self._finished(batch, time.monotonic() - started)

    def _gather(self) -> list[_Request]:
        """Return the next batch; none once closed and all is computed."""
        with self._changed:
            while True:
                if not self._waiting:
                    if self._is_closed:
                        return []
                    self._changed.wait()
                    continue
                rest = self._rest_seconds()
                if rest <= 0:
                    return self._take()
                self._changed.wait(rest)

    def _rest_seconds(self) -> float:
        """Return how long the waiting pictures may still wait for others; 0 or less: no longer."""
        is_full = self.waiting_pictures >= self._limit
        nobody_else = self._callers is not None and (
            len(self._waiting) + self._busy >= self._callers
        )
        if is_full or nobody_else or self._is_closed:
            return 0.0
        waited = time.monotonic() - self._waiting[0].arrived
        return self._policy.wait_seconds(self._batch_seconds) - waited

    def _take(self) -> list[_Request]:
        """Remove the first calls that may be computed together; always at least one."""
        batch = [self._waiting.popleft()]
        pictures = len(batch[0].images)
        while self._waiting and self._waiting[0].fits(batch[0]):
            pictures += len(self._waiting[0].images)
            if pictures > self._limit:
                break
            batch.append(self._waiting.popleft())
        self._busy += len(batch)
        if self._waiting:
            self._changed.notify()  # another thread may take the rest
        return batch

    def _finished(self, batch: Sequence[_Request], seconds: float) -> None:
        with self._changed:
            self._busy -= len(batch)
            mean = seconds if self._batch_seconds is None else self._batch_seconds
            self._batch_seconds = mean + _SMOOTHING * (seconds - mean)
            self._successes += 1
            if self._successes >= _GROW_AFTER and self._limit < self._policy.max_pictures:
                grown = min(self._limit * 2, self._policy.max_pictures)
                self._limit, self._successes = grown, 0

    def _compute(self, batch: Sequence[_Request]) -> None:
        """Answer each call of `batch`; raises nothing."""
        try:
            images = [request.images for request in batch]
            together = images[0] if len(images) == 1 else np.concatenate(images)
            answer = self._call(together, with_features=batch[0].with_features)
        except BaseException as error:  # noqa: BLE001 (the calls must end, and the thread go on)
            self._compute_alone(batch, error)
            return
        start = 0
        for request in batch:
            stop = start + len(request.images)
            request.answer.set_result(answer.part(start, stop))
            start = stop

    def _compute_alone(self, batch: Sequence[_Request], error: BaseException) -> None:
        """Answer each call of a batch that failed with `error` by itself."""
        if len(batch) == 1:
            batch[0].answer.set_exception(error)
            return
        failed = False
        for request in batch:
            try:
                answer = self._call(request.images, with_features=request.with_features)
            except BaseException as own:  # noqa: BLE001 (as above)
                failed = True
                request.answer.set_exception(own)
            else:
                request.answer.set_result(answer)
        if not failed:
            self.limit(sum(len(request.images) for request in batch) // 2)

    def _call(self, images: Pixels, *, with_features: bool) -> _Answer:
        """Return the engine's answer; its length is checked, because calls get parts of it."""
        if with_features:
            assert isinstance(self._engine, FeatureEngine)  # noqa: S101 (the caller checks it)
            answer = _Answer(*self._engine.predict_with_features(images))
        else:
            answer = _Answer(self._engine.predict(images), None)
        for part in answer:
            if part is not None and len(part) != len(images):
                message = f"it returned {len(part)} answers for {len(images)} pictures"
                raise ValueError(message)
        return answer
