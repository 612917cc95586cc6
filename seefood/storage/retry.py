"""Which requests are sent again, how often, and after which waits.

    THROTTLED    the store is overloaded, broken or silent: nine tries
    NOT_A_STORE  something else replied, such as a proxy's web page: five tries within four seconds
    BUSY         a service beside the store is overloaded or silent: like NOT_A_STORE
    DENIED       refused: like NOT_A_STORE if the same was permitted before in this process
    PERMANENT    the same request would fail again: one try

Only for requests that may be sent twice. obstore retries a throttled store by itself (`RETRY` in
`object_store`); what it gives up after more than `SHORT_BACKOFF` allows is not sent again here.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, TypeVar

_T = TypeVar("_T")
Permission = Literal["list", "read", "write", "delete"]


class Failure(Enum):
    """The kind of a request's failure; decides whether the request is sent again."""

    THROTTLED = "throttled"
    NOT_A_STORE = "not_a_store"
    BUSY = "busy"
    DENIED = "denied"
    PERMANENT = "permanent"


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often a request is sent, and how long the waits are: doubling, with jitter."""

    max_tries: int
    first_wait_seconds: float
    max_wait_seconds: float
    max_total_seconds: float
    """For all tries and waits together; a try that has begun is not interrupted."""

    def wait_seconds(self, tried: int, elapsed_seconds: float) -> float | None:
        """Return how long to wait after the try number `tried`; None if that was the last."""
        longest = min(self.max_wait_seconds, self.first_wait_seconds * 2 ** (tried - 1))
        wait = random.uniform(longest / 2, longest)
        if tried >= self.max_tries or elapsed_seconds + wait > self.max_total_seconds:
            return None
        return wait


# The waits of one request add up to at most ten seconds, because stopping a run waits for them.
THROTTLED_BACKOFF: Final = Backoff(9, 0.1, 2.0, 120.0)
SHORT_BACKOFF: Final = Backoff(5, 0.25, 2.0, 4.0)


class RetryPolicy:
    """Sends requests to one store, again where that may help. Thread-safe."""

    def __init__(self, classify: Callable[[Exception], Failure]) -> None:
        self._classify = classify
        self._granted: set[Permission] = set()

    def call(self, request: Callable[[], _T], permission: Permission | None = None) -> _T:
        """Return what `request` returns. Raises what the last try raised.

        `permission` is what a success proves; without it, a denial is final.
        """
        began = time.monotonic()
        tried = 0
        while True:
            tried += 1
            try:
                result = request()
            except Exception as error:
                backoff = self._backoff(self._classify(error), permission)
                if backoff is None:
                    raise
                wait = backoff.wait_seconds(tried, time.monotonic() - began)
                if wait is None:
                    raise
            else:
                if permission is not None:
                    self._granted.add(permission)
                return result
            time.sleep(wait)

    def _backoff(self, failure: Failure, permission: Permission | None) -> Backoff | None:
        if failure is Failure.THROTTLED:
            return THROTTLED_BACKOFF
        was_granted = permission is not None and permission in self._granted
        is_short = failure in (Failure.NOT_A_STORE, Failure.BUSY)
        if is_short or (failure is Failure.DENIED and was_granted):
            return SHORT_BACKOFF
        return None
