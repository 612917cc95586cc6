"""Result objects in an output: their names, the list of them, and the rows of one.

    DEST/results/digest=<12>/part-<chunk hash>.parquet     written by the batch job
    DEST/uploads/digest=<12>/<hash of uri and etag>.json   written by the Lambda, one row an object;
                                                           all names of a URI begin alike

A part is named by its content (model digest, references, tags), so a retry overwrites the same
object with the same rows.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final, overload

from seefood.errors import JobError, SeefoodError
from seefood.records import DIGEST_SHOWN, ImageRef, Row
from seefood.results.formats import ResultFormat, format_of, result_format
from seefood.storage import list_existing, read
from seefood.storage.uris import Location, parse_location

RESULTS: Final = "results"
UPLOADS: Final = "uploads"
RUNS: Final = "runs"
ANNOUNCED: Final = "announced"
FEATURES: Final = "features"
CORRECTIONS: Final = "corrections"
AUDITS: Final = "audits"
JOURNAL: Final = "journal"
OUTPUT_FOLDERS: Final = (
    *(RESULTS, UPLOADS, RUNS, ANNOUNCED, FEATURES),
    *(CORRECTIONS, AUDITS, JOURNAL),
)
"""All that is written below an output; the module of each says what it holds."""


def part_location(
    output: Location, digest: str, refs: Sequence[ImageRef | Row], file_format: str
) -> Location:
    """Return where the rows of `refs` under the model `digest` are written.

    Rows have the same name as the references that they were made from.
    """
    identity = hashlib.sha256(digest.encode())
    for ref in refs:
        identity.update(json.dumps([ref.uri, ref.etag, ref.version_id]).encode())
    name = f"part-{identity.hexdigest()[:32]}.{file_format}"
    return results_folder(output, digest).child(name)


def results_folder(output: Location, digest: str) -> Location:
    """Return where the batch job writes the rows of the model `digest`."""
    return output.child(f"{RESULTS}/digest={digest[:DIGEST_SHOWN]}")


def upload_location(output: Location, digest: str, ref: ImageRef) -> Location:
    """Return where the Lambda writes the row of `ref`: the same object for a duplicate event."""
    identity = hashlib.sha256(json.dumps([ref.uri, ref.etag]).encode()).hexdigest()[:16]
    prefix = upload_prefix(output, digest, ref.uri)
    return Location(prefix.root, f"{prefix.key}{identity}.json")


def upload_prefix(output: Location, digest: str, uri: str) -> Location:
    """Return with what the names of all rows of the object `uri` begin, whatever its content."""
    identity = hashlib.sha256(json.dumps(uri).encode()).hexdigest()[:16]
    return output.child(f"{UPLOADS}/digest={digest[:DIGEST_SHOWN]}/{identity}")


def digest_of(uri: str) -> str:
    """Return the beginning of the model's digest from a result object's URI."""
    return uri.rpartition("digest=")[2][:DIGEST_SHOWN]


def encode_rows(rows: Sequence[Row], file_format: str) -> bytes:
    """Return `rows` as the bytes of one result object. Raises `UsageError` for unknown formats."""
    return result_format(file_format).encode(rows)


def list_parts(output: Location, digest: str | None = None) -> list[ImageRef]:
    """Return the result objects below `output`, of batch jobs and uploads, sorted by URI.

    `digest` keeps only one model's. The list is empty where nothing was written yet.
    """
    folders = [output.child(f"{kind}/") for kind in (RESULTS, UPLOADS)]
    if digest is not None:
        folders = [folder.child(f"digest={digest[:DIGEST_SHOWN]}/") for folder in folders]
    refs = chain.from_iterable(map(list_existing, folders))
    parts = [ref for ref in refs if format_of(ref.uri) is not None]
    return sorted(parts, key=lambda part: part.uri)


def list_batch_parts(output: Location, digest: str) -> list[ImageRef]:
    """Return the result objects of batch jobs with one model, without uploads, sorted by URI."""
    prefix = f"{output.child(RESULTS).uri}/"
    return [part for part in list_parts(output, digest) if part.uri.startswith(prefix)]


def list_upload_parts(output: Location, digest: str) -> list[ImageRef]:
    """Return the result objects of the Lambda with one model, sorted by URI."""
    prefix = f"{output.child(UPLOADS).uri}/"
    return [part for part in list_parts(output, digest) if part.uri.startswith(prefix)]


def read_rows(output: Location, digest: str | None = None) -> Iterator[Row]:
    """Yield every row below `output`, part by part. Raises `JobError` as `read_part` does."""
    for part in list_parts(output, digest):
        yield from read_part(part.uri)


@overload
def read_part(uri: str) -> Iterator[Row]: ...
@overload
def read_part(uri: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]: ...
def read_part(uri: str, columns: Sequence[str] | None = None) -> Iterator[Any]:
    """Yield the rows of one result object, or only some columns of each, as tuples.

    Raises `JobError` if the object cannot be read or holds something else.
    """
    with open_part(uri) as (part_format, data):
        if columns is None:
            yield from part_format.decode(data)
        else:
            yield from part_format.read_columns(data, columns)


class PartGoneError(JobError):
    """A result object was replaced between listing and reading."""


@contextmanager
def open_part(uri: str) -> Iterator[tuple[ResultFormat, bytes]]:
    """Yield the format and the bytes of a result object.

    An error inside the block becomes a `JobError` that names the object; `PartGoneError` if there
    is none.
    """
    part_format = format_of(uri)
    if part_format is None:
        raise JobError(f"{uri} has the name of no result object; move it away and run again")
    try:
        yield part_format, read(parse_location(uri))
    except SeefoodError:
        raise
    except FileNotFoundError as error:
        raise PartGoneError(
            f"{uri} is gone since it was listed, as when a run or a compaction replaces it; run "
            "the same command again"
        ) from error
    except Exception as error:  # Arrow, csv and json raise many kinds for foreign content
        raise JobError(
            f"{uri} holds no rows of seefood ({error}); move it away and run again"
        ) from error
