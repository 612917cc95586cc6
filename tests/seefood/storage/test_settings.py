"""Every setting that AWS's tools honour holds for listing, reading, writing and tagging alike."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from seefood.errors import JobError, SeefoodError, UsageError
from seefood.records import ImageRef
from seefood.storage import open_store
from seefood.storage.s3_address import environment_address, profile_of
from seefood.storage.s3_client import S3Client
from seefood.storage.s3_identity import identity_of
from seefood.storage.uris import parse_location
from tests.conftest import Bucket
from tests.recording_front import REGION, Kind, RecordingFront, Seen

_PLAIN, _ODD = "in/a b.jpg", "in//odd.jpg"


@dataclass
class Place:
    """An environment with nothing but what a test sets: a home folder, fronts, variables."""

    bucket: Bucket
    home: Path
    patch: pytest.MonkeyPatch
    stack: ExitStack
    fronts: list[RecordingFront] = field(default_factory=list)

    def front(self, kind: Kind, certificate: str | None = None) -> RecordingFront:
        """Start a front before the S3 server."""
        front = RecordingFront(kind, self.bucket.endpoint, certificate)
        self.fronts.append(front)
        return self.stack.enter_context(front.running())

    def endpoint(self, kind: Kind) -> RecordingFront:
        """Start a front and name it in the environment."""
        front = self.front(kind)
        self.patch.setenv("AWS_ENDPOINT_URL_S3", front.url)
        return front

    def set(self, **variables: str) -> None:
        """Set variables of the environment."""
        for name, value in variables.items():
            self.patch.setenv(name, value)

    def without_keys(self) -> None:
        """Remove the key pair from the environment."""
        self.patch.delenv("AWS_ACCESS_KEY_ID")
        self.patch.delenv("AWS_SECRET_ACCESS_KEY")

    def write(self, name: str, text: str) -> Path:
        """Write a file below the home folder."""
        file = self.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file


@pytest.fixture
def place(s3: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """An empty home folder, a bucket with a plain and an odd key, and no proxy."""
    for name in list(os.environ):
        if name.lower() in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
            monkeypatch.delenv(name)
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    s3.put(_PLAIN, b"plain")
    s3.put(_ODD, b"odd")
    with ExitStack() as stack:
        yield Place(s3, home, monkeypatch, stack)


def _use(uri: str) -> None:
    """List, read, ask for, create, overwrite, tag and delete objects."""
    store = open_store(uri)
    refs = {parse_location(ref.uri).key: ref for ref in store.list("in/")}
    assert {_PLAIN, _ODD} == set(refs)
    assert (b"plain", b"odd") == (store.fetch(refs[_PLAIN]), store.fetch(refs[_ODD]))
    for key in (_PLAIN, _ODD):
        assert refs[key].etag == store.stat(ImageRef(refs[key].uri)).etag
    assert store.create("out/lease", b"1")
    assert not store.create("out/lease", b"2")
    store.write("out/lease", b"3")
    assert b"3" == store.read("out/lease")
    client = S3Client(uri.removeprefix("s3://"))
    client.put_tags("out/lease", {"seefood": "red"})
    assert {"seefood": "red"} == client.tags("out/lease")
    store.delete("out/lease")


def _signed(seen: list[Seen]) -> set[tuple[str | None, str | None, str | None]]:
    return {(each.access_key, each.region, each.payer) for each in seen}


def _containers_key(place: Place, token: str = "", *, as_file: bool = True) -> RecordingFront:
    place.without_keys()
    service = place.front("credentials")
    place.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{service.url}/creds")
    if token and as_file:
        file = place.write("token", token)
        place.set(AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(file))
    elif token:
        place.set(AWS_CONTAINER_AUTHORIZATION_TOKEN=token)
    return service


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
    _containers_key(place, "tok\n")
    place.endpoint("plain")


def _set_container_variable(place: Place) -> None:
    _containers_key(place, "tok", as_file=False)
    place.endpoint("plain")


def _set_container_bare(place: Place) -> None:
    _containers_key(place)
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
    _use(place.bucket.uri)
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
    """The first refusal names the region; obstore learns it with one more."""
    front = place.endpoint(kind)
    _use(place.bucket.uri)
    refused = [each for each in front.seen if each.region != REGION]
    assert 1 <= len(refused) <= 2
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
    _use(place.bucket.uri)
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
        _use(place.bucket.uri)
        return
    with pytest.raises(JobError, match="basicConstraints=critical,CA:FALSE"):
        open_store(place.bucket.uri).create("out/x", b"1")


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY"])
def test_a_proxy_gets_every_request(place: Place, name: str) -> None:
    """In capitals and small letters."""
    proxy = place.front("proxy")
    front = place.endpoint("plain")
    place.set(**{name: proxy.url})
    _use(place.bucket.uri)
    assert len(front.seen) == len(proxy.seen) > 0


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "*", "localhost,127.0.0.1"])
def test_a_bypassed_proxy_gets_no_request(place: Place, no_proxy: str) -> None:
    """`NO_PROXY` holds for listing, reading and writing."""
    proxy = place.front("proxy")
    place.endpoint("plain")
    place.set(HTTP_PROXY=proxy.url, NO_PROXY=no_proxy)
    _use(place.bucket.uri)
    assert [] == proxy.seen


def test_requests_for_credentials_pass_no_proxy(place: Place) -> None:
    """Neither those to the container's service nor those to the instance's metadata."""
    proxy = place.front("proxy")
    service = _containers_key(place, "tok")
    place.endpoint("plain")
    place.set(http_proxy=proxy.url)
    _use(place.bucket.uri)
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
    service = _containers_key(place, "tok")
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
        f"s = open_store('{place.bucket.uri}'); s.fetch(ImageRef('{place.bucket.uri}/{_PLAIN}'))\n"
        "s.create('out/x', b'1'); s.write('out/x', b'2'); s.delete('out/x')\n"
        "print('botocore' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert "False\n" == out


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
    ],
)
def test_a_name_that_no_bucket_has(place: Place, text: str, words: str) -> None:
    """Refused before any request."""
    del place
    with pytest.raises(UsageError, match=words):
        open_store(parse_location(text).root)


def test_without_a_home_folder(place: Place) -> None:
    """As if `~/.aws` were absent."""
    place.patch.delenv("HOME")
    place.endpoint("plain")
    _use(place.bucket.uri)
