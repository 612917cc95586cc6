"""Lists sources: each selected object once, without the results of runs."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.results.files import RESULTS, RUNS, UPLOADS
from seefood.sources.base import Source
from seefood.sources.completion import complete
from seefood.sources.filters import Selection
from seefood.storage.uris import Location


def list_sources(
    sources: Sequence[Source],
    output: Location | None = None,
    selection: Selection = Selection(),  # noqa: B008 (a frozen value)
) -> Iterator[ImageRef]:
    """Yield the selected objects of all sources, each once, without results in `output`.

    Keeps 16 bytes an object where an object may be listed twice: with several sources, or with one
    that is not exact. Raises `UsageError` for a source that cannot be listed.
    """
    is_exact = len(sources) == 1 and sources[0].is_exact
    seen: set[bytes] | None = None if is_exact else set()
    written = _written_below(output)
    for source in sources:
        named = _by_name(source.list(), written, selection, seen)
        # After the filters by name, so that only the remaining objects cause requests.
        for ref in named if source.is_exact else complete(named):
            if selection.has_age(ref):
                yield ref


def check_sources(sources: Iterable[Source], output: Location | None = None) -> None:
    """Raise `UsageError` if a source cannot be listed or lists no object at all.

    A selection that keeps nothing is no error: there may be nothing new since the last run.
    """
    written = _written_below(output)
    for source in sources:
        if next(_by_name(source.list(), written, Selection(), None), None) is None:
            raise UsageError(source.empty_message)


def _by_name(
    refs: Iterable[ImageRef],
    written: tuple[str, ...],
    selection: Selection,
    seen: set[bytes] | None,
) -> Iterator[ImageRef]:
    """Yield those of `refs` whose names are selected and not in `seen`."""
    for ref in refs:
        if ref.uri.startswith(written) or not selection.has_name(ref.uri):
            continue
        if seen is not None:
            name = ref.uri.encode("utf-8", "surrogatepass")
            key = hashlib.blake2b(name, digest_size=16).digest()
            if key in seen:
                continue
            seen.add(key)
        yield ref


def _written_below(output: Location | None) -> tuple[str, ...]:
    """Return the beginnings of the URIs that runs write; pictures beside them are listed."""
    if output is None:
        return ()
    names = (f"{RESULTS}/digest=", f"{UPLOADS}/digest=", f"{RUNS}/")
    return tuple(output.child(name).uri for name in names)
