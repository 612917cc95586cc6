"""A wrong setting of AWS's tools is one sentence that repeats no secret."""

from collections.abc import Callable

import pytest

from seefood.errors import UsageError
from seefood.storage import open_store
from seefood.storage.uris import parse_location
from tests.aws_place import Place


def _wrong_profile(place: Place) -> None:
    place.set(AWS_PROFILE="nosuch")


def _wrong_sign_in(place: Place) -> None:
    place.without_keys()
    place.write(
        ".aws/config",
        "[profile p]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n"
        "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://x.awsapps.com/start\n",
    )
    place.set(AWS_PROFILE="p")


def _wrong_half_profile(place: Place) -> None:
    place.without_keys()
    place.write(".aws/config", "[default]\naws_access_key_id = HALF\n")


def _wrong_half_environment(place: Place) -> None:
    place.patch.delenv("AWS_SECRET_ACCESS_KEY")


def _wrong_other_half(place: Place) -> None:
    place.patch.delenv("AWS_ACCESS_KEY_ID")


def _wrong_process(place: Place) -> None:
    place.without_keys()
    program = place.write("cp.sh", "#!/bin/sh\necho 'CANARY' >&2; echo CANARY; exit 1\n")
    program.chmod(0o700)
    place.write(".aws/config", f"[default]\ncredential_process = {program} --key CANARY\n")


def _wrong_process_output(place: Place) -> None:
    place.without_keys()
    program = place.write("cp.sh", "#!/bin/sh\necho CANARY\n")
    program.chmod(0o700)
    place.write(".aws/config", f"[default]\ncredential_process = {program}\n")


def _wrong_authority(place: Place) -> None:
    place.set(AWS_CA_BUNDLE="/nosuch/ca.pem")


def _wrong_token_file(place: Place) -> None:
    place.without_keys()
    place.set(
        AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:1/creds",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="/nosuch/token",
    )


def _wrong_container(place: Place) -> None:
    place.without_keys()
    place.set(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:1/creds")


def _wrong_nothing(place: Place) -> None:
    place.without_keys()


def _wrong_secret(place: Place) -> None:
    place.set(AWS_SECRET_ACCESS_KEY="CANARY CANARY")


def _wrong_file(place: Place) -> None:
    place.without_keys()
    place.write(".aws/config", "aws_secret_access_key = CANARY\n")


def _wrong_endpoint(place: Place) -> None:
    place.set(AWS_ENDPOINT_URL="no-url")


def _wrong_checksums(place: Place) -> None:
    place.set(AWS_REQUEST_CHECKSUM_CALCULATION="often")


def _wrong_empty_profile(place: Place) -> None:
    place.set(AWS_PROFILE="")


def _wrong_code(place: Place) -> None:
    place.without_keys()
    place.write(
        ".aws/config",
        "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n"
        "mfa_serial = arn:aws:iam::123456789012:mfa/me\n"
        "[profile base]\naws_access_key_id = BK\naws_secret_access_key = s\n",
    )
    place.set(AWS_PROFILE="p")


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        pytest.param(_wrong_profile, ["'nosuch'", ".aws/config"], id="missing profile"),
        pytest.param(_wrong_sign_in, ["aws sso login --profile p"], id="no sign-in"),
        pytest.param(_wrong_half_profile, ["aws_secret_access_key", "'default'"], id="half"),
        pytest.param(_wrong_half_environment, ["AWS_SECRET_ACCESS_KEY"], id="no secret"),
        pytest.param(_wrong_other_half, ["AWS_ACCESS_KEY_ID"], id="no key"),
        pytest.param(_wrong_process, ["cp.sh"], id="failing process"),
        pytest.param(_wrong_process_output, ["cp.sh"], id="process without JSON"),
        pytest.param(_wrong_authority, ["AWS_CA_BUNDLE", "/nosuch/ca.pem"], id="no authority"),
        pytest.param(_wrong_token_file, ["/nosuch/token"], id="no token file"),
        pytest.param(_wrong_container, ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], id="no service"),
        pytest.param(_wrong_nothing, ["no AWS credentials", "metadata"], id="nothing"),
        pytest.param(_wrong_secret, ["secret key"], id="space in a secret"),
        pytest.param(_wrong_file, [".aws/config"], id="malformed file"),
        pytest.param(_wrong_endpoint, ["no-url"], id="endpoint"),
        pytest.param(_wrong_checksums, ["often"], id="checksums"),
        pytest.param(_wrong_empty_profile, ["AWS_PROFILE", "unset it"], id="empty profile"),
        pytest.param(_wrong_code, ["mfa_serial", "'p'"], id="no code of a device"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    place: Place, prepare: Callable[[Place], None], words: list[str]
) -> None:
    """A usage error that names the place and repeats no secret."""
    prepare(place)
    with pytest.raises(UsageError) as caught:
        next(iter(open_store(place.bucket.uri).list("in/")))
    message = str(caught.value)
    assert [] == [word for word in words if word not in message], message
    assert "CANARY" not in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s3://arn:aws:s3:::photos/in/", "write s3://photos/in/"),
        ("s3://b:d/in", "cannot be a bucket's name"),
        ("s3://xn--abc/in", "no name that a bucket can have"),
        ("s3://arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap/in", "access point's alias"),
        ("s3://arn:aws:s3-object-lambda:us-east-1:123456789012:accesspoint/ol/in", "alias"),
        (
            "s3://arn:aws:s3-outposts:us-east-1:123456789012:outpost/op-01234567890123/accesspoint/ap",
            "alias",
        ),
        ("s3://arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/ap/in", "check the ARN"),
    ],
)
def test_a_name_that_is_not_read(place: Place, text: str, words: str) -> None:
    """Refused before any request."""
    del place
    with pytest.raises(UsageError, match=words):
        open_store(parse_location(text).root)
