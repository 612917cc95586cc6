"""Rows, features and corrections follow pictures that were moved; the ledger knows them.

New rows are written before old ones are removed, under names that depend on the rows alone, and
answers only where no later ones are: a repetition after a kill changes nothing.
"""

from collections.abc import Mapping
from dataclasses import replace

from seefood.corrections import Correction, CorrectionLog
from seefood.features.moving import move_vectors
from seefood.records import ImageRef, Row
from seefood.results.deduplicate import remove_rows
from seefood.results.files import encode_rows, list_parts, part_location, read_part
from seefood.storage import write
from seefood.storage.uris import Location

Key = tuple[str, str]


def follow(output: Location, moved: Mapping[Key, Key]) -> int:
    """Give what is known of pictures to where they are now; return the rows changed.

    `moved` has the URI and entity tag now by those before. Idempotent. Raises `JobError`.
    """
    move_vectors(output, moved)  # before the rows: a picture with a row has its features
    changed = 0
    for part in list_parts(output):
        keys = list(read_part(part.uri, ("uri", "etag")))
        indices = {at for at, key in enumerate(keys) if (key[0], key[1]) in moved}
        if not indices:
            continue
        rows = [_moved(row, moved) for at, row in enumerate(read_part(part.uri)) if at in indices]
        ending = part.uri.rpartition(".")[2]
        file_format = "jsonl" if ending == "json" else ending
        refs = [ImageRef(row.uri, row.etag) for row in rows]
        target = part_location(output, rows[0].model_digest, refs, file_format)
        write(target, encode_rows(rows, file_format))
        remove_rows(part.uri, indices, len(keys))
        changed += len(rows)
    _move_corrections(output, moved)
    return changed


def _moved(row: Row, moved: Mapping[Key, Key]) -> Row:
    uri, etag = moved[row.uri, row.etag]
    return replace(row, uri=uri, etag=etag, version_id=None)


def _move_corrections(output: Location, moved: Mapping[Key, Key]) -> None:
    """Append the latest answers of pictures where they are now, unless later ones are there."""
    log = CorrectionLog(output)
    log.refresh()
    by_reviewer: dict[str, list[Correction]] = {}
    for before, (uri, etag) in sorted(moved.items()):
        answer, known = log.corrections.latest(before), log.corrections.latest((uri, etag))
        if answer is not None and (known is None or known.at < answer.at):
            here = replace(answer, uri=uri, etag=etag)
            by_reviewer.setdefault(answer.reviewer, []).append(here)
    for answers in by_reviewer.values():
        log.append(answers)
