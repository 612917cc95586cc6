import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from seefood.corrections import Correction, CorrectionLog, checked_reviewer, read_corrections
from seefood.corrections.log import list_corrections
from seefood.errors import JobError, UsageError
from seefood.records import utc_now
from seefood.storage import read, write
from seefood.storage.uris import parse_location
from tests.conftest import Bucket

_NOW = utc_now()


def correct(
    uri: str = "s3://b/a.jpg", label: str | None = "green", **changes: object
) -> Correction:
    """Return a correction of a picture that the model called red."""
    made = Correction(uri, "e1", label, "red", "0" * 64, "ada", _NOW)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_an_append_is_one_object_that_reads_back(memory: str) -> None:
    """The object's name and lines are those of the contract."""
    output = parse_location(f"{memory}/out")
    written = [correct(), correct("s3://b/ü.jpg", note="blurred\nbut sure")]
    assert written == CorrectionLog(output).append(written)
    (ref,) = list_corrections(output)
    assert re.fullmatch(
        rf"{memory}/out/corrections/ada/\d{{8}}T\d{{6}}\.\d{{3}}Z-[0-9a-f]{{16}}\.jsonl", ref.uri
    )
    lines = read(parse_location(ref.uri)).decode().splitlines()
    names = ["uri", "etag", "label", "was", "model_digest", "reviewer", "at", "note"]
    assert names == list(json.loads(lines[0]))
    assert {each.key: each for each in written} == dict(read_corrections(output))


def test_the_latest_counts_whatever_the_clocks_show(memory: str) -> None:
    """A later answer wins although the machine of the earlier one was an hour ahead."""
    output = parse_location(memory)
    ahead = _NOW + timedelta(hours=1)
    CorrectionLog(output).append([correct(at=ahead, reviewer="bob")])
    log = CorrectionLog(output)
    log.refresh()
    log.append([correct(label="blue")])
    found = read_corrections(output)
    assert ["blue"] == [each.label for each in found.values()]
    assert ahead < found["s3://b/a.jpg", "e1"].at


def test_an_answer_is_taken_back(memory: str) -> None:
    """A correction without a label leaves the picture as if nobody had said anything."""
    log = CorrectionLog(parse_location(memory))
    log.append([correct()])
    log.append([correct(label=None)])
    found = read_corrections(log.output)
    assert {} == dict(found)
    assert 0 == len(found)
    latest = found.latest(("s3://b/a.jpg", "e1"))
    assert latest is not None
    assert latest.label is None


def test_a_repeated_answer_is_written_once(memory: str) -> None:
    """An answer whose reply was lost may be sent again, also to another process."""
    output = parse_location(memory)
    assert 1 == len(CorrectionLog(output).append([correct()], "a1b2"))
    restarted = CorrectionLog(output)
    restarted.refresh()
    assert [] == restarted.append([correct()], "a1b2")
    assert 1 == len(list_corrections(output))


def test_two_people_see_each_other(s3: Bucket) -> None:
    """What one appends the other's refresh returns, once."""
    ada, bob = (CorrectionLog(parse_location(f"{s3.uri}/out")) for _ in range(2))
    ada.append([correct()])
    assert [correct()] == bob.refresh()
    assert [] == bob.refresh()
    assert [] == ada.refresh()
    bob.append([correct("s3://b/c d.jpg", reviewer="Bob B.")])
    assert ["s3://b/c d.jpg"] == [each.uri for each in ada.refresh()]
    assert dict(ada.corrections) == dict(bob.corrections)


def test_an_output_without_corrections(tmp_path: Path) -> None:
    """Nothing is there before the first answer."""
    assert {} == dict(read_corrections(parse_location(str(tmp_path))))


@pytest.mark.parametrize("name", ["", "a/b", "..", ".x", "a\\b", "a\nb", "x" * 101, "a%2Fb", "a "])
def test_a_reviewer_that_is_no_folder_is_refused(name: str) -> None:
    """Names become folders in every store."""
    with pytest.raises(UsageError, match="cannot be a reviewer's name"):
        checked_reviewer(name)


@pytest.mark.parametrize(
    "line", ["[]", "{", '{"uri": "s3://b/a"}', '{"uri":"a","etag":"b","reviewer":"c","at":"x"}']
)
def test_foreign_objects_are_named(line: str, memory: str) -> None:
    """An object that holds something else is an error with its name."""
    write(parse_location(f"{memory}/corrections/ada/x.jsonl"), line.encode())
    with pytest.raises(JobError, match=r"ada/x\.jsonl holds no corrections"):
        read_corrections(parse_location(memory))
