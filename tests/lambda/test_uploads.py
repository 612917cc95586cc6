import time
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from seefood.classify import ClassifyOptions
from seefood.engines.fake import FakeEngine
from seefood.errors import UsageError
from seefood.imaging.decode import Limits
from seefood.records import ImageRef
from seefood.results.files import list_parts, read_rows
from seefood.results.ledger import read_ledger
from seefood_lambda.classifier import Classifier
from seefood_lambda.events import Upload
from seefood_lambda.settings import LambdaConfig
from seefood_lambda.uploads import Outcome, UploadStatus, label_uploads
from tests.conftest import Bucket
from tests.fakes import MODEL, put_all
from tests.pictures import jpeg

GREEN = (20, 200, 20)


def in_time() -> float:
    return 30.0


def fates(outcomes: dict[Upload, Outcome]) -> list[str]:
    return [str(outcome.fate) for outcome in outcomes.values()]


def test_each_upload_gets_its_row(
    memory: str, classifier: Classifier, settings: LambdaConfig
) -> None:
    """Good and bad pictures alike: rows in = rows out, under the contract's keys."""
    refs = put_all(memory, {"in/a.jpg": jpeg(), "in/b b.jpg": jpeg(GREEN), "in/c.jpg": b"nothing"})

    outcomes = label_uploads([Upload(ref) for ref in refs], classifier, settings, in_time)

    assert ["labelled", "labelled", "failed"] == fates(outcomes)
    assert settings.results is not None
    rows = sorted(read_rows(settings.results), key=lambda row: row.uri)
    assert [
        (refs[0].uri, refs[0].etag, "red", None),
        (refs[1].uri, refs[1].etag, "green", None),
        (refs[2].uri, refs[2].etag, None, "not_an_image"),
    ] == [(row.uri, row.etag, row.label, row.error_code) for row in rows]


def test_the_bulk_jobs_ledger_counts_these_rows(
    memory: str, classifier: Classifier, settings: LambdaConfig
) -> None:
    """What was labelled on upload is not classified again at night; what changed since is."""
    refs = put_all(memory, {"in/a.jpg": jpeg(), "in/b.jpg": b"nothing"})
    label_uploads([Upload(ref) for ref in refs], classifier, settings, in_time)

    assert settings.results is not None
    parts = [part.uri for part in list_parts(settings.results, MODEL.digest)]
    ledger = read_ledger(parts)

    assert [True, True, False] == [
        ref in ledger for ref in (*refs, replace(refs[0], etag="another"))
    ]


def test_a_repeated_delivery_changes_nothing(
    memory: str, classifier: Classifier, settings: LambdaConfig
) -> None:
    """The row of the first delivery stays as it was."""
    (ref,) = put_all(memory, {"a.jpg": jpeg()})
    label_uploads([Upload(ref)], classifier, settings, in_time)
    assert settings.results is not None
    before = list(read_rows(settings.results))

    outcomes = label_uploads([Upload(ref, "01")], classifier, settings, in_time)

    assert ["repeated"] == fates(outcomes)
    assert before == list(read_rows(settings.results))


def test_one_upload_twice_in_a_batch_is_done_once(memory: str, settings: LambdaConfig) -> None:
    """The network is asked once; both messages share the outcome."""
    (ref,) = put_all(memory, {"a.jpg": jpeg()})
    asked: list[int] = []
    engine = FakeEngine(2, before=lambda images: asked.append(len(images)))
    classifier = Classifier(engine, MODEL, ClassifyOptions())

    outcomes = label_uploads([Upload(ref), Upload(ref)], classifier, settings, in_time)

    assert (["labelled"], [1]) == (fates(outcomes), asked)


def test_without_a_tag_the_store_is_asked_for_it(
    memory: str, classifier: Classifier, settings: LambdaConfig
) -> None:
    """The row has the tag and the size that the object has, so the ledger knows it."""
    (ref,) = put_all(memory, {"a.jpg": jpeg()})

    outcomes = label_uploads([Upload(ImageRef(ref.uri))], classifier, settings, in_time)

    (outcome,) = outcomes.values()
    assert outcome.row is not None
    assert (ref.etag, ref.size_bytes) == (outcome.row.etag, outcome.row.size_bytes)


@pytest.mark.parametrize("etag", ["stale", ""])
def test_the_row_names_the_content_that_was_read(
    memory: str, classifier: Classifier, settings: LambdaConfig, etag: str
) -> None:
    """An upload replaced or deleted before it was read says so and gets no other's label."""
    (ref,) = put_all(memory, {"a.jpg": jpeg()})
    upload = Upload(replace(ref, etag="stale") if etag else ImageRef(f"{memory}/gone.jpg"))

    (outcome,) = label_uploads([upload], classifier, settings, in_time).values()

    assert outcome.row is not None
    assert (UploadStatus.FAILED, "changed" if etag else "not_found", etag) == (
        outcome.fate,
        outcome.row.error_code,
        outcome.row.etag,
    )


def test_a_results_row_is_no_upload(classifier: Classifier, settings: LambdaConfig) -> None:
    """If the function watches the place it writes to, nothing goes round in circles."""
    assert settings.results is not None
    own = Upload(ImageRef(settings.results.child("uploads/digest=0/x.json").uri, "e", 9))

    (outcome,) = label_uploads([own], classifier, settings, in_time).values()

    assert UploadStatus.REFUSED == outcome.fate
    assert [] == list(read_rows(settings.results))


def test_what_is_too_large_is_not_read(memory: str, settings: LambdaConfig) -> None:
    """The event's size, or the store's where the event has none, is enough to refuse it."""
    (ref,) = put_all(memory, {"a.jpg": jpeg(size=(300, 300))})
    small = ClassifyOptions(limits=Limits(max_bytes=100))
    classifier = Classifier(FakeEngine(2), MODEL, small)
    lying = Upload(replace(ref, uri=f"{memory}/never-there.jpg", size_bytes=101))

    outcomes = label_uploads(
        [lying, Upload(ImageRef(ref.uri))],
        classifier,
        replace(settings, classify_options=small),
        in_time,
    )

    assert ["too_large", "too_large"] == [
        outcome.row.error_code for outcome in outcomes.values() if outcome.row
    ]


def test_a_large_file_that_is_no_picture_is_refused_by_its_first_bytes(
    memory: str, classifier: Classifier, settings: LambdaConfig
) -> None:
    """A long film costs two requests and no memory."""
    (ref,) = put_all(memory, {"film.mp4": b"\0\0\0\x18ftypisom" + bytes(9 * 1024 * 1024)})

    (outcome,) = label_uploads([Upload(ref)], classifier, settings, in_time).values()

    assert outcome.row is not None
    assert ("not_an_image", ref.size_bytes) == (outcome.row.error_code, outcome.row.size_bytes)


def test_pixels_are_counted_before_they_are_decoded(memory: str, settings: LambdaConfig) -> None:
    """A small file of a huge picture is refused from its header."""
    sink = BytesIO()
    Image.new("1", (6000, 6000)).save(sink, "PNG")
    (ref,) = put_all(memory, {"bomb.png": sink.getvalue()})
    classifier = Classifier(
        FakeEngine(2), MODEL, ClassifyOptions(limits=Limits(max_pixels=1_000_000))
    )

    (outcome,) = label_uploads([Upload(ref)], classifier, settings, in_time).values()

    assert outcome.row is not None
    assert "too_many_pixels" == outcome.row.error_code


def test_past_the_deadline_everything_left_is_handed_back(
    memory: str, settings: LambdaConfig
) -> None:
    """What was done stays done; what is left comes again."""
    refs = put_all(memory, {f"{n:02}.jpg": jpeg() for n in range(20)})
    began = time.monotonic()
    slow = Classifier(FakeEngine(2, before=lambda _: time.sleep(0.05)), MODEL, ClassifyOptions())

    def remaining() -> float:
        return began + 1.3 - time.monotonic()

    outcomes = label_uploads([Upload(ref) for ref in refs], slow, settings, remaining)

    counts = {fate: fates(outcomes).count(fate) for fate in ("labelled", "retry")}
    assert 20 == sum(counts.values())
    assert counts["labelled"] > 0
    assert counts["retry"] > 0
    assert time.monotonic() < began + 1.3
    assert settings.results is not None
    # A row may be written in the very moment of the deadline; it comes again and is written again.
    assert counts["labelled"] <= len(list(read_rows(settings.results))) < 20


def test_a_store_that_fails_is_tried_again_and_costs_its_neighbours_nothing(
    memory: str, classifier: Classifier, settings: LambdaConfig
) -> None:
    """Only the upload whose store fails comes back; it gets no row in the meantime."""
    (good,) = put_all(memory, {"a.jpg": jpeg()})
    bad = ImageRef("gs://", "e", 5)

    outcomes = label_uploads([Upload(good), Upload(bad)], classifier, settings, in_time)

    assert {good.uri: UploadStatus.LABELLED, bad.uri: UploadStatus.RETRY} == {
        upload.ref.uri: outcome.fate for upload, outcome in outcomes.items()
    }
    assert settings.results is not None
    assert [good.uri] == [row.uri for row in read_rows(settings.results)]


def test_the_version_of_the_event_is_the_one_that_is_read(
    s3: Bucket, classifier: Classifier, settings: LambdaConfig
) -> None:
    """A late event of an old version labels the old version, whatever came after."""
    s3.client.put_bucket_versioning(Bucket=s3.name, VersioningConfiguration={"Status": "Enabled"})
    puts = [
        s3.client.put_object(Bucket=s3.name, Key="a.jpg", Body=data)
        for data in (jpeg(), jpeg(GREEN))
    ]
    uploads = [
        Upload(ImageRef(f"{s3.uri}/a.jpg", put["ETag"].strip('"'), 600, put["VersionId"]))
        for put in reversed(puts)
    ]

    outcomes = label_uploads(uploads, classifier, settings, in_time)

    rows = [outcomes[upload].row for upload in uploads]
    assert [("green", puts[1]["VersionId"]), ("red", puts[0]["VersionId"])] == [
        (row.label, row.version_id) for row in rows if row is not None
    ]


def test_a_missing_permission_gets_no_row_and_comes_again(
    refusing_s3: str, classifier: Classifier, settings: LambdaConfig
) -> None:
    """The picture may be good: the message waits until an operator has mended the policy."""
    upload = Upload(ImageRef(f"{refusing_s3}/a.jpg", "e", 5))

    (outcome,) = label_uploads([upload], classifier, settings, in_time).values()

    assert UploadStatus.RETRY == outcome.fate
    assert "forbidden" in (outcome.reason or "")
    assert settings.results is not None
    assert [] == list(read_rows(settings.results))


def test_without_a_place_for_rows_uploads_are_a_usage_error(
    classifier: Classifier, settings: LambdaConfig
) -> None:
    """The message names the variable that is missing."""
    with pytest.raises(UsageError, match="SEEFOOD_RESULTS"):
        label_uploads(
            [Upload(ImageRef("s3://b/k"))], classifier, replace(settings, results=None), in_time
        )
