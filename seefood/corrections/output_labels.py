"""The final labels of an output, out into files and in from files."""

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from seefood.corrections.correction import Correction
from seefood.corrections.final import FINAL_COLUMNS, By, apply_corrections
from seefood.corrections.known_labels import checked_label, refuse_unknown
from seefood.corrections.label_files import FinalLabel
from seefood.corrections.log import CorrectionLog
from seefood.errors import UsageError
from seefood.records import utc_now
from seefood.results.output_rows import OutputRows

_COLUMNS: Final = (*FINAL_COLUMNS, "labels", "model_digest")


def final_labels(
    rows: OutputRows, corrections: Mapping[tuple[str, str], Correction]
) -> Iterator[FinalLabel]:
    """Yield one final label a picture, in the order of the rows."""
    names = ("uri", "etag", "label", "by", "score", "model_digest", "labels")
    for batch in apply_corrections(rows.batches(_COLUMNS), corrections):
        columns = [batch[name].to_pylist() for name in names]
        for uri, etag, label, by, score, digest, labels in zip(*columns, strict=True):
            several = None if labels is None else tuple(labels)
            yield FinalLabel(uri, etag, label, By(by), score, digest, labels=several)


def common_folder(rows: OutputRows) -> str:
    """Return the longest folder that the URIs of all rows begin with, with its final slash."""
    common: str | None = None
    for batch in rows.batches(("uri",)):
        uris = batch["uri"].to_pylist()
        ends = [min(uris), max(uris)] if common is None else [common, min(uris), max(uris)]
        common = posixpath.commonprefix(ends)
    return (common or "").rpartition("/")[0] + "/"


@dataclass(frozen=True, slots=True)
class Import:
    """What an import found."""

    written: tuple[Correction, ...]
    counts: Counter[str] = field(default_factory=Counter)
    """Lines by what became of them: `written`, `known`, `absent`, `replaced`, `by a model`."""


def import_labels(
    rows: OutputRows,
    log: CorrectionLog,
    labels: Iterable[FinalLabel],
    *,
    reviewer: str,
    known: Sequence[str],
) -> Import:
    """Append what people said in a file as corrections, all in one object or none.

    Lines that the model said, and those that repeat what is known, are left out. A relative path
    means the only picture whose URI ends with it. Raises `UsageError` for a label that is not in
    `known`, a path that several pictures have, or if no picture is in the output.
    """
    counts: Counter[str] = Counter()
    given: dict[str, FinalLabel] = {}
    for line in labels:
        if line.by is By.MODEL or (line.label is None and line.labels is None):
            counts["by a model" if line.by is By.MODEL else "without a label"] += 1
            continue
        for name in line.names:
            refuse_unknown(checked_label(name), known)
        given[line.uri] = line
    found, has_several = _matches(rows, given)
    counts["absent"] = len(given) - len(found)
    if given and not found:
        raise UsageError(
            f"none of the {len(given):,} pictures of the file is in {rows.output.uri}, such as "
            f"{next(iter(given))!r:.200}; give their URIs as the rows have them"
        )
    corrections = []
    for line, uri, etag, was, digest in found.values():
        names = tuple(dict.fromkeys(map(checked_label, line.names)))
        if len(names) != 1 and not has_several:
            raise UsageError(
                f"the file gives {uri} {len(names)} labels, and the models of {rows.output.uri} "
                "give a picture one; leave one in the file"
            )
        before = log.corrections.get((uri, etag))
        if line.etag not in (None, etag):
            counts["replaced"] += 1
        elif before is not None and set(before.names) == set(names):
            counts["known"] += 1
        else:
            main = was if was in names else next(iter(names), None)
            several = names if has_several else None
            corrections.append(
                Correction(uri, etag, main, was, digest, reviewer, utc_now(), line.note, several)
            )
    written = log.append(corrections)
    counts["written"] = len(written)
    return Import(tuple(written), +counts)


_Match = tuple[FinalLabel, str, str, str | None, str]


def _matches(rows: OutputRows, given: Mapping[str, FinalLabel]) -> tuple[dict[str, _Match], bool]:
    """Return for each given picture its line and, of its row, uri, etag, label and digest.

    Also whether models of the output give pictures several labels.
    """
    by_name: dict[str, list[str]] = {}
    for name in given:
        if "://" not in name:
            by_name.setdefault(posixpath.basename(name), []).append(name)
    found: dict[str, _Match] = {}
    has_several = False
    for batch in rows.batches(("uri", "etag", "label", "model_digest", "labels")):
        has_several = has_several or batch["labels"].null_count < batch.num_rows
        columns = [column.to_pylist() for column in batch.columns[:4]]
        for uri, etag, label, digest in zip(*columns, strict=True):
            for name in _names_of(uri, given, by_name):
                if name in found:
                    raise UsageError(
                        f"{name!r:.200} is the end of several URIs, such as {uri!r:.200} and "
                        f"{found[name][1]!r:.200}; give whole URIs"
                    )
                found[name] = given[name], uri, etag, label, digest
    return found, has_several


def _names_of(
    uri: str, given: Mapping[str, FinalLabel], by_name: Mapping[str, list[str]]
) -> Iterator[str]:
    """Yield the given names that mean the picture `uri`."""
    if uri in given:
        yield uri
        return
    path = unquote(uri) if uri.startswith("file://") else uri
    for name in by_name.get(posixpath.basename(path), ()):
        if path.endswith(name if name.startswith("/") else f"/{name.removeprefix('./')}"):
            yield name
