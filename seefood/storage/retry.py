"""Trying again: the one place that says which requests are sent again, and how often.

    busy     the store is throttled, broken or silent: up to ten seconds, its answers not counted
    odd      something else than the store answered, such as a proxy's web page: a few seconds
    refused  what these credentials were granted in this process before: a few seconds
    lasting  asked again, the answer would be the same: never

Only for requests that may be done twice. obstore tries a busy store again by itself (`RETRY`);
what it gives up after longer than `NOT_A_STORE` allows is not tried again here.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, TypeVar

_T = TypeVar("_T")
Right = Literal["list", "read", "write", "delete"]


class Failure(Enum):
    """What the failure of a request says of the next one."""

    THROTTLED = "busy"
    NOT_A_STORE = "odd"
    DENIED = "refused"
    PERMANENT = "lasting"


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often a request is sent, and how long is waited in between: doubling, with jitter."""

    tries: int
    first_wait_seconds: float
    longest_wait_seconds: float
    most_seconds: float
    """Of all tries and waits together; a try that has begun is not broken off."""

    def wait_seconds(self, tried: int, elapsed_seconds: float) -> float | None:
        """Return how long to wait after the try number `tried`; None if that was the last."""
        longest = min(self.longest_wait_seconds, self.first_wait_seconds * 2 ** (tried - 1))
        wait = random.uniform(longest / 2, longest)
        if tried >= self.tries or elapsed_seconds + wait > self.most_seconds:
            return None
        return wait


# All waits of one request end within ten seconds, because a run that is asked to stop waits for it.
THROTTLED: Final = Backoff(9, 0.1, 2.0, 120.0)
NOT_A_STORE: Final = Backoff(5, 0.25, 2.0, 4.0)


class RetryPolicy:
    """Sends requests of one store again; any thread may call."""

    def __init__(self, meaning: Callable[[Exception], Failure]) -> None:
        self._meaning = meaning
        self._granted: set[Right] = set()

    def send(self, request: Callable[[], _T], right: Right | None = None) -> _T:
        """Return what `request` returns, at whichever try. Raises what the last one raised.

        `right` is what the store grants by answering; without one a refusal is final.
        """
        began = time.monotonic()
        tried = 0
        while True:
            tried += 1
            try:
                answer = request()
            except Exception as error:
                patience = self._patience(self._meaning(error), right)
                if patience is None:
                    raise
                wait = patience.wait_seconds(tried, time.monotonic() - began)
                if wait is None:
                    raise
            else:
                if right is not None:
                    self._granted.add(right)
                return answer
            time.sleep(wait)

    def _patience(self, failure: Failure, right: Right | None) -> Backoff | None:
        if failure is Failure.THROTTLED:
            return THROTTLED
        passes = failure is Failure.NOT_A_STORE or (
            failure is Failure.DENIED and right is not None and right in self._granted
        )
        return NOT_A_STORE if passes else None
