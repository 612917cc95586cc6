"""What a run on a cluster has written so far: its result objects, and nothing else.

A cluster may start a job's steps again after a machine was lost. The results themselves then tell
what is done, as they do between runs; and while the job works they tell the launcher how far it is.
What was there before the run is written down at its start, because a result object that was written
anew keeps its name.
"""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from seefood.errors import JobError
from seefood.records import ImageRef, Row
from seefood.results.files import RESULTS, decode_rows, list_parts, part_format, reading_part
from seefood.results.ledger import Ledger, ledger_key
from seefood.results.totals import Totals, add_totals, count_rows
from seefood.storage import open_store, read, write
from seefood.storage.uris import Location, parse_location

_READERS: Final = 16


@dataclass(frozen=True, slots=True)
class Before:
    """The result objects that were there when a run started, by URI and entity tag."""

    output: Location
    digest: str
    parts: frozenset[tuple[str, str]] = frozenset()

    @property
    def uris(self) -> tuple[str, ...]:
        """The URIs, sorted."""
        return tuple(sorted(uri for uri, _ in self.parts))

    def new_parts(self) -> list[ImageRef]:
        """Return the bulk job's result objects that have been written since."""
        results = f"{self.output.child(RESULTS).uri}/"
        return [
            part
            for part in list_parts(self.output, self.digest)
            if (part.uri, part.etag) not in self.parts and part.uri.startswith(results)
        ]


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier attempts of the same run have done."""

    ledger: Ledger
    totals: Totals


def note_parts(output: Location, digest: str) -> Before:
    """Return what is there now."""
    parts = frozenset((part.uri, part.etag) for part in list_parts(output, digest))
    return Before(output, digest, parts)


def write_before(before: Before, location: Location) -> None:
    """Put `before` where other machines find it: it is too large to travel with the job."""
    document = {
        "output": before.output.uri,
        "digest": before.digest,
        "parts": sorted(before.parts),
    }
    write(location, json.dumps(document).encode())


def read_before(location: Location) -> Before:
    """Return what `write_before` wrote. Raises `JobError` if it is gone or broken."""
    try:
        document = json.loads(read(location))
        parts = frozenset((str(uri), str(etag)) for uri, etag in document["parts"])
        return Before(parse_location(document["output"]), str(document["digest"]), parts)
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise JobError(
            f"{location.uri} is gone or broken ({error!r}); run the same command again"
        ) from error


def read_earlier(before: Before) -> Earlier:
    """Return what this run has done already; reads its result objects. Raises `JobError`."""
    with ThreadPoolExecutor(_READERS) as pool:
        parts = list(pool.map(_keys_and_totals, before.new_parts()))
    keys = (key for found, _ in parts for key in found)
    return Earlier(Ledger(keys), add_totals(totals for _, totals in parts))


def count_parts(parts: Iterable[ImageRef]) -> list[Totals]:
    """Return the totals of each of these result objects. Raises `JobError`."""
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(lambda part: count_rows(_rows(part)), parts))


def _keys_and_totals(part: ImageRef) -> tuple[list[bytes], Totals]:
    rows = _rows(part)
    return [ledger_key(row.uri, row.etag) for row in rows], count_rows(rows)


def _rows(part: ImageRef) -> list[Row]:
    location = parse_location(part.uri)
    with reading_part(part.uri):
        data = open_store(location.root).read(location.key)
        return list(decode_rows(data, part_format(part.uri) or ""))
