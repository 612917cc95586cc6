"""Lists sources: each selected object once, without the results of runs."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from seefood.errors import UsageError
from seefood.records import ImageRef, ListingNote
from seefood.results.files import (
    ANNOUNCED,
    AUDITS,
    CORRECTIONS,
    FEATURES,
    JOURNAL,
    RESULTS,
    RUNS,
    UPLOADS,
)
from seefood.results.formats import format_names
from seefood.sources.archives import expand
from seefood.sources.base import CheckedSource, NotingSource, Source
from seefood.sources.compact_set import CompactSet
from seefood.sources.completion import complete
from seefood.sources.filter_hint import FilterTally
from seefood.sources.filters import Selection
from seefood.sources.notes import ListingNotes
from seefood.storage import open_store
from seefood.storage.archive_names import is_archive
from seefood.storage.uris import Location, parse_location

_RESULT: Final = "|".join(map(re.escape, (*format_names(), "json")))
# See `seefood.runs.run_files`, which stands above this package.
_RUN: Final = r"(?:summary|before|listing|stop|totals)\.json|report\.html"
_OWN: Final = re.compile(
    rf"(?:{RESULTS}|{UPLOADS}|{FEATURES})/digest=[^/]+/[^/]+\.(?:{_RESULT})"
    rf"|{RUNS}/(?:leases/[^/]+\.json|[^/]+/(?:{_RUN}))"
    rf"|{ANNOUNCED}/digest=[^/]+/[^/]+\.(?:final|transient)"
    rf"|(?:{CORRECTIONS}/[^/]+|{AUDITS})/[^/]+\.jsonl?"
    rf"|{JOURNAL}/[^/]+\.(?:jsonl|done|undone)"
)
"""What runs, uploads, reviews, audits and actions write, below an output."""


def list_sources(
    sources: Sequence[Source],
    output: Location | None = None,
    selection: Selection = Selection(),  # noqa: B008 (a frozen value)
    notes: ListingNotes | None = None,
) -> Iterator[ImageRef]:
    """Yield the selected objects of all sources, each once, without results in `output`.

    What could not be listed goes into `notes`, and why filters kept nothing. Keeps 11 bytes an
    object where an object may be listed twice: with several sources, or with one that is not exact.
    Raises `UsageError` for a source that cannot be listed.
    """
    notes = notes or ListingNotes()
    is_exact = len(sources) == 1 and sources[0].is_exact
    seen = None if is_exact else CompactSet()
    is_written = _is_written_below(output)
    tally = FilterTally(selection)
    for source in sources:
        objects = _objects(source, is_written, notes, selection)
        named = _by_name(objects, selection, seen, tally)
        # After the filters by name, so that only the remaining objects cause requests.
        for ref in named if source.is_exact else complete(named):
            if selection.has_age(ref):
                tally.kept += 1
                yield ref
    if hint := tally.hint():
        notes.add(ListingNote("", hint, is_loss=False))


def check_sources(sources: Iterable[Source], output: Location | None = None) -> None:
    """Raise `UsageError` if a source cannot be listed, lists no object at all, or has a fault.

    A selection that keeps nothing is no error: there may be nothing new since the last run.
    """
    is_written = _is_written_below(output)
    for source in sources:
        if isinstance(source, CheckedSource):
            source.check()
        notes = ListingNotes()
        first = next(_objects(source, is_written, notes, Selection()), None)
        if first is None:
            for text in notes.left_out:
                raise UsageError(f"cannot list {text}; check its permissions")
            raise UsageError(source.empty_message)
        open_store(parse_location(first.uri).root)  # raises what is wrong with the credentials


def _objects(
    source: Source, is_written: Callable[[str], bool], notes: ListingNotes, selection: Selection
) -> Iterator[ImageRef]:
    """Yield what `source` lists and no run wrote; collect its notes."""
    for item in source.walk() if isinstance(source, NotingSource) else source.list():
        if isinstance(item, ListingNote):
            notes.add(item)
        elif not is_written(item.uri):
            yield from _expanded(item, notes, selection)


def _expanded(item: ImageRef, notes: ListingNotes, selection: Selection) -> Iterator[ImageRef]:
    """Yield an object, or the members of an archive."""
    if not is_archive(item.uri):
        yield item
    elif not selection.excludes(item.uri):
        for member in expand(item):
            if isinstance(member, ListingNote):
                notes.add(member)
            else:
                yield member


def _by_name(
    refs: Iterable[ImageRef], selection: Selection, seen: CompactSet | None, tally: FilterTally
) -> Iterator[ImageRef]:
    """Yield those of `refs` whose names are selected and not in `seen`."""
    for ref in refs:
        tally.see(ref.uri)
        if selection.has_name(ref.uri):
            tally.named += 1
            if seen is None or seen.add(ref.uri):
                yield ref


def _is_written_below(output: Location | None) -> Callable[[str], bool]:
    """Return whether a URI has the name of what runs write below `output`.

    Anything else there is somebody's own, also in folders that are called as ours are.
    """
    if output is None:
        return lambda _: False
    start = output.child("").uri
    return lambda uri: uri.startswith(start) and _OWN.fullmatch(uri, len(start)) is not None
