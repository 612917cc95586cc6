from dataclasses import replace

import pytest

from seefood.errors import RetryableError
from seefood.records import ImageRef, Status
from seefood_lambda.classifier import Classifier
from seefood_lambda.events import Upload
from seefood_lambda.object_tags import tag_object, tag_value
from seefood_lambda.settings import LambdaConfig
from seefood_lambda.uploads import UploadStatus, label_uploads
from tests.conftest import Bucket
from tests.fakes import make_row
from tests.pictures import jpeg


def tags_of(s3: Bucket, key: str, **version: str) -> dict[str, str]:
    response = s3.client.get_object_tagging(Bucket=s3.name, Key=key, **version)  # type: ignore[arg-type]
    return {tag["Key"]: tag["Value"] for tag in response["TagSet"]}


def test_an_upload_is_tagged_with_its_label_if_configured(
    s3: Bucket, classifier: Classifier, config: LambdaConfig
) -> None:
    """The object's other tags are kept."""
    key = "in/a b+c 100%/é.jpg"
    s3.client.put_object(Bucket=s3.name, Key=key, Body=jpeg(), Tagging="team=menu&size=1")
    config = replace(config, tag="seefood")

    uploads = [Upload(ImageRef(f"{s3.uri}/{key}"))]
    outcomes = label_uploads(uploads, classifier, config, lambda: 30.0)

    assert [(UploadStatus.LABELLED, None)] == [
        (one.status, one.reason) for one in outcomes.values()
    ]
    assert {"team": "menu", "size": "1", "seefood": "red"} == tags_of(s3, key)


def test_without_a_tag_key_nothing_is_tagged(
    s3: Bucket, classifier: Classifier, config: LambdaConfig
) -> None:
    """Tags cost money and need permissions."""
    s3.put("a.jpg", jpeg())

    label_uploads([Upload(ImageRef(f"{s3.uri}/a.jpg"))], classifier, config, lambda: 30.0)

    assert {} == tags_of(s3, "a.jpg")


def test_a_version_is_tagged_exactly(s3: Bucket) -> None:
    """A late event tags the version that it names, not a later one."""
    s3.client.put_bucket_versioning(Bucket=s3.name, VersioningConfiguration={"Status": "Enabled"})
    first, second = (
        s3.client.put_object(Bucket=s3.name, Key="a.jpg", Body=data)["VersionId"]
        for data in (b"1", b"2")
    )

    tag_object(ImageRef(f"{s3.uri}/a.jpg", "e", 1, first), "seefood", make_row())

    assert {"seefood": "red"} == tags_of(s3, "a.jpg", VersionId=first)
    assert {} == tags_of(s3, "a.jpg", VersionId=second)


def test_a_replaced_object_is_not_tagged(s3: Bucket) -> None:
    """Without versions the tag would be set on another content."""
    s3.put("a.jpg", b"another")

    reason = tag_object(ImageRef(f"{s3.uri}/a.jpg", "stale", 1), "seefood", make_row())

    assert "the object was replaced" == reason
    assert {} == tags_of(s3, "a.jpg")


def test_an_object_that_is_gone_or_has_all_its_tags_is_not_tried_again(s3: Bucket) -> None:
    """Tagging cannot succeed later; the reason is returned."""
    etag = s3.put("full.jpg", b"1")
    full = [{"Key": f"k{n}", "Value": "v"} for n in range(10)]
    s3.client.put_object_tagging(Bucket=s3.name, Key="full.jpg", Tagging={"TagSet": full})  # type: ignore[typeddict-item]

    reasons = [
        tag_object(ImageRef(f"{s3.uri}/{key}", etag, 1), "seefood", make_row())
        for key in ("gone.jpg", "full.jpg")
    ]

    assert "the object is gone" == reasons[0]
    assert "10 tags already" in (reasons[1] or "")


def test_a_refusing_store_is_a_retryable_error(refusing_s3: str) -> None:
    """The message waits until an operator has added the missing permission."""
    with pytest.raises(RetryableError, match="cannot tag"):
        tag_object(ImageRef(f"{refusing_s3}/a.jpg", "e", 1), "seefood", make_row())


@pytest.mark.parametrize(
    ("label", "status", "value"),
    [
        ("hotdog", Status.OK, "hotdog"),
        ("not_hotdog", Status.OK, "not_hotdog"),
        ("hotdog", Status.UNSURE, "unsure"),
        ("crème brûlée", Status.OK, "crème brûlée"),
        ("fish & chips <b>", Status.OK, "fish _ chips _b_"),
        ("x" * 300, Status.OK, "x" * 256),
    ],
)
def test_the_tags_value_is_valid_for_s3(label: str, status: Status, value: str) -> None:
    """Letters of any script, digits, spaces and + - = . _ : / @, at most 256."""
    assert value == tag_value(make_row(label=label, status=status))
