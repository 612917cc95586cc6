"""The corrections of an output: small objects that are written once and never changed.

    DEST/corrections/<reviewer>/<time>-<id>.jsonl    one line a picture

Each append is one atomic object, so that nothing is lost or half-written whatever is killed, no two
writers touch the same object, and no lock or database is needed. Of several corrections of a
picture the one with the latest `at` counts; of equal times the one in the object whose name (time
and id) sorts last, then the last line.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import token_hex
from threading import Lock
from typing import Final

from seefood.corrections.correction import Correction, checked_reviewer, encode_correction
from seefood.errors import JobError, SeefoodError
from seefood.records import ImageRef, utc_now
from seefood.results.files import CORRECTIONS
from seefood.storage import list_existing, read, write
from seefood.storage.uris import Location, parse_location

_READERS: Final = 32
Key = tuple[str, str]
"""A picture: URI and entity tag."""
_Rank = tuple[datetime, str, int]


@dataclass(frozen=True, slots=True)
class _Ranked:
    rank: _Rank
    correction: Correction


class Corrections(Mapping[Key, Correction]):
    """The latest correction of each picture that has one, by URI and entity tag.

    Pictures whose latest correction takes the answer back are absent.
    """

    def __init__(self, corrections: Sequence[Correction] = ()) -> None:
        """`corrections` may have several of a picture."""
        self._latest: dict[Key, _Ranked] = {}
        self.add("", corrections)

    def add(self, name: str, corrections: Sequence[Correction]) -> None:
        """Add the corrections of the object called `name`, in any order of objects."""
        for line, correction in enumerate(corrections):
            ranked = _Ranked((correction.at, name, line), correction)
            known = self._latest.get(correction.key)
            if known is None or known.rank < ranked.rank:
                self._latest[correction.key] = ranked

    def __getitem__(self, key: Key) -> Correction:
        correction = self._latest[key].correction
        if not correction.is_answer:
            raise KeyError(key)
        return correction

    def __iter__(self) -> Iterator[Key]:
        items = list(self._latest.items())  # a copy: another thread may add some
        return (key for key, item in items if item.correction.is_answer)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def latest(self, key: Key) -> Correction | None:
        """Return the latest correction of a picture, also one that takes the answer back."""
        item = self._latest.get(key)
        return item.correction if item else None


class CorrectionLog:
    """The corrections of one output: what was read so far, and what this process appends.

    Thread-safe. `refresh` reads what others have appended since.
    """

    def __init__(self, output: Location) -> None:
        """Read nothing; `refresh` does."""
        self.output = output
        self.corrections = Corrections()
        self._known: set[str] = set()
        self._ids: set[str] = set()
        self._names: dict[str, str] = {}
        self._lock = Lock()

    def refresh(self) -> list[Correction]:
        """Read the objects that are new since the last call; return their corrections.

        Raises `JobError` if an object cannot be read or holds something else, `UsageError` if the
        store cannot be listed.
        """
        refs = [ref for ref in list_corrections(self.output) if ref.uri not in self._known]
        new: list[Correction] = []
        with ThreadPoolExecutor(_READERS, "corrections") as pool:
            for ref, corrections in zip(refs, pool.map(_read, refs), strict=True):
                with self._lock:
                    if ref.uri not in self._known:
                        self._remember(ref.uri, corrections)
                        new.extend(corrections)
        return new

    def append(
        self, corrections: Sequence[Correction], answer_id: str | None = None
    ) -> list[Correction]:
        """Write corrections of one reviewer as one atomic object; return them as written.

        They are durable when this returns. Each `at` is moved behind that of the picture's latest
        known correction, whatever the clocks of other machines show. With an `answer_id` (letters
        and digits) that has been written before, nothing is written and the list is empty: a
        caller that saw no reply may repeat its call. Raises `JobError`; then nothing was written,
        or it is found by `refresh`.
        """
        identity = answer_id or token_hex(8)
        with self._lock:
            if identity in self._ids or not corrections:
                return []
            stamped = [self._stamped(each) for each in corrections]
            reviewer = checked_reviewer(stamped[0].reviewer)
            now = f"{utc_now():%Y%m%dT%H%M%S.%f}"[:-3] + "Z"
            # An answer that is sent again overwrites what a failed write may have left.
            name = self._names.setdefault(identity, f"{now}-{identity}.jsonl")
            location = self.output.child(f"{CORRECTIONS}/{reviewer}/{name}")
            write(location, b"".join(map(encode_correction, stamped)))
            self._remember(location.uri, stamped)
        return stamped

    def _stamped(self, correction: Correction) -> Correction:
        latest = self.corrections.latest(correction.key)
        if latest is None or latest.at < correction.at:
            return correction
        return replace(correction, at=latest.at + timedelta(milliseconds=1))

    def _remember(self, uri: str, corrections: Sequence[Correction]) -> None:
        self._known.add(uri)
        name = uri.rpartition("/")[2]
        self._ids.add(name.removesuffix(".jsonl").rpartition("-")[2])
        self.corrections.add(name, corrections)


def list_corrections(output: Location) -> list[ImageRef]:
    """Return the objects with corrections below `output`, sorted; empty if there are none."""
    refs = list_existing(output.child(f"{CORRECTIONS}/"))
    return sorted((ref for ref in refs if ref.uri.endswith(".jsonl")), key=lambda ref: ref.uri)


def read_corrections(output: Location) -> Corrections:
    """Return the corrections below `output`; see `CorrectionLog.refresh` for what is raised."""
    log = CorrectionLog(output)
    log.refresh()
    return log.corrections


def _read(ref: ImageRef) -> list[Correction]:
    """Return the corrections of one object."""
    try:
        data = read(parse_location(ref.uri))
        return [Correction.from_json(json.loads(line)) for line in data.splitlines() if line]
    except SeefoodError:
        raise
    except FileNotFoundError as error:
        raise JobError(f"{ref.uri} was deleted while it was read; run the command again") from error
    except (ValueError, RecursionError) as error:
        raise JobError(
            f"{ref.uri} holds no corrections of seefood ({error}); move it away and run again"
        ) from error
