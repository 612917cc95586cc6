"""What the pictures of a queue look like: an order, copies, neighbours, from stored features.

Each is computed in a thread of its own when it is first asked for. Features take about 1.3 kB of
memory a picture.
"""

import logging
from collections.abc import Callable
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import numpy as np

from seefood.duplicates.groups import find_groups
from seefood.duplicates.pictures import load_picture_vectors, load_pictures
from seefood.errors import SeefoodError, UsageError
from seefood.features.files import list_feature_parts
from seefood.features.places import VectorPlaces
from seefood.features.stored import StoredVectors, load_vectors
from seefood.likeness.difference import most_different
from seefood.likeness.search import Likeness, nearest
from seefood.records import DIGEST_SHOWN
from seefood.results.files import digest_of
from seefood.review.row_store import RowStore
from seefood.sanitize import printable, redacted
from seefood.storage import fetch
from seefood.storage.uris import Location

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.intp]

_LOGGER: Final = logging.getLogger(__name__)
_MAX_COPIES: Final = 200
"""Pictures that one answer settles; a larger group is asked about several times."""
_T = TypeVar("_T")


class _OnDemand(Generic[_T]):
    """A value that a thread computes when it is first asked for."""

    def __init__(self, compute: Callable[[], _T], done: Callable[[], None]) -> None:
        """`done` is called when the value is there, or cannot be."""
        self._compute = compute
        self._done = done
        self._lock = Lock()
        self._thread: Thread | None = None
        self._problem: UsageError | None = None
        self._value: _T | None = None
        self._is_stopped = False
        self._is_done = False

    def stop(self) -> None:
        """Report no failure any more: threads of a process that ends cannot start others."""
        self._is_stopped = True

    @property
    def is_busy(self) -> bool:
        """Whether the value is being computed, or `done` has not returned yet."""
        return self._thread is not None and not self._is_done

    def get(self) -> _T | None:
        """Return the value; None while it is computed. Raises `UsageError` if it cannot be."""
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._run, daemon=True, name="review-looks")
                self._thread.start()
        if self._problem is not None:
            raise self._problem
        return self._value

    @property
    def known(self) -> _T | None:
        """The value if it is there; nothing is started."""
        return self._value

    def wait(self) -> _T:
        """Return the value when it is there. Raises `UsageError` if it cannot be."""
        while (value := self.get()) is None:
            if self._thread is not None:
                self._thread.join()
        return value

    def _run(self) -> None:
        try:
            self._value = self._compute()
        except SeefoodError as error:
            self._problem = UsageError(str(error))
        except Exception as error:
            if self._is_stopped:
                return
            _LOGGER.exception("pictures cannot be compared")
            self._problem = UsageError(
                f"pictures cannot be compared: {printable(redacted(str(error)))}"
            )
        self._done()
        self._is_done = True


class _Similar:
    """The vectors of a store's newest rows."""

    def __init__(self, vectors: StoredVectors, store: RowStore) -> None:
        rows = store.newest()
        at = VectorPlaces(vectors).find_keys(store.column("contents")[rows])
        self.vectors = vectors
        self.row_of = np.full(len(vectors), -1)
        """The row of each vector; -1 without one."""
        self.row_of[at[at >= 0]] = rows[at >= 0]
        self._likeness: Likeness | None = None
        self._lock = Lock()

    def near(self, number: int, count: int) -> list[tuple[int, float]]:
        """Return the rows most similar to a row, and their similarities from -1 to 1."""
        found = np.flatnonzero(self.row_of == number)
        if not found.size:
            raise UsageError("this picture has no features; classify again with `--features`")
        with self._lock:
            self._likeness = self._likeness or Likeness(self.vectors)
        query = self.vectors.values[found[0]].astype(np.float32)
        similarities = self._likeness.similarities(query)
        similarities[(self.row_of < 0) | (self.row_of == number)] = -np.inf
        at = nearest(similarities, count)
        at = at[np.isfinite(similarities[at])]
        return [(int(self.row_of[each]), float(similarities[each])) for each in at]


class Looks:
    """Of all rows of a store, once they are read. Thread-safe."""

    def __init__(
        self,
        output: Location,
        store: RowStore,
        wait: Callable[[], None],
        done: Callable[[], None],
    ) -> None:
        """`wait` returns when all rows are in `store`; `done` is called when an order is there."""
        self._output = output
        self._store = store
        self._wait = wait
        self._similar = _OnDemand(self._compare, lambda: None)
        self._groups: dict[int, Rows] = {}
        self._orders = {
            "different": _OnDemand(self._differences, done),
            "copies": _OnDemand(self._copies, done),
        }

    def stop(self) -> None:
        """Let the process end."""
        self._similar.stop()
        for order in self._orders.values():
            order.stop()

    @property
    def is_busy(self) -> bool:
        """Whether an order is being computed."""
        return any(each.is_busy for each in self._orders.values())

    def place(self, order: str) -> "NDArray[np.float32] | None":
        """Return the place of each row in an order, NaN for rows that are left out.

        None while it is computed. Raises `UsageError` if it cannot be.
        """
        return self._orders[order].get()

    def known_place(self, order: str) -> "NDArray[np.float32] | None":
        """Return the same if it is there by now; else None, and nothing is started."""
        return self._orders[order].known

    def copies(self, number: int) -> "Rows":
        """Return the other rows of the group of copies that this row stands for."""
        return self._groups.get(number, np.empty(0, np.intp))

    def near(self, number: int, count: int) -> list[tuple[int, float]] | None:
        """Return the rows most similar to a row; None while features are read.

        Raises `UsageError` if there are none.
        """
        similar = self._similar.get()
        return None if similar is None else similar.near(number, count)

    def _compare(self) -> _Similar:
        self._wait()
        return _Similar(load_vectors(self._output, self._digest()), self._store)

    def _digest(self) -> str:
        """Return the model with features that has the most rows."""
        featured = {digest_of(part.uri) for part in list_feature_parts(self._output)}
        counts = np.bincount(self._store.column("model"))
        known = [
            (int(counts[code]), digest)
            for code, digest in enumerate(self._store.models.texts)
            if digest[:DIGEST_SHOWN] in featured
        ]
        if not known:
            raise UsageError(
                f"there are no features below {self._output.uri}; run `seefood classify` again "
                "with --features, which reads the pictures once more"
            )
        return max(known)[1]

    def _differences(self) -> "NDArray[np.float32]":
        similar = self._similar.wait()
        place = np.full(self._store.count, np.inf, np.float32)
        order = similar.row_of[most_different(similar.vectors)]
        order = order[order >= 0]
        place[order] = np.arange(order.size)
        return place

    def _copies(self) -> "NDArray[np.float32]":
        """Return the places of the best of each group: groups with two labels come first."""
        self._wait()
        pictures = load_pictures([self._output])
        vectors = load_picture_vectors([self._output])
        groups = find_groups(pictures, vectors, fetch=fetch)
        rows = self._store.newest()
        keys = self._store.column("contents")[rows]
        order = np.argsort(keys)
        place = np.full(self._store.count, np.nan, np.float32)
        asked = 0
        for group in sorted(groups, key=lambda each: len(each.labels) < 2):
            wanted = pictures.keys[[member.index for member in group.members]]
            at = np.minimum(np.searchsorted(keys, wanted, sorter=order), keys.size - 1)
            members = rows[order[at]][keys[order[at]] == wanted]
            for start in range(0, members.size, _MAX_COPIES):
                best, *others = members[start : start + _MAX_COPIES]
                self._groups[int(best)] = np.array(others, np.intp)
                place[best] = asked
                asked += 1
        return place
