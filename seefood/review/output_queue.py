"""The queue of `seefood review`: the rows of an output, read while the first ones are shown."""

import logging
import math
import sys
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from threading import Event, Lock, RLock, Thread
from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.corrections import Correction, CorrectionLog
from seefood.corrections.known_labels import checked_label, refuse_unknown
from seefood.errors import JobError, SeefoodError
from seefood.label_sets import set_text
from seefood.records import ImageRef, Row, utc_now
from seefood.results.files import list_parts
from seefood.results.formats.base import BATCH_ROWS
from seefood.results.output_rows import batches_while_written, no_rows
from seefood.review.looks import Looks
from seefood.review.queue import Answer, Card, Neighbour, Progress, View, answered_labels
from seefood.review.reviewer import joined_labels, model_labels, spoken_labels
from seefood.review.row_store import COLUMNS, NO_LABEL, RowStore
from seefood.review.views import BY_LOOKS, Filters, Ordered, Said, parse_view, select
from seefood.sanitize import printable, redacted
from seefood.storage.uris import Location

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_LOGGER: Final = logging.getLogger(__name__)
_MAX_VIEWS: Final = 8
_FIRST_ROWS_SECONDS: Final = 60.0
_SWITCH_SECONDS: Final = 0.0005
_FIRST_PICTURE_SECONDS: Final = 1.0


class OutputQueue:
    """The rows below an output. `start` reads them in a thread of its own."""

    is_blind = False

    def __init__(
        self,
        output: Location,
        reviewer: str,
        labels: Sequence[str] = (),
        refresh_seconds: float = 1.5,
    ) -> None:
        """`labels` are offered beside those of the models and those that people gave.

        Answers of others are read at most every `refresh_seconds`.
        """
        self._refresh_seconds = refresh_seconds
        self.title = output.uri
        self._reviewer = reviewer
        self._log = CorrectionLog(output)
        self._store = RowStore()
        self._looks = Looks(output, self._store, self.wait_until_loaded, self._compared)
        self._labels = joined_labels(labels)
        self._said = np.empty(0, np.int32)
        self._views: OrderedDict[Filters, Ordered] = OrderedDict()
        self._lock = RLock()  # of the views and of what people said
        self._refresh_lock = Lock()
        self._refreshed_at = -math.inf
        self._revision = 0
        self._has_rows = Event()
        self._has_corrections = Event()
        self._is_shown = Event()
        self._is_loading = True
        self._is_stopped = False
        self._problem = ""

    def start(self) -> None:
        """List the output, and read it in the background.

        Raises `UsageError` if there are no rows, or the store cannot be listed.
        """
        output = self._log.output
        parts = list_parts(output)
        if not parts:
            raise no_rows(output)
        own, self._labels = self._labels, model_labels(output)
        self._labels = joined_labels(self._labels, own)
        # No daemon: Arrow aborts a process that ends while a thread is inside it.
        Thread(target=self._load, args=(parts,), name="review-rows").start()

    def stop(self) -> None:
        """Stop reading rows, so that the process can end."""
        self._is_stopped = True
        self._is_shown.set()
        self._looks.stop()

    def wait_until_loaded(self) -> None:
        """Return when all rows are there, for tests and scripts. Raises `JobError`."""
        while self._is_loading:
            time.sleep(0.01)
        if self._problem:
            raise JobError(self._problem)

    @property
    def has_several(self) -> bool:
        """See `Queue.has_several`."""
        return self._store.has_several

    def labels(self) -> list[str]:
        """See `Queue.labels`. Waits for the first rows, whose labels are among them."""
        self._has_rows.wait(_FIRST_ROWS_SECONDS)
        with self._lock:
            return list(self._labels)

    def add_label(self, label: str) -> None:
        """See `Queue.add_label`."""
        with self._lock:
            self._labels = joined_labels(self._labels, [checked_label(label)])
            self._revision += 1

    def progress(self, view: View) -> Progress:
        """See `Queue.progress`."""
        with self._lock:
            rows = self._view(view).rows
            answered = int(np.count_nonzero(self._spoken()[rows] != NO_LABEL))
            is_comparing = not rows.size and self._looks.is_busy
            text = f"{self._store.count:,} rows read" if self._is_loading else ""
            return Progress(
                int(rows.size),
                answered,
                text="Comparing pictures" if is_comparing else text,
                is_loading=self._is_loading or is_comparing,
                problem=self._problem,
            )

    def cards(self, view: View, start: int, count: int) -> list[Card]:
        """See `Queue.cards`."""
        self._has_rows.wait(_FIRST_ROWS_SECONDS)
        with self._lock:
            ordered = self._view(view)
            rows = ordered.page(start, count)
        cards = [self._card(int(number)) for number in rows]
        return cards if ordered.filters.order != "copies" else list(map(self._with_copies, cards))

    def next_open(self, view: View, start: int) -> int | None:
        """See `Queue.next_open`. Waits for the first rows: corrections are read before them."""
        self._has_rows.wait(_FIRST_ROWS_SECONDS)
        with self._lock:
            rows = self._view(view).rows
            spoken = self._spoken()
            for first in range(max(0, start), rows.size, 4096):
                is_open = spoken[rows[first : first + 4096]] == NO_LABEL
                if is_open.any():
                    return first + int(np.argmax(is_open))
        return None

    def card(self, number: int) -> Card:
        """See `Queue.card`. A picture is shown: reading goes on."""
        self._is_shown.set()
        return self._card(number)

    def _card(self, number: int) -> Card:
        row = self._store.row(number)
        others: tuple[Row, ...] = ()
        if len(self._store.models.texts) > 1:
            rows = map(self._store.row, map(int, self._store.numbers([(row.uri, row.etag)])))
            latest = {
                each.model_digest: each
                for each in sorted(rows, key=lambda each: each.classified_at)
            }
            others = tuple(
                each for each in latest.values() if each.model_digest != row.model_digest
            )
        return Card(number, row, self._log.corrections.get((row.uri, row.etag)), others)

    def near(self, number: int, count: int) -> list[Neighbour] | None:
        """See `Queue.near`."""
        found = self._looks.near(number, count)
        if found is None:
            return None
        return [Neighbour(self._card(row), similarity) for row, similarity in found]

    def _with_copies(self, card: Card) -> Card:
        copies = tuple(map(self._card, self._looks.copies(card.number).tolist()))
        return replace(card, copies=copies)

    def find(self, uri: str, etag: str) -> int | None:
        """See `Queue.find`."""
        numbers = self._store.numbers([(uri, etag)])
        return int(numbers[-1]) if numbers.size else None

    def answer(self, answers: Sequence[Answer], answer_id: str) -> None:
        """See `Queue.answer`."""
        self._has_corrections.wait()
        corrections = [self._correction(each) for each in answers]
        written = self._log.append(corrections, answer_id)
        self._note(written, [answer.number for answer in answers])

    def refresh(self) -> int:
        """See `Queue.refresh`."""
        is_due = time.monotonic() - self._refreshed_at > self._refresh_seconds
        if self._has_corrections.is_set() and is_due and self._refresh_lock.acquire(blocking=False):
            try:
                self._note(self._log.refresh())
            except SeefoodError as error:  # the page goes on, and the next call tries again
                _LOGGER.warning("cannot read the corrections of others: %s", error)
            finally:
                self._refreshed_at = time.monotonic()
                self._refresh_lock.release()
        return self._revision

    def _correction(self, answer: Answer) -> Correction:
        row = self._store.row(answer.number)
        label, several = answered_labels(answer, row.label, has_several=self.has_several)
        if answer_names := several or ((label,) if label else ()):
            known = self.labels()
            for each in answer_names:
                refuse_unknown(each, known)
        return Correction(
            row.uri,
            row.etag,
            label,
            row.label,
            row.model_digest,
            self._reviewer,
            utc_now(),
            answer.note,
            several,
        )

    def _note(self, corrections: Sequence[Correction], numbers: Sequence[int] = ()) -> None:
        """Mark the rows of new corrections; `numbers` are the rows if they are known."""
        if not corrections:
            return
        with self._lock:
            self._labels = joined_labels(
                self._labels, sorted({label for each in corrections for label in each.names})
            )
            if len(self._store.models.texts) > 1 or not numbers:
                numbers = self._store.numbers([each.key for each in corrections]).tolist()
            self._mark(numbers)
            self._revision += 1

    def _mark(self, numbers: Sequence[int]) -> None:
        spoken = self._spoken()
        for number in numbers:
            correction = self._log.corrections.get(self._store.key(number))
            code = self._store.sets.add(set_text(correction.names)) if correction else NO_LABEL
            spoken[number] = code

    def _spoken(self) -> "NDArray[np.int32]":
        """Return the labels that people gave to each row so far, as codes."""
        if self._said.size < self._store.count:
            self._said = Said(self._said).until(max(self._store.count, 2 * self._said.size))
        return self._said

    def _view(self, view: View) -> Ordered:
        filters = parse_view(view)
        if filters.order in BY_LOOKS:
            self._looks.place(filters.order)  # starts, or raises
        ordered = self._views.get(filters)
        if ordered is None:
            ordered = Ordered(filters)
            ordered.update(self._select(filters, Said(self._spoken())))
            self._views[filters] = ordered
            if len(self._views) > _MAX_VIEWS:
                self._views.popitem(last=False)
        self._views.move_to_end(filters)
        return ordered

    def _select(self, filters: Filters, said: Said) -> "NDArray[np.intp]":
        by_looks = filters.order in BY_LOOKS
        place = self._looks.known_place(filters.order) if by_looks else None
        return select(self._store, filters, said, place)

    def _compared(self) -> None:
        """Show what was compared."""
        self._update_views()
        self._revision += 1

    def _load(self, parts: Sequence[ImageRef]) -> None:
        """Read corrections and rows; the views follow whenever the rows have doubled."""
        import pyarrow as pa  # noqa: PLC0415 (100 ms)

        # Arrow's own allocator keeps what it frees: 120 MB of a million rows.
        pa.set_memory_pool(pa.system_memory_pool())
        # The first picture must not wait for this thread 5 ms at each step.
        sys.setswitchinterval(_SWITCH_SECONDS)
        try:
            self._log.refresh()
            with self._lock:
                spoken = spoken_labels(self._log.corrections)
                self._labels = joined_labels(self._labels, spoken)
            self._has_corrections.set()
            ordered = 0
            for batch in batches_while_written(self._log.output, parts, COLUMNS):
                if self._is_stopped:
                    return
                if batch.num_rows:
                    self._add(batch)
                pa.default_memory_pool().release_unused()
                if self._store.count >= 2 * ordered:
                    ordered = self._store.count
                    self._update_views()
                if self._store.count >= BATCH_ROWS:  # there is enough to begin with
                    self._is_shown.wait(_FIRST_PICTURE_SECONDS)
                    self._is_shown.set()
            self._problem = "" if self._store.count else "the result objects hold no rows"
        except Exception as error:  # noqa: BLE001 (the page shows it)
            kind = "" if isinstance(error, SeefoodError) else f"{type(error).__name__}: "
            self._problem = printable(redacted(f"{kind}{error}"))
        finally:
            pa.default_memory_pool().release_unused()
            self._has_corrections.set()  # also without them: no answer may wait for ever
            self._is_loading = False
            self._update_views()
            pa.default_memory_pool().release_unused()
            self._has_rows.set()
            self._revision += 1

    def _add(self, batch: "pa.RecordBatch") -> None:
        first = self._store.count
        self._store.add(batch)
        with self._lock:
            self._labels = joined_labels(self._labels, self._store.labels())
            if corrections := self._log.corrections:
                keys = list(corrections)
                hashes = np.fromiter(map(hash, keys), np.int64, len(keys))
                found = np.isin(self._store.column("contents")[first:], hashes)
                self._mark((first + np.flatnonzero(found)).tolist())

    def _update_views(self) -> None:
        """Order all views anew. Requests are held up for an instant only."""
        with self._lock:
            views, said = list(self._views.values()), Said(self._spoken())
        for ordered in views:
            selected = self._select(ordered.filters, said)
            with self._lock:
                ordered.update(selected)
        if self._store.count:
            self._has_rows.set()
