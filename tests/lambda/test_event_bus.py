"""PutEvents is signed as botocore signs it."""

import datetime as dt

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from seefood_lambda.event_bus import signed_headers


@pytest.mark.parametrize("token", ["", "a/token+="])
@pytest.mark.parametrize("url", ["https://events.eu-west-1.amazonaws.com", "http://127.0.0.1:9"])
def test_the_signature_is_botocores(url: str, token: str) -> None:
    """With and without a session token, at AWS and at a stand-in."""
    environ = {
        "AWS_ACCESS_KEY_ID": "AK",
        "AWS_SECRET_ACCESS_KEY": "s/k",
        "AWS_SESSION_TOKEN": token,
    }
    moment, body = dt.datetime.now(dt.UTC), b'{"Entries": []}'
    ours = signed_headers(url, "eu-west-1", body, environ, moment)
    sent = {name: ours[name] for name in ("content-type", "x-amz-target")}
    request = AWSRequest("POST", f"{url}/", sent, body)
    SigV4Auth(Credentials("AK", "s/k", token or None), "events", "eu-west-1").add_auth(request)
    theirs = signed_headers(
        url,
        "eu-west-1",
        body,
        environ,
        dt.datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%S%z"),
    )
    assert request.headers["Authorization"] == theirs["authorization"]
