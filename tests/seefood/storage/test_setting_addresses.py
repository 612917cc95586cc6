"""The address of a bucket is botocore's, also where botocore is not imported."""

import os
import subprocess
import sys

import pytest

from seefood.errors import SeefoodError
from seefood.records import ImageRef
from seefood.storage import open_store
from seefood.storage.s3_address import environment_address
from seefood.storage.s3_identity import identity_of
from seefood.storage.uris import parse_location
from tests.aws_place import PLAIN, Place


@pytest.mark.parametrize(
    ("region", "bucket", "host"),
    [
        ("us-gov-west-1", "gov", "gov.s3.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "china", "china.s3.cn-north-1.amazonaws.com.cn"),
        ("us-iso-east-1", "iso", "iso.s3.us-iso-east-1.c2s.ic.gov"),
        ("eu-west-1", "photos.of.2026", "s3.eu-west-1.amazonaws.com"),
        (
            "us-east-1",
            "arn:aws:s3:us-east-1:123456789012:accesspoint/my-ap",
            "my-ap-123456789012.s3-accesspoint.us-east-1.amazonaws.com",
        ),
        (
            "us-east-1",
            "photos--use1-az4--x-s3",
            "photos--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com",
        ),
    ],
)
def test_the_address_is_botocores(place: Place, region: str, bucket: str, host: str) -> None:
    """Other partitions, access points, directory buckets and dotted names; for both clients."""
    proxy = place.front("proxy")
    place.set(AWS_REGION=region, https_proxy=proxy.url)
    location = parse_location(f"s3://{bucket}/in/a.jpg")
    assert "in/a.jpg" == location.key
    store = open_store(location.root)
    with pytest.raises(SeefoodError):
        store.fetch(ImageRef(location.uri))
    read = {each.path for each in proxy.seen}
    assert {f"{host}:443"} == read
    with pytest.raises(SeefoodError):
        next(iter(store.list("in/")))
    assert read == {each.path for each in proxy.seen}


@pytest.mark.parametrize("bucket", ["photos", "my-photos-2026"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-southeast-4", "il-central-1"])
@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:9000", "https://minio.example.org/"])
def test_the_fast_answer_is_botocores(
    place: Place, bucket: str, region: str, endpoint: str
) -> None:
    """What a Lambda uses without importing botocore is what botocore says."""
    place.set(AWS_REGION=region, AWS_SESSION_TOKEN="token", AWS_LAMBDA_FUNCTION_NAME="f")
    if endpoint:
        place.set(AWS_ENDPOINT_URL_S3=endpoint)
    fast = environment_address(bucket, os.environ)
    assert fast == identity_of(bucket).address(bucket)


@pytest.mark.parametrize(
    "variables",
    [
        {"AWS_PROFILE": "p"},
        {"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_CA_BUNDLE": "/x"},
        {"https_proxy": "http://127.0.0.1:1"},
        {"AWS_REGION": "cn-north-1"},
        {"AWS_REGION": ""},
        {"AWS_SESSION_TOKEN": "T\n"},
        {"AWS_A_SETTING_OF_TOMORROW": "x"},
    ],
    ids=str,
)
def test_the_fast_answer_is_only_for_plain_settings(
    place: Place, variables: dict[str, str]
) -> None:
    """Anything that botocore may read is left to botocore."""
    del place
    environ = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "eu-west-1"}
    assert environment_address("photos", environ) is not None
    assert environment_address("photos", environ | variables) is None
    assert environment_address("photos.2026", environ) is None


def test_plain_settings_need_no_botocore(place: Place) -> None:
    """A Lambda function reads and writes without importing it."""
    place.endpoint("plain")
    program = (
        "import sys; from seefood.records import ImageRef; from seefood.storage import open_store\n"
        f"s = open_store('{place.bucket.uri}'); s.fetch(ImageRef('{place.bucket.uri}/{PLAIN}'))\n"
        "s.create('out/x', b'1'); s.write('out/x', b'2'); s.delete('out/x')\n"
        "print('botocore' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert "False\n" == out
