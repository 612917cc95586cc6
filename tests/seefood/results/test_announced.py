"""The marks of sent events are few: they expire, and only a compaction lists them."""

from datetime import timedelta

import pytest

from seefood.records import ImageRef, utc_now
from seefood.results.announced import KEPT, delete_old_marks, mark_location
from seefood.results.compaction import compact
from seefood.results.files import RESULTS, RUNS, UPLOADS, encode_rows, part_location
from seefood.storage import open_store, write
from seefood.storage.uris import Location, parse_location
from tests.fakes import DIGEST, make_row

_REFS = [ImageRef(f"s3://b/{number}.jpg", "e") for number in range(3)]


def _marked(root: str, digest: str = DIGEST) -> Location:
    output = parse_location(root)
    for ref, is_transient in zip(_REFS, (True, False, False), strict=True):
        write(mark_location(output, digest, ref, is_transient=is_transient), b"{}")
    return output


def _count(output: Location) -> int:
    return len(list(open_store(output.root).list(output.child("announced/").key)))


@pytest.mark.parametrize("kind", ["memory", "tmp_path"])
def test_old_marks_go(kind: str, request: pytest.FixtureRequest) -> None:
    """Those of this model, a while after which no message comes again; not before."""
    output, other = _marked(str(request.getfixturevalue(kind))), "f" * 64
    _marked(output.uri, other)

    assert 0 == delete_old_marks(output, DIGEST, utc_now() + KEPT - timedelta(minutes=1))
    assert 3 == delete_old_marks(output, DIGEST, utc_now() + KEPT + timedelta(minutes=1))
    assert 0 == delete_old_marks(output, DIGEST, utc_now() + KEPT + timedelta(minutes=1))
    assert 3 == _count(output)


def test_an_output_without_marks_is_compacted(memory: str) -> None:
    """Young marks stay."""
    output = parse_location(memory)
    rows = [make_row()]
    write(part_location(output, DIGEST, rows, "csv"), encode_rows(rows, "csv"))
    compact(output, DIGEST)
    _marked(memory)
    compact(output, DIGEST)
    assert 3 == _count(output)


def test_no_run_lists_marks(memory: str) -> None:
    """Runs, reports and reviews list whole folders: those of rows, and that of runs."""
    mark = mark_location(parse_location(memory), DIGEST, _REFS[0], is_transient=False)
    folders = [parse_location(memory).child(f"{kind}/").uri for kind in (RESULTS, UPLOADS, RUNS)]
    assert not mark.uri.startswith(tuple(folders))
