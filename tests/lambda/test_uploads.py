from dataclasses import replace
from io import BytesIO
from itertools import count

import pytest
from PIL import Image

from seefood.classification import ClassifyOptions
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


def ample_time() -> float:
    return 30.0


def statuses(outcomes: dict[Upload, Outcome]) -> list[str]:
    return [str(outcome.status) for outcome in outcomes.values()]


def test_each_upload_gets_its_row(
    memory: str, classifier: Classifier, config: LambdaConfig
) -> None:
    """Good and bad pictures: as many rows as uploads, under the documented keys."""
    refs = put_all(memory, {"in/a.jpg": jpeg(), "in/b b.jpg": jpeg(GREEN), "in/c.jpg": b"nothing"})

    outcomes = label_uploads([Upload(ref) for ref in refs], classifier, config, ample_time)

    assert ["labelled", "labelled", "failed"] == statuses(outcomes)
    assert config.results is not None
    rows = sorted(read_rows(config.results), key=lambda row: row.uri)
    assert [
        (refs[0].uri, refs[0].etag, "red", None),
        (refs[1].uri, refs[1].etag, "green", None),
        (refs[2].uri, refs[2].etag, None, "not_an_image"),
    ] == [(row.uri, row.etag, row.label, row.error_code) for row in rows]


def test_the_batch_jobs_ledger_counts_these_rows(
    memory: str, classifier: Classifier, config: LambdaConfig
) -> None:
    """The batch job skips labelled uploads and classifies those that changed since."""
    refs = put_all(memory, {"in/a.jpg": jpeg(), "in/b.jpg": b"nothing"})
    label_uploads([Upload(ref) for ref in refs], classifier, config, ample_time)

    assert config.results is not None
    parts = [part.uri for part in list_parts(config.results, MODEL.digest)]
    ledger = read_ledger(parts)

    assert [True, True, False] == [
        ref in ledger for ref in (*refs, replace(refs[0], etag="another"))
    ]


def test_a_repeated_delivery_changes_nothing(
    memory: str, classifier: Classifier, config: LambdaConfig
) -> None:
    """The row of the first delivery stays as it is."""
    (ref,) = put_all(memory, {"a.jpg": jpeg()})
    label_uploads([Upload(ref)], classifier, config, ample_time)
    assert config.results is not None
    before = list(read_rows(config.results))

    outcomes = label_uploads([Upload(ref, "01")], classifier, config, ample_time)

    assert ["repeated"] == statuses(outcomes)
    assert before == list(read_rows(config.results))


def test_a_duplicate_in_a_batch_is_classified_once(memory: str, config: LambdaConfig) -> None:
    """The network runs once; both messages share the outcome."""
    (ref,) = put_all(memory, {"a.jpg": jpeg()})
    batch_sizes: list[int] = []
    engine = FakeEngine(2, before=lambda images: batch_sizes.append(len(images)))
    classifier = Classifier(engine, MODEL, ClassifyOptions())

    outcomes = label_uploads([Upload(ref), Upload(ref)], classifier, config, ample_time)

    assert (["labelled"], [1]) == (statuses(outcomes), batch_sizes)


def test_without_an_entity_tag_it_is_read_from_the_store(
    memory: str, classifier: Classifier, config: LambdaConfig
) -> None:
    """The row has the object's tag and size, so the ledger recognises it."""
    (ref,) = put_all(memory, {"a.jpg": jpeg()})

    outcomes = label_uploads([Upload(ImageRef(ref.uri))], classifier, config, ample_time)

    (outcome,) = outcomes.values()
    assert outcome.row is not None
    assert (ref.etag, ref.size_bytes) == (outcome.row.etag, outcome.row.size_bytes)


@pytest.mark.parametrize("etag", ["stale", ""])
def test_the_row_names_the_content_that_was_read(
    memory: str, classifier: Classifier, config: LambdaConfig, etag: str
) -> None:
    """An upload that was replaced or deleted gets an error, not another content's label."""
    (ref,) = put_all(memory, {"a.jpg": jpeg()})
    upload = Upload(replace(ref, etag="stale") if etag else ImageRef(f"{memory}/gone.jpg"))

    (outcome,) = label_uploads([upload], classifier, config, ample_time).values()

    assert outcome.row is not None
    assert (UploadStatus.FAILED, "changed" if etag else "not_found", etag) == (
        outcome.status,
        outcome.row.error_code,
        outcome.row.etag,
    )


def test_a_row_in_the_results_is_no_upload(classifier: Classifier, config: LambdaConfig) -> None:
    """A function that watches its own output does not process it again."""
    assert config.results is not None
    own = Upload(ImageRef(config.results.child("uploads/digest=0/x.json").uri, "e", 9))

    (outcome,) = label_uploads([own], classifier, config, ample_time).values()

    assert UploadStatus.REFUSED == outcome.status
    assert [] == list(read_rows(config.results))


def test_a_too_large_object_is_not_read(memory: str, config: LambdaConfig) -> None:
    """It is refused by the event's size, or by the store's if the event has none."""
    (ref,) = put_all(memory, {"a.jpg": jpeg(size=(300, 300))})
    small = ClassifyOptions(limits=Limits(max_bytes=100))
    classifier = Classifier(FakeEngine(2), MODEL, small)
    absent = Upload(replace(ref, uri=f"{memory}/never-there.jpg", size_bytes=101))

    outcomes = label_uploads(
        [absent, Upload(ImageRef(ref.uri))],
        classifier,
        replace(config, options=small),
        ample_time,
    )

    assert ["too_large", "too_large"] == [
        outcome.row.error_code for outcome in outcomes.values() if outcome.row
    ]


def test_a_large_file_that_is_no_picture_is_refused_by_its_first_bytes(
    memory: str, classifier: Classifier, config: LambdaConfig
) -> None:
    """A long film needs two requests and no memory."""
    (ref,) = put_all(memory, {"film.mp4": b"\0\0\0\x18ftypisom" + bytes(9 * 1024 * 1024)})

    (outcome,) = label_uploads([Upload(ref)], classifier, config, ample_time).values()

    assert outcome.row is not None
    assert ("not_an_image", ref.size_bytes) == (outcome.row.error_code, outcome.row.size_bytes)


def test_pixels_are_counted_before_they_are_decoded(memory: str, config: LambdaConfig) -> None:
    """A small file of a huge picture is refused from its header."""
    sink = BytesIO()
    Image.new("1", (6000, 6000)).save(sink, "PNG")
    (ref,) = put_all(memory, {"bomb.png": sink.getvalue()})
    classifier = Classifier(
        FakeEngine(2), MODEL, ClassifyOptions(limits=Limits(max_pixels=1_000_000))
    )

    (outcome,) = label_uploads([Upload(ref)], classifier, config, ample_time).values()

    assert outcome.row is not None
    assert "too_many_pixels" == outcome.row.error_code


def test_uploads_not_done_at_the_deadline_are_retried(memory: str, config: LambdaConfig) -> None:
    """Written rows stay; the pictures that were not reached have no row."""
    refs = put_all(memory, {f"{n:02}.jpg": jpeg() for n in range(20)})
    assert config.results is not None
    results, classified, seconds_left = config.results, count(1), [30.0]

    def pass_the_deadline(images: object) -> None:
        del images
        if next(classified) == 10:
            while len(list(read_rows(results))) < 9:
                pass  # other threads write them
            seconds_left[0] = 0.0

    classifier = Classifier(FakeEngine(2, before=pass_the_deadline), MODEL, ClassifyOptions())
    uploads = [Upload(ref) for ref in refs]

    outcomes = label_uploads(uploads, classifier, config, lambda: seconds_left[0])

    late = [outcomes[upload] for upload in uploads[10:]]
    assert ["it was not reached before the deadline"] * 10 == [outcome.reason for outcome in late]
    assert {"labelled", "retry"} == set(statuses(outcomes))
    # A row may be written just at the deadline; then the upload is delivered again and skipped.
    assert 9 <= len(list(read_rows(results))) <= 10


def test_a_failing_store_is_retried_and_does_not_affect_other_uploads(
    memory: str, classifier: Classifier, config: LambdaConfig
) -> None:
    """Only the upload whose store fails is delivered again; it has no row until then."""
    (good,) = put_all(memory, {"a.jpg": jpeg()})
    bad = ImageRef("gs://", "e", 5)

    outcomes = label_uploads([Upload(good), Upload(bad)], classifier, config, ample_time)

    assert {good.uri: UploadStatus.LABELLED, bad.uri: UploadStatus.RETRY} == {
        upload.ref.uri: outcome.status for upload, outcome in outcomes.items()
    }
    assert config.results is not None
    assert [good.uri] == [row.uri for row in read_rows(config.results)]


def test_the_version_in_the_event_is_read(
    s3: Bucket, classifier: Classifier, config: LambdaConfig
) -> None:
    """A late event of an old version labels the old version."""
    s3.client.put_bucket_versioning(Bucket=s3.name, VersioningConfiguration={"Status": "Enabled"})
    puts = [
        s3.client.put_object(Bucket=s3.name, Key="a.jpg", Body=data)
        for data in (jpeg(), jpeg(GREEN))
    ]
    uploads = [
        Upload(ImageRef(f"{s3.uri}/a.jpg", put["ETag"].strip('"'), 600, put["VersionId"]))
        for put in reversed(puts)
    ]

    outcomes = label_uploads(uploads, classifier, config, ample_time)

    rows = [outcomes[upload].row for upload in uploads]
    assert [("green", puts[1]["VersionId"]), ("red", puts[0]["VersionId"])] == [
        (row.label, row.version_id) for row in rows if row is not None
    ]


def test_a_missing_permission_gives_no_row_and_a_retry(
    refusing_s3: str, classifier: Classifier, config: LambdaConfig
) -> None:
    """The message waits until an operator has fixed the policy."""
    upload = Upload(ImageRef(f"{refusing_s3}/a.jpg", "e", 5))

    (outcome,) = label_uploads([upload], classifier, config, ample_time).values()

    assert UploadStatus.RETRY == outcome.status
    assert "forbidden" in (outcome.reason or "")
    assert config.results is not None
    assert [] == list(read_rows(config.results))


def test_without_a_results_location_uploads_are_a_usage_error(
    classifier: Classifier, config: LambdaConfig
) -> None:
    """The message names the missing variable."""
    with pytest.raises(UsageError, match="SEEFOOD_RESULTS"):
        label_uploads(
            [Upload(ImageRef("s3://b/k"))], classifier, replace(config, results=None), ample_time
        )
