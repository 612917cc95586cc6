"""Pictures of any kind of element become rows, on a runner and without one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.io import fileio
from apache_beam.io.filesystem import FileMetadata
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.testing.test_stream import TestStream
from apache_beam.testing.util import assert_that
from apache_beam.transforms.window import FixedWindows, TimestampedValue
from apache_beam.typehints.decorators import TypeCheckError

from seefood.bundle import Bundle
from seefood.classification import ClassifyOptions
from seefood.errors import BundleError, UsageError
from seefood.records import ImageRef
from seefood.results.files import list_parts, read_rows
from seefood.storage import open_store
from seefood.storage.uris import parse_location
from seefood.workers.opening import ModelSpec
from seefood_pipeline import (
    ClassifyImages,
    ListImages,
    PictureRow,
    SkipDone,
    WriteRows,
    as_json,
    classify_images,
    list_images,
    skip_done,
    write_rows,
)
from seefood_pipeline.classifying import model_spec
from seefood_pipeline.picture_row import from_picture_row, to_picture_row
from seefood_pipeline.worker_factory import WorkerKey, close_worker, shared_worker
from tests.bundles import add_fake_variant, fake_bundle
from tests.conftest import Bucket
from tests.fakes import failed, make_row
from tests.pictures import jpeg

pytestmark = pytest.mark.beam
RED = jpeg()
_RUNNER = "FnApiRunner"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    """A bundle for the fake engine; its worker ends with the tests."""
    made = fake_bundle(tmp_path_factory.mktemp("bundle"))
    yield made
    close_worker(WorkerKey(_spec(made)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures and a file that is none."""
    made = tmp_path / "in"
    made.mkdir()
    for name in ("a", "b", "c"):
        (made / f"{name}.jpg").write_bytes(RED)
    (made / "no.jpg").write_bytes(b"no picture")
    return made


def _spec(bundle: Bundle) -> ModelSpec:
    return ModelSpec(str(bundle.path), bundle.digest, "fake")


def _transform(bundle: Bundle) -> ClassifyImages:
    return ClassifyImages(bundle.path, engine="fake")


def _has(*expected: Any, of: Callable[[Any], Any]) -> Callable[[list[Any]], None]:
    """Return a check that a PCollection has `expected`, as `of` shows its elements."""

    def check(actual: list[Any]) -> None:
        assert sorted(expected) == sorted(map(of, actual))

    return check


def _name(row: Any) -> tuple[str, str]:
    return row.uri.rpartition("/")[2], row.error_code or "labelled"


_LABELLED = [(f"{name}.jpg", "labelled") for name in "abc"]


def test_uris_become_rows_and_what_is_none_becomes_a_failure(bundle: Bundle, folder: Path) -> None:
    """Paths, URIs, None and nonsense in one PCollection: rows and failures, one an element."""
    elements = [str(folder / "a.jpg"), (folder / "b.jpg").as_uri(), str(folder / "c.jpg")]
    wrong = [str(folder / "no.jpg"), str(folder / "gone.jpg"), "", None, "s3:/b/k", str(folder)]
    with beam.Pipeline(_RUNNER) as pipeline:
        rows, failures = pipeline | beam.Create([*elements, *wrong]) | _transform(bundle)
        assert (PictureRow, PictureRow) == (rows.element_type, failures.element_type)
        assert_that(rows, _has(*_LABELLED, of=_name), "rows")
        codes = _has(
            "not_an_image", "not_found", "not_found", "store_error", *["unsupported_name"] * 2,
            of=lambda row: row.error_code,
        )  # fmt: skip
        assert_that(failures, codes, "failures")
        tags = _has(*[True] * 3, of=lambda row: bool(row.etag) and row.size_bytes == len(RED))
        assert_that(rows, tags, "tags")


def test_a_faster_variant_is_chosen_here_and_found_by_its_name_there(
    tmp_path: Path, memory: str
) -> None:
    """A worker opens the bundle that it has under the same name, and the same variant in it."""
    bundle = add_fake_variant(fake_bundle(tmp_path / "b"), "int8", 0.1, 0.5)
    for file in bundle.path.rglob("*"):
        if file.is_file():
            place = parse_location(memory).child(file.relative_to(bundle.path).as_posix())
            open_store(place.root).write(place.key, file.read_bytes())
    for model in (str(bundle.path), memory):
        spec = model_spec(model, None, "auto", ClassifyOptions(), fast=True)
        assert (bundle.variants["int8"], "fake") == (spec.digest, spec.engine)
        assert "fake-int8" == spec.open().name
    other = ModelSpec(memory, "0" * 64, "fake", variant="int8")
    with pytest.raises(BundleError, match="expected"):
        other.open()


@pytest.mark.parametrize("step", [beam.Map(lambda match: match), fileio.ReadMatches()])
def test_matches_of_fileio_become_rows(bundle: Bundle, folder: Path, step: beam.PTransform) -> None:
    """`MatchFiles` alone, and with `ReadMatches`."""
    with beam.Pipeline(_RUNNER) as pipeline:
        matches = pipeline | fileio.MatchFiles(f"{folder}/*.jpg") | "Step" >> step
        rows, failures = matches | _transform(bundle)
        assert_that(rows, _has(*_LABELLED, of=_name), "rows")
        assert_that(failures, _has(("no.jpg", "not_an_image"), of=_name), "failures")


def test_bytes_become_rows_with_their_keys(bundle: Bundle) -> None:
    """The key is the row's URI, the MD5 of the bytes its tag."""
    elements = [("camera-1", RED), ("camera-2", b""), ("camera-3", RED[:90])]
    with beam.Pipeline(_RUNNER) as pipeline:
        rows, failures = pipeline | beam.Create(elements) | _transform(bundle)
        assert_that(rows, _has(("camera-1", 32), of=lambda row: (row.uri, len(row.etag))), "rows")
        codes = ("camera-2", "empty"), ("camera-3", "truncated")
        assert_that(failures, _has(*codes, of=_name), "failures")


def test_the_twin_gives_the_same_rows(bundle: Bundle, folder: Path) -> None:
    """Without a runner: any mixture of elements, in order."""
    codes: dict[str, tuple[Any, str | None]] = {
        "a.jpg": (folder / "a.jpg", None),
        "None": (None, "unsupported_name"),
        "key": (("key", RED), None),
        "key2": (("key2", bytearray(RED)), None),
        "7": (7, "unsupported_name"),
        "no.jpg": (ImageRef(str(folder / "no.jpg")), "not_an_image"),
        "('k', None)": (("k", None), "unsupported_name"),
        f"('', <{len(RED)} bytes>)": (("", RED), "unsupported_name"),
        f"('\\udc80', <{len(RED)} bytes>)": (("\udc80", RED), "unsupported_name"),
        "ftp://b/a.jpg": (ImageRef("ftp://b/a.jpg"), "unsupported_name"),
        "hdfs://h/a.jpg": (FileMetadata("hdfs://h/a.jpg", 1), "store_error"),
    }
    rows = list(classify_images([element for element, _ in codes.values()], _spec(bundle)))
    assert [code for _, code in codes.values()] == [row.error_code for row in rows]
    named = zip(codes, (row.uri for row in rows), strict=True)
    assert [] == [(name, uri) for name, uri in named if not uri.endswith(name)]
    assert [] == list(classify_images([], _spec(bundle)))
    with pytest.raises(UsageError, match="is no list of elements"):
        classify_images("a.jpg", _spec(bundle))
    assert 4 == len(list(list_images(folder)))


@pytest.mark.parametrize(
    "elements", [[1, 2], [(1, b"x")], [("a", "b")], [b"bytes"], [{"uri": "a"}]], ids=repr
)
def test_a_wrong_type_fails_at_construction(bundle: Bundle, elements: list[Any]) -> None:
    """In one sentence that names the type, before anything runs."""
    for transform in (_transform(bundle), SkipDone("out", bundle.path)):
        with pytest.raises(UsageError, match=r"cannot take elements of .*; an element is a URI"):
            _ = beam.Pipeline(_RUNNER) | beam.Create(elements) | transform
    with pytest.raises(TypeCheckError, match="WriteRows cannot take elements of"):
        _ = beam.Pipeline(_RUNNER) | beam.Create(elements) | WriteRows("out")


def test_wrong_options_fail_at_construction(bundle: Bundle, tmp_path: Path) -> None:
    """An unknown model, engine, digest, format and an absent source, each in one sentence."""
    with pytest.raises(BundleError, match="there is no model bundle at"):
        ClassifyImages("nonsense")
    with pytest.raises(BundleError, match="was expected"):
        ClassifyImages(bundle.path, digest="0" * 12)
    with pytest.raises(UsageError, match="there is no engine 'x'"):
        ClassifyImages(bundle.path, engine="x")
    with pytest.raises(UsageError, match="top_k is 0"):
        ClassifyImages(bundle.path, top_k=0)
    with pytest.raises(UsageError, match="there is nothing at"):
        ListImages(tmp_path / "none")
    for source in (None, 3, ["list"]):
        with pytest.raises(UsageError, match="is no source"):
            ListImages(source)  # type: ignore[arg-type]  # what a program may give
    for options in ({"limit": 0}, {"limit": "3"}, {"selection": "x"}, {"shard": "1/2"}):
        with pytest.raises(UsageError, match=f"{next(iter(options))} is"):
            ListImages(tmp_path, **options)
    for wrong in (SkipDone, WriteRows):
        with pytest.raises(UsageError, match="None is no path or URI"):
            wrong(None)  # type: ignore[arg-type]  # the same
    with pytest.raises(UsageError, match=r"'s3://labels' is no ledger; read .*read_ledger"):
        skip_done([], "s3://labels")  # type: ignore[arg-type]  # the same
    with pytest.raises(UsageError, match="ListImages lists nothing"):
        ListImages()
    with pytest.raises(UsageError, match="there is no format 'xml'"):
        WriteRows("out", file_format="xml")
    with pytest.raises(UsageError, match="shards is 0"):
        WriteRows("out", shards=0)


def test_a_pipeline_of_the_parts_continues_where_it_ended(
    bundle: Bundle, folder: Path, tmp_path: Path
) -> None:
    """List, skip, classify, write: the second run classifies what is new; a repetition is equal."""
    output = str(tmp_path / "out")

    def run(new: int) -> None:
        with beam.Pipeline(_RUNNER) as pipeline:
            images = pipeline | ListImages(folder, output=output)
            classified = images | SkipDone(output, bundle.path) | _transform(bundle)
            totals = classified | WriteRows(Path(output), shards=2)  # both kinds of rows
            counts = totals | beam.Map(lambda total: total.rows)
            assert_that(counts, lambda actual: _equal(new, sum(actual)))

    run(4)
    location = parse_location(output)
    names = [part.uri for part in list_parts(location)]
    stored = list(read_rows(location))
    assert 4 == len(stored)
    write_rows(reversed(stored), output)  # other shards: other objects, so it is a second copy
    (tmp_path / "in" / "d.jpg").write_bytes(RED)
    run(1)
    assert set(names) < {part.uri for part in list_parts(location)}
    assert {"a.jpg", "b.jpg", "c.jpg", "d.jpg", "no.jpg"} == {
        row.uri.rpartition("/")[2] for row in read_rows(location)
    }


def _equal(expected: int, actual: int) -> None:
    assert expected == actual


def test_the_same_rows_are_the_same_objects(memory: str) -> None:
    """Whatever the order and the repetitions: names depend on the pictures and the model."""
    rows = [make_row(f"s3://b/{n}.jpg", model_digest=f"{n % 2}" * 64) for n in range(20)]
    totals = write_rows(rows, memory)
    assert (20, 2) == (totals.rows, totals.parts)
    names = [part.uri for part in list_parts(parse_location(memory))]
    again = [to_picture_row(row) for row in (*reversed(rows), *rows[:5])]
    assert 20 == write_rows(again, memory).rows
    assert names == [part.uri for part in list_parts(parse_location(memory))]
    with pytest.raises(UsageError, match="is no row"):
        write_rows([{"uri": "x"}], memory)


def test_a_picture_that_occurs_twice_keeps_its_label(memory: str) -> None:
    """In whatever order the rows come: a transient failure replaces nothing."""
    row = make_row()
    lost = failed(row.uri, "store_error", "no answer")
    assert 1 == write_rows([row, lost], memory).by_label["red"]
    assert ["red"] == [each.label for each in read_rows(parse_location(memory))]


def test_a_row_survives_the_schema() -> None:
    """A `PictureRow` has all of a `Row`, and its JSON is that of result files."""
    row = make_row(labels=("red",), top=(("red", 0.75),))
    assert row == from_picture_row(to_picture_row(row))
    assert row.as_json() == as_json(to_picture_row(row))
    coder = beam.coders.registry.get_coder(PictureRow)
    failed = to_picture_row(replace(row, label=None, score=None, top=None, labels=None))
    for value in (to_picture_row(row), failed):
        assert value == coder.decode(coder.encode(value))


def test_a_stream_keeps_its_windows(bundle: Bundle, folder: Path, tmp_path: Path) -> None:
    """Rows are in the window of their element; the writer writes an object for each window."""
    options = PipelineOptions(["--prism_location=no-download"])
    options.view_as(StandardOptions).streaming = True
    names = [str(folder / f"{name}.jpg") for name in "abc"]
    stream = (
        TestStream(beam.coders.StrUtf8Coder())
        .advance_watermark_to(0)
        .add_elements([TimestampedValue(names[0], 10), TimestampedValue(names[1], 70)])
        .advance_watermark_to(60)
        .add_elements([TimestampedValue(names[2], 80)])
        .advance_watermark_to_infinity()
    )
    with beam.Pipeline("DirectRunner", options=options) as pipeline:
        uris = pipeline | stream.with_output_types(str)
        with pytest.raises(UsageError, match="WriteRows would wait forever"):
            _ = (uris | "Global" >> _transform(bundle)).rows | "Endless" >> WriteRows("out")
        rows, _ = uris | beam.WindowInto(FixedWindows(60)) | _transform(bundle)
        placed = rows | beam.Map(
            lambda row, window=beam.DoFn.WindowParam, time=beam.DoFn.TimestampParam: (
                row.uri[-5:], int(window.start), int(time),
            )
        )  # fmt: skip
        expected = ("a.jpg", 0, 10), ("b.jpg", 60, 70), ("c.jpg", 60, 80)
        assert_that(placed, _has(*expected, of=tuple), "windows")
        _ = rows | WriteRows(str(tmp_path / "out"), shards=1)
    assert 2 == len(list_parts(parse_location(str(tmp_path / "out"))))


def test_all_users_of_a_process_share_one_worker(bundle: Bundle) -> None:
    """As many steps and threads as there are, the model is loaded once; a dead one is replaced."""
    key = WorkerKey(_spec(bundle))
    with shared_worker(key) as first, shared_worker(key) as second:
        assert first is second
    with shared_worker(key) as third:
        assert first is third
    close_worker(key)
    with shared_worker(key) as fourth:
        assert first is not fourth


def test_uris_of_a_bucket(s3: Bucket, bundle: Bundle) -> None:
    """Rows of S3 objects have the store's tags."""
    tag = s3.put("in/a b.jpg", RED)
    with beam.Pipeline(_RUNNER) as pipeline:
        # Another worker than that of other tests, which does not have this server's address.
        transform = ClassifyImages(bundle.path, engine="fake", top_k=1)
        rows, _ = pipeline | beam.Create([f"{s3.uri}/in/a b.jpg"]) | transform
        assert_that(rows, _has((f"{s3.uri}/in/a b.jpg", tag), of=lambda row: (row.uri, row.etag)))


def test_the_graph_can_be_translated(bundle: Bundle, folder: Path) -> None:
    """A runner elsewhere gets the pipeline as a message: every step and coder is in it."""
    pipeline = beam.Pipeline(_RUNNER)
    images = pipeline | ListImages(folder) | SkipDone("s3://labels", bundle.path)
    classified = images | beam.Reshuffle() | _transform(bundle)
    _ = tuple(classified) | beam.Flatten() | WriteRows("s3://labels")
    proto = pipeline.to_runner_api()
    steps = {part.unique_name for part in proto.components.transforms.values()}
    assert {
        "ListImages/List",
        "SkipDone/Skip",
        "ClassifyImages/Classify",
        "WriteRows/Write",
    } <= steps
    assert any(coder.spec.urn == "beam:coder:row:v1" for coder in proto.components.coders.values())
    assert len(proto.SerializeToString()) < 1_000_000
