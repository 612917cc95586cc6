"""The inputs that fuzzing found, each reduced to the smallest."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from seefood.bundle import MANIFEST, load_bundle
from seefood.classification import ClassifyOptions
from seefood.engines.fake import FakeEngine
from seefood.errors import BundleError, JobError, UsageError
from seefood.explain.tflite_graph import read_operations
from seefood.report.writing import rewrite_report
from seefood.results.deduplicate import deduplicate
from seefood.results.files import encode_rows
from seefood.runs.lease import hold_lease
from seefood.runs.pricing import default_prices, load_prices
from seefood.runs.run_spec import RunSpec
from seefood.sources.filters import parse_since
from seefood.sources.manifests import parse_manifest
from seefood.storage import write
from seefood.storage.parallel_listing import ParallelListing
from seefood.storage.s3_responses import S3Error, page_end, page_keys, read_page
from seefood.storage.uris import compile_glob, parse_location
from seefood_lambda.classifier import Classifier
from seefood_lambda.events import EventError, HttpRequest, parse_event
from seefood_lambda.http_api import respond
from seefood_lambda.settings import HttpPolicy
from tests.bundles import fake_bundle
from tests.fakes import DIGEST, MODEL, make_row
from tests.fuzz.listings import listing_page

_NOW = make_row().classified_at


@pytest.mark.parametrize(
    "page",
    [
        b"<html>log in</html>",
        listing_page(["a"], more=True)[:-9],
        listing_page(["a"], more=True).replace(b"2026-11-23", b"2026-13-45"),
        listing_page(["a"], more=True).replace(b"<Size>12", b"<Size>" + b"9" * 5000),
        listing_page(["\x7f"], more=False, encoded=False).replace(b"\x7f", b"\xff"),
    ],
)
def test_an_invalid_page(page: bytes) -> None:
    """Garbage is an error of the store, never an empty page, which would lose keys silently."""

    def read() -> None:
        page_end(page)
        page_keys(page)
        read_page(page)

    with pytest.raises(S3Error, match="is not a listing"):
        read()


def test_a_listing_without_an_end() -> None:
    """A store that repeats a key with "more to come" causes an error, not an endless loop."""
    page = listing_page(["a"], more=True)
    listing = ParallelListing(lambda _: page, page_end, page_keys)
    with pytest.raises(S3Error, match="no new key"):
        list(listing.pages())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("cut.txt", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xff"),
        ("batch.csv", b"bucket-1,a.jpg\nbucket-1\n,\n"),
        ("nul.csv", b'uri\n"\0'),
        ("size.jsonl", b'{"uri": "s3://b/a", "etag": "x", "size": 1e400}\n'),
        ("manifest.json", b'{"fileSchema": "Bucket, Key", "sourceBucket": "b"}'),
        ("manifest.json", b'{"fileSchema": 1, "sourceBucket": [], "fileFormat": {}, "files": 3}'),
        ("a.parquet", b"PAR1\0\0\0\0PAR1"),
    ],
)
def test_an_invalid_manifest(name: str, data: bytes, memory: str) -> None:
    """Errors of Arrow, gzip, csv and json become a message about the manifest, or an entry."""
    write(parse_location(f"{memory}/{name}"), data)
    with suppress(UsageError):
        assert list(parse_manifest(f"{memory}/{name}").list())


@pytest.mark.parametrize("lease", [b"", b"[]", b'{"expires_at": null}', b'{"pid": "x"}', b"\xff"])
def test_an_invalid_lease(lease: bytes, memory: str) -> None:
    """An invalid lease does not block a run, which can use its name."""
    output = parse_location(f"{memory}/out")
    write(output.child(f"runs/leases/{DIGEST[:12]}.all.000001.json"), lease)
    with hold_lease(RunSpec(output, DIGEST, "mine")):
        pass


def test_a_lease_cannot_name_a_path_outside(tmp_path: Path) -> None:
    """A dead run's id is part of a path to delete; `..` in it deletes nothing."""
    (tmp_path / "elsewhere").mkdir()
    precious = tmp_path / "elsewhere" / "totals.json"
    precious.write_text("{}")
    output = parse_location(str(tmp_path / "out"))
    dead = {"run_id": "../../elsewhere", "host": "h", "machine": "m", "pid": 1, "started": "1"}
    content = json.dumps({**dead, "since": "long ago", "expires_at": 1.0}).encode()
    write(output.child(f"runs/leases/{DIGEST[:12]}.all.000001.json"), content)
    with hold_lease(RunSpec(output, DIGEST, "mine")):
        pass
    assert precious.exists()


@pytest.mark.parametrize(
    "changes",
    [{"classified_at": None}, {"classified_at": 5}, {"etag": None}, {"uri": 7}, {"size_bytes": ""}],
)
def test_rows_of_other_types(changes: dict[str, object], memory: str) -> None:
    """A result object with values of other types is refused."""
    output = parse_location(memory).child("out")
    row = {**make_row().as_json(), **changes}
    part = output.child(f"results/digest={DIGEST[:12]}/part-0.jsonl")
    write(part, json.dumps(row).encode())
    with pytest.raises(JobError, match="holds no rows of seefood"):
        deduplicate(output, DIGEST)


@pytest.mark.parametrize(
    "summary",
    [
        b"[]",
        b'{"seconds": null}',
        b'{"seconds": "a"}',
        b'{"rows": 1e400}',
        b'{"model": 3}',
        b'{"model": {"digest": "../"}}',
        b'{"sources": {"a": 1}}',
    ],
)
def test_an_invalid_summary(summary: bytes, memory: str) -> None:
    """The report of such a run is refused with the summary's name."""
    output = parse_location(f"{memory}/out")
    part = output.child(f"results/digest={DIGEST[:12]}/part-0.jsonl")
    write(part, encode_rows([make_row()], "jsonl"))
    write(output.child("runs/20261123T000000Z-abcdef/summary.json"), summary)
    with pytest.raises(UsageError, match="is not the summary of a run"):
        rewrite_report(output)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("rule", {"height": 1_000_000_000, "width": 8}),
        ("rule", {"height": "8", "width": 8}),
        ("rule", {"height": 8, "width": 8, "filter": "cilinear"}),
        ("rule", {"height": 8, "width": 8, "scaled_decode": "x"}),
        ("files", {"../../etc/passwd": "0"}),
        ("thresholds", [10**400, 0]),
    ],
)
def test_an_invalid_bundle(place: str, value: object, tmp_path: Path) -> None:
    """Loading refuses values that no decoder or engine can use."""
    path = fake_bundle(tmp_path / "fake").path / MANIFEST
    document = json.loads(path.read_bytes())
    document[place] = value
    path.write_text(json.dumps(document))
    with pytest.raises(BundleError):
        load_bundle(tmp_path / "fake")


@pytest.mark.parametrize("data", [b"", b"\x04\0\0\0TFL3", b"\xff\xff\xff\xffTFL3" + b"\xff" * 90])
def test_an_invalid_graph(data: bytes, tmp_path: Path) -> None:
    """Offsets beyond the end of the file mean a damaged bundle."""
    (tmp_path / "model.tflite").write_bytes(data)
    with pytest.raises(BundleError):
        read_operations(tmp_path / "model.tflite")


def test_a_missing_price(tmp_path: Path) -> None:
    """Loading the table refuses it, before any picture is classified."""
    prices = json.loads(default_prices().read_bytes())
    del prices["lambda"]["gb_second"]
    (tmp_path / "prices.json").write_text(json.dumps(prices))
    with pytest.raises(UsageError, match="is no price table"):
        load_prices(tmp_path / "prices.json")


@pytest.mark.parametrize("text", ["99999999999999999999w", "0001-01-01", "9999-12-31T23:59-23:59"])
def test_times_beyond_the_calendar(text: str) -> None:
    """A time that the system cannot represent is refused."""
    with suppress(UsageError):
        assert isinstance(parse_since(text, _NOW), float)


@pytest.mark.parametrize("pattern", ["*" * 50 + "x", "*a" * 50, "**a" * 50, "**/*a" * 30, "[z-a]*"])
def test_a_slow_pattern(pattern: str) -> None:
    """A match takes linear time for any key; with backtracking it would not end."""
    glob = compile_glob(pattern)
    assert glob.fullmatch("a" * 1000 + "\n") is None
    assert glob.fullmatch("a/" * 500 + "\n") is None


def test_a_path_with_a_nul() -> None:
    """A path has no NUL; a key may have one."""
    with pytest.raises(UsageError, match="NUL"):
        parse_location("a\0b")
    assert "a\0b" == parse_location("s3://b/a\0b").key


@pytest.mark.parametrize("odd", [True, [], "text", 1.5])
def test_a_request_of_other_types(odd: object) -> None:
    """Headers and queries that are not objects count as empty."""
    event = {
        "rawPath": "/\ud800",
        "headers": odd,
        "queryStringParameters": odd,
        "requestContext": {"http": {"method": "POST"}, "requestId": "\ud800"},
        "body": "\ud800",
    }
    request = parse_event(event)
    assert isinstance(request, HttpRequest)
    response = respond(request, Classifier(FakeEngine(2), MODEL, ClassifyOptions()), HttpPolicy())
    assert response.failure is None
    json.dumps(response.as_event(), ensure_ascii=False).encode()


def test_a_deep_event() -> None:
    """An event that is nested too deeply is refused."""
    with pytest.raises(EventError):
        parse_event(json.loads('{"Records": [' * 50 + "]}" * 50))
