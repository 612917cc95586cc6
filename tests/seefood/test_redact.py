"""Logs, rows and reports contain no credential, signature or query string."""

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seefood.classification import failed_row
from seefood.errors import ErrorCode, PictureError, UsageError
from seefood.records import ImageRef
from seefood.sanitize import SafeFormatter, redacted, redacted_arguments
from seefood.storage.uris import parse_location
from tests.fakes import MODEL

PRESIGNED = (
    "https://bucket.s3.amazonaws.com/a.jpg?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261123"
    "&X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the store failed: 503 after 8 retries", "the store failed: 503 after 8 retries"),
        ("damaged JPEG: no key frame", "damaged JPEG: no key frame"),
        ("s3://bucket/what?.jpg is gone", "s3://bucket/what?.jpg is gone"),
        (f"GET {PRESIGNED} failed", "GET https://bucket.s3.amazonaws.com/a.jpg?*** failed"),
        (f"{PRESIGNED!r}, 403", "'https://bucket.s3.amazonaws.com/a.jpg?***', 403"),
        ("az: https://a.blob.example/c?sv=1&sig=x%3D", "az: https://a.blob.example/c?***"),
        ("s3://AKIA:p4ss@bucket/key", "s3://***@bucket/key"),
        ("http://me:p4ss@127.0.0.1:9000/b", "http://***@127.0.0.1:9000/b"),
        ("no user ASIAIOSFODNN7EXAMPLE here", "no user *** here"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7", "AWS_SECRET_ACCESS_KEY=***"),
        ('{"SessionToken": "IQoJb3Jp"}', '{"SessionToken": "***"}'),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
    ],
)
def test_secrets_are_removed(text: str, expected: str) -> None:
    """Signatures, passwords, keys and tokens are removed; other text is unchanged."""
    assert expected == redacted(text)


@given(st.text())
def test_any_text_is_accepted(text: str) -> None:
    """No text raises, and redacting twice is redacting once."""
    assert redacted(text) == redacted(redacted(text))


def test_options_for_other_programs() -> None:
    """Values of secret options are removed, after `=` or as the next argument."""
    arguments = ["--runner=FlinkRunner", "--s3_secret_access_key=abc", "--s3_session_token", "def"]
    expected = ["--runner=FlinkRunner", "--s3_secret_access_key=***", "--s3_session_token", "***"]
    assert expected == redacted_arguments(arguments)
    assert ["--flink_master", "h:1"] == redacted_arguments(["--flink_master", "h:1"])


def test_rows_contain_no_secret() -> None:
    """A row's message has no signature, even if the store client's message has one."""
    error = PictureError(ErrorCode.STORE_ERROR, f"the store failed: error sending to {PRESIGNED}")
    message = failed_row(ImageRef("s3://b/a.jpg"), error, "fake", MODEL).error_message
    assert "the store failed: error sending to https://bucket.s3.amazonaws.com/a.jpg?***" == message


@pytest.mark.parametrize("text", [PRESIGNED, "s3://AKIAIOSFODNN7EXAMPLE:p4ss@bucket/a.jpg"])
def test_sources_with_a_secret_are_refused(text: str) -> None:
    """A presigned URL or a password is not a source, and the message does not repeat it."""
    with pytest.raises(UsageError) as caught:
        parse_location(text)
    for secret in ("p4ss", "AKIA", "fe5f80f77d5fa3"):
        assert secret not in str(caught.value)


def test_log_lines_contain_no_secret_and_no_control_character() -> None:
    """Signatures are removed from messages and tracebacks, control characters from messages."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(SafeFormatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("test-redact")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        raise OSError(f"no answer from {PRESIGNED}")
    except OSError:
        logger.exception("%s: %s", "s3://b/\x1b[2Jx.jpg", PRESIGNED)
    text = stream.getvalue()
    assert "ERROR s3://b/\\x1b[2Jx.jpg: https://bucket.s3.amazonaws.com/a.jpg?***" in text
    assert "OSError: no answer from https://bucket.s3.amazonaws.com/a.jpg?***" in text
    assert "Signature" not in text
