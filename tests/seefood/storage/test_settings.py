"""Every setting that AWS's tools honour holds for listing, reading, writing and tagging alike."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from seefood.errors import JobError
from seefood.storage import open_store
from seefood.storage.s3_address import profile_of
from seefood.storage.s3_identity import identity_of
from tests.aws_place import Place, containers_key, use
from tests.conftest import ROOT
from tests.recording_front import REGION, Kind, Seen


def _signed(seen: list[Seen]) -> set[tuple[str | None, str | None, str | None]]:
    return {(each.access_key, each.region, each.payer) for each in seen}


def _set_keys(place: Place) -> None:
    place.endpoint("plain")


def _set_newlines(place: Place) -> None:
    place.set(AWS_ACCESS_KEY_ID="test\n", AWS_SECRET_ACCESS_KEY=" s \n", AWS_SESSION_TOKEN="T\n")
    place.endpoint("plain")


def _set_payer(place: Place) -> None:
    place.endpoint("payer")
    place.set(AWS_REQUEST_PAYER="requester")


def _set_default_region(place: Place) -> None:
    place.patch.delenv("AWS_REGION")
    place.set(AWS_DEFAULT_REGION="eu-central-1")
    place.endpoint("plain")


def _set_container(place: Place) -> None:
    containers_key(place, "tok\n")
    place.endpoint("plain")


def _set_container_variable(place: Place) -> None:
    containers_key(place, "tok", as_file=False)
    place.endpoint("plain")


def _set_container_bare(place: Place) -> None:
    containers_key(place)
    place.endpoint("plain")


def _set_profile(place: Place) -> None:
    place.without_keys()
    place.patch.delenv("AWS_REGION")
    front = place.front("payer")
    place.write(
        ".aws/config",
        f"[profile p]\nendpoint_url = {front.url}\nregion = eu-west-1\n"
        "aws_access_key_id = PK\naws_secret_access_key = s\n",
    )
    place.set(AWS_PROFILE="p", AWS_REQUEST_PAYER="true")


def _set_named_profile(place: Place) -> None:
    place.write(".aws/credentials", "[q]\naws_access_key_id = QK\naws_secret_access_key = s\n")
    place.set(SEEFOOD_PROFILE="q")  # beside the keys in the environment, as `aws --profile q`
    place.endpoint("plain")


def _set_credentials_file(place: Place) -> None:
    place.without_keys()
    text = "[default]\naws_access_key_id = FK\naws_secret_access_key = s\n"
    place.set(AWS_SHARED_CREDENTIALS_FILE=str(place.write("elsewhere", text)))
    place.endpoint("plain")


def _set_process(place: Place) -> None:
    place.without_keys()
    program = place.write(
        "cp.sh", '#!/bin/sh\necho \'{"Version":1,"AccessKeyId":"CK","SecretAccessKey":"s"}\'\n'
    )
    program.chmod(0o700)
    config = place.write("config", f"[default]\ncredential_process = {program}\n")
    place.set(AWS_CONFIG_FILE=str(config))
    place.endpoint("plain")


def _set_chain(place: Place) -> None:
    place.without_keys()
    sts = place.front("credentials")
    place.write(
        ".aws/config",
        "[profile chain]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n"
        "[profile base]\naws_access_key_id = BK\naws_secret_access_key = s\n",
    )
    place.set(AWS_PROFILE="chain", AWS_ENDPOINT_URL_STS=sts.url)
    place.endpoint("plain")


def _set_web_identity(place: Place) -> None:
    place.without_keys()
    sts = place.front("credentials")
    place.set(
        AWS_WEB_IDENTITY_TOKEN_FILE=str(place.write("jwt", "ey.J.x")),
        AWS_ROLE_ARN="arn:aws:iam::123456789012:role/r",
        AWS_ENDPOINT_URL_STS=sts.url,
    )
    place.endpoint("plain")


@pytest.mark.parametrize(
    ("prepare", "signed"),
    [
        pytest.param(_set_keys, ("test", "us-east-1", None), id="keys"),
        pytest.param(_set_newlines, ("test", "us-east-1", None), id="newlines after secrets"),
        pytest.param(_set_payer, ("test", "us-east-1", "requester"), id="requester pays"),
        pytest.param(_set_default_region, ("test", "eu-central-1", None), id="default region"),
        pytest.param(_set_container, ("KEY1", "us-east-1", None), id="container, token file"),
        pytest.param(_set_container_variable, ("KEY1", "us-east-1", None), id="container, token"),
        pytest.param(_set_container_bare, ("KEY1", "us-east-1", None), id="container, no token"),
        pytest.param(_set_profile, ("PK", "eu-west-1", "requester"), id="profile's endpoint"),
        pytest.param(_set_named_profile, ("QK", "us-east-1", None), id="--profile"),
        pytest.param(_set_credentials_file, ("FK", "us-east-1", None), id="credentials file"),
        pytest.param(_set_process, ("CK", "us-east-1", None), id="credential_process"),
        pytest.param(_set_chain, ("KEY1", "us-east-1", None), id="role chain"),
        pytest.param(_set_web_identity, ("KEY1", "us-east-1", None), id="web identity"),
    ],
)
def test_a_setting_holds_for_every_request(
    place: Place,
    prepare: Callable[[Place], None],
    signed: tuple[str, str, str | None],
) -> None:
    """List, read, conditional write, tag and delete: one host, one key, one region, one payer."""
    prepare(place)
    use(place.bucket.uri)
    stores = [front for front in place.fronts if front.kind != "credentials"]
    assert [{signed}] == [_signed(front.seen) for front in stores]
    assert {"GET", "HEAD", "PUT", "POST"} == {each.method for each in stores[0].seen}
    assert {urlsplit(stores[0].url).netloc} == {each.host for each in stores[0].seen}
    for service in place.fronts:
        if service.kind == "credentials" and service.seen[0].path == "/creds":
            token = "tok" if "AWS_CONTAINER_AUTHORIZATION_TOKEN" in str(os.environ) else None
            assert {token} == {each.authorization for each in service.seen}


@pytest.mark.parametrize("kind", ["region", "malformed"])
def test_another_region_is_learned_once(place: Place, kind: Kind) -> None:
    """The first refusal names the region, for both clients."""
    front = place.endpoint(kind)
    use(place.bucket.uri)
    refused = [each for each in front.seen if each.region != REGION]
    assert 1 == len(refused)
    assert REGION == front.seen[-1].region


@pytest.mark.parametrize("kind", ["region", "malformed"])
def test_another_region_is_learned_by_a_write(place: Place, kind: Kind) -> None:
    """Nothing has been listed before."""
    place.endpoint(kind)
    assert open_store(place.bucket.uri).create("out/x", b"1")
    assert b"1" == place.bucket.get("out/x")


def test_a_private_authority_is_trusted(place: Place) -> None:
    """`AWS_CA_BUNDLE` holds for listing, reading and writing."""
    run = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj"]
    authority, key, cert = (place.home / name for name in ("ca.pem", "key.pem", "cert.pem"))
    made = ["-keyout", str(place.home / "ca.key"), "-out", str(authority)]
    subprocess.run([*run, "/CN=authority", *made], check=True, capture_output=True)
    signed = [
        *("/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
        *("-CA", str(authority), "-CAkey", str(place.home / "ca.key")),
    ]
    made = ["-keyout", str(key), "-out", str(cert)]
    subprocess.run([*run, *signed, *made], check=True, capture_output=True)
    both = place.write("both.pem", key.read_text() + cert.read_text())
    front = place.front("plain", str(both))
    place.set(AWS_ENDPOINT_URL=front.url, AWS_CA_BUNDLE=str(authority))
    use(place.bucket.uri)
    assert {("test", "us-east-1", None)} == _signed(front.seen)


@pytest.mark.parametrize("is_authority", [True, False])
def test_a_self_signed_certificate(place: Place, *, is_authority: bool) -> None:
    """One that is no authority is trusted; one that is has a sentence with the cure."""
    both = place.home / "both.pem"
    made = ["-keyout", str(place.home / "key.pem"), "-out", str(place.home / "cert.pem")]
    limits = f"basicConstraints=critical,CA:{str(is_authority).upper()}"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    run = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*run, "-addext", limits, *made], check=True, capture_output=True)
    both.write_text("".join((place.home / name).read_text() for name in ("key.pem", "cert.pem")))
    front = place.front("plain", str(both))
    place.set(AWS_ENDPOINT_URL=front.url, AWS_CA_BUNDLE=str(place.home / "cert.pem"))
    if not is_authority:
        use(place.bucket.uri)
        return
    with pytest.raises(JobError, match="basicConstraints=critical,CA:FALSE"):
        open_store(place.bucket.uri).create("out/x", b"1")


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY"])
def test_a_proxy_gets_every_request(place: Place, name: str) -> None:
    """In capitals and small letters."""
    proxy = place.front("proxy")
    front = place.endpoint("plain")
    place.set(**{name: proxy.url})
    use(place.bucket.uri)
    assert len(front.seen) == len(proxy.seen) > 0


def test_a_proxy_for_all_schemes_is_not_read(place: Place) -> None:
    """As AWS's tools have it, and so for both clients."""
    proxy = place.front("proxy")
    place.endpoint("plain")
    place.set(ALL_PROXY=proxy.url)
    use(place.bucket.uri)
    assert [] == proxy.seen


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "*", "localhost,127.0.0.1"])
def test_a_bypassed_proxy_gets_no_request(place: Place, no_proxy: str) -> None:
    """`NO_PROXY` holds for listing, reading and writing."""
    proxy = place.front("proxy")
    place.endpoint("plain")
    place.set(HTTP_PROXY=proxy.url, NO_PROXY=no_proxy)
    use(place.bucket.uri)
    assert [] == proxy.seen


def test_requests_for_credentials_pass_no_proxy(place: Place) -> None:
    """Neither those to the container's service nor those to the instance's metadata."""
    proxy = place.front("proxy")
    service = containers_key(place, "tok")
    place.endpoint("plain")
    place.set(http_proxy=proxy.url)
    use(place.bucket.uri)
    assert service.seen
    assert not [each for each in proxy.seen if "/creds" in each.path]
    place.patch.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    place.patch.delenv("AWS_EC2_METADATA_DISABLED")
    metadata = place.front("credentials")
    place.set(AWS_EC2_METADATA_SERVICE_ENDPOINT=metadata.url, AWS_METADATA_SERVICE_TIMEOUT="1")
    before = len(proxy.seen)
    identity_of("another-bucket")
    assert "PUT" == metadata.seen[0].method
    assert before == len(proxy.seen)


def test_expiring_credentials_are_renewed(place: Place) -> None:
    """A key that the store refuses as expired is replaced, and the request is sent again."""
    service = containers_key(place, "tok")
    front = place.endpoint("plain")
    store = open_store(place.bucket.uri)
    (ref,) = store.list("in/a")
    place.write("token", "new")
    front.denied = {"KEY1"}
    assert b"plain" == store.fetch(ref)
    assert "KEY2" == front.seen[-1].access_key
    assert "new" == service.seen[-1].authorization
    front.denied = {"KEY1", "KEY2"}
    assert [ref] == list(store.list("in/a"))


def test_two_buckets_may_have_two_profiles(place: Place) -> None:
    """`--output-profile` is for one bucket, `--profile` for all others."""
    environ = {"SEEFOOD_PROFILE": "a", "SEEFOOD_OUTPUT_PROFILE": "labels=b"}
    assert ["a", "b"] == [profile_of(name, environ) for name in ("photos", "labels")]
    one, two = place.front("plain"), place.front("plain")
    place.without_keys()
    place.write(
        ".aws/config",
        "".join(
            f"[profile {name}]\nendpoint_url = {front.url}\naws_access_key_id = {name}\n"
            "aws_secret_access_key = s\n"
            for name, front in (("a", one), ("b", two))
        ),
    )
    place.bucket.client.create_bucket(Bucket=f"{place.bucket.name}-out")
    place.set(SEEFOOD_PROFILE="a", SEEFOOD_OUTPUT_PROFILE=f"{place.bucket.name}-out=b")
    (ref,) = open_store(place.bucket.uri).list("in/a")
    open_store(f"{place.bucket.uri}-out").write("x", open_store(place.bucket.uri).fetch(ref))
    assert ({"a"}, {"b"}) == tuple({each.access_key for each in f.seen} for f in (one, two))


def test_a_signed_in_profile_gets_its_keys_from_the_portal(place: Place) -> None:
    """In a new process, because botocore looks for the home folder when it is imported."""
    place.without_keys()
    portal = place.front("credentials")
    place.write(
        ".aws/config",
        "[profile p]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n"
        "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://x.awsapps.com/start\n",
    )
    token = {"accessToken": "T", "expiresAt": "2099-01-01T00:00:00Z", "region": "eu-west-1"}
    name = hashlib.sha1(b"s", usedforsecurity=False).hexdigest()  # where `aws sso login` leaves it
    place.write(f".aws/sso/cache/{name}.json", json.dumps(token))
    place.set(AWS_PROFILE="p", AWS_ENDPOINT_URL_SSO=portal.url)
    front = place.endpoint("plain")
    program = f"from tests.aws_place import use; use('{place.bucket.uri}')"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
    assert {("KEY1", "us-east-1", None)} == _signed(front.seen)
    assert "/federation/credentials" == urlsplit(portal.seen[0].path).path


@pytest.mark.namespaces
def test_a_containers_relative_uri(place: Place) -> None:
    """Asked at 169.254.170.2, an address that a network namespace of its own has."""
    place.without_keys()
    place.set(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/creds", http_proxy="http://127.0.0.1:1")
    own = 'ip link set lo up; ip address add 169.254.170.2/32 dev lo; exec "$@"'
    command = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", own, "sh"]
    out = subprocess.run(
        [*command, sys.executable, "-c", _ASK_CONTAINER],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout
    assert "KEY1 container-role\n" == out


_ASK_CONTAINER = """
from tests.conftest import ROOT
from tests.recording_front import RecordingFront
from seefood.storage.s3_identity import identity_of
with RecordingFront("credentials", address=("169.254.170.2", 80)).running() as front:
    identity = identity_of("photos")
    print(identity.frozen().access_key, identity.method)
    assert {"/creds"} == {each.path for each in front.seen}
"""


def test_without_a_home_folder(place: Place) -> None:
    """As if `~/.aws` were absent."""
    place.patch.delenv("HOME")
    place.endpoint("plain")
    use(place.bucket.uri)
