"""Runs the zip's content, unpacked, under Lambda's runtime client; S3 and SQS are moto's."""

import base64
import json
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from infra.build_lambda_zip import Package, build_zip
from seefood.results.files import list_parts, read_rows
from seefood.results.ledger import read_ledger
from seefood.storage import open_store
from seefood.storage.uris import parse_location
from tests.conftest import ROOT, Bucket
from tests.lambda_queue import TRIES, Uploads, drain, make_uploads
from tests.lambda_runtime import FunctionError, copy_client, running_function
from tests.pictures import encoded, gradient, jpeg

pytestmark = pytest.mark.slow

THIS_PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
# These would make a cold start slow, or are not in the zip.
FORBIDDEN: Final = {
    *("apache_beam", "boto3", "click", "jinja2", "multipart", "pyarrow", "rich", "tensorflow"),
    "waitress",
}
UNNEEDED_AT_START: Final = {"asyncio", "ssl", "http.client", "urllib.request", "pydantic"}
UPLOADS: Final = 40
BAD: Final = {
    "in/empty.jpg": b"",
    "in/text.jpg": b"this is text",
    "in/half.jpg": jpeg(size=(200, 200))[:700],
    "in/vector.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "in/noise.png": b"\x89PNG\r\n\x1a\n" + bytes(64),
}
MALFORMED: Final = ("this is no JSON", '{"hello": "world"}', '{"Records": [{"s3": {}}]}')


@dataclass(frozen=True)
class Built:
    """A zip for this Python, unpacked, and the runtime client beside it."""

    source: Path
    package: Package
    root: Path
    client: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, bundle_path: Path) -> Built:
    """The zip as `make lambda-zip` builds it, except for the Python version."""
    folder = tmp_path_factory.mktemp("lambda")
    source = folder / "source"  # a copy, which does not change during the tests
    for name in ("lambda", "seefood"):
        shutil.copytree(ROOT / name, source / name)
    shutil.copy(ROOT / "constraints.txt", source)
    package = build_zip(folder / "lambda.zip", python=THIS_PYTHON, model=bundle_path, source=source)
    with zipfile.ZipFile(package.path) as archive:
        archive.extractall(folder / "task")
    return Built(source, package, folder / "task", copy_client(folder / "client"))


def environment(s3: Bucket, **settings: str) -> dict[str, str]:
    """Return the variables that Lambda sets, and the settings of the test."""
    return {
        "AWS_ENDPOINT_URL": s3.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "AWS_REGION": "us-east-1",
        **settings,
    }


def put_pictures(uploads: Uploads) -> None:
    """Upload good and bad pictures; every tenth name has characters that need encoding."""
    for number in range(UPLOADS - len(BAD)):
        name = f"in/{number:04}.jpg" if number % 10 else f"in/été {number} 1+1=2 100%/🌭.jpg"
        uploads.put(name, jpeg((number % 256, number // 256 * 90, 99), (64, 48)))
    for name, data in BAD.items():
        uploads.put(name, data)


@pytest.mark.timeout(900)  # builds the zip first
def test_every_upload_has_exactly_one_row_and_bad_messages_end_as_dead_letters(
    built: Built, s3: Bucket, tmp_path: Path
) -> None:
    """From S3 through SQS and the function to the results, with duplicates and redelivery."""
    uploads = make_uploads(s3.endpoint)
    put_pictures(uploads)
    duplicates = uploads.receive(uploads.queue)
    for message in duplicates:
        uploads.send(message["Body"])  # S3 and SQS deliver at least once
    uploads.give_back(duplicates)
    for body in MALFORMED:
        uploads.send(body)

    settings = environment(
        s3,
        SEEFOOD_RESULTS=f"s3://{uploads.results}/labels",
        SEEFOOD_WATCHED=f"s3://{uploads.bucket}/in/",
    )
    with running_function(built.root, built.client, settings, tmp_path / "log") as function:
        drain(uploads, function.api.invoke, lost_responses=3)
        lines = function.lines()

    refs = list(open_store(f"s3://{uploads.bucket}").list("in/"))
    results = parse_location(f"s3://{uploads.results}/labels")
    rows = list(read_rows(results))
    assert UPLOADS == len(refs) == len(rows)
    assert {(ref.uri, ref.etag) for ref in refs} == {(row.uri, row.etag) for row in rows}
    assert {
        "in/empty.jpg": "empty",
        "in/text.jpg": "not_an_image",
        "in/half.jpg": "truncated",
        "in/vector.svg": "unsupported_format",
        "in/noise.png": "corrupt",
    } == {parse_location(row.uri).key: row.error_code for row in rows if row.error_code}

    ledger = read_ledger([part.uri for part in list_parts(results)])
    assert [] == [ref.uri for ref in refs if ref not in ledger]

    dead = [message["Body"] for message in uploads.receive(uploads.dead_letters)]
    assert sorted(MALFORMED) == sorted(dead)

    logged = Counter(line["message"] for line in lines if "message" in line)
    assert (UPLOADS - len(BAD), len(BAD)) == (logged["labelled"], logged["failed"])
    assert logged["repeated"] >= len(duplicates)
    assert TRIES * len(MALFORMED) == logged["malformed"]
    counted = Counter[str]()
    for line in lines:
        for name in ("Labelled", "Failed", "Repeated", "Malformed", "ColdStart"):
            counted[name] += int(sum(line.get(name, [])))
    assert {
        "Labelled": logged["labelled"],
        "Failed": logged["failed"],
        "Repeated": logged["repeated"],
        "Malformed": logged["malformed"],
        "ColdStart": 1,
    } == counted


def test_each_log_line_has_the_ids_that_an_operator_needs(
    built: Built, s3: Bucket, tmp_path: Path
) -> None:
    """Model digest, request, correlation id and cold start; no traceback for a bad picture."""
    s3.put("a.jpg", jpeg())
    s3.put("b.jpg", b"text")
    settings = environment(s3, SEEFOOD_RESULTS=f"{s3.uri}/labels", SEEFOOD_ALLOWED_BUCKETS=s3.name)
    with running_function(built.root, built.client, settings, tmp_path / "log") as function:
        rows = [function.api.invoke({"uri": f"{s3.uri}/{key}"}) for key in ("a.jpg", "b.jpg")]
        http = function.api.invoke(
            {
                "rawPath": "/classify",
                "requestContext": {"http": {"method": "POST"}, "requestId": "correlated"},
                "headers": {"content-type": "image/jpeg"},
                "body": base64.b64encode(jpeg()).decode(),
                "isBase64Encoded": True,
            }
        )
        lines = [line for line in function.lines() if "message" in line]

    assert [None, "not_an_image"] == [row["error_code"] for row in rows]
    assert (200, rows[0]["label"]) == (http["statusCode"], json.loads(http["body"])["label"])
    assert ["labelled", "failed", "answered"] == [line["message"] for line in lines]
    assert [True, False, False] == [line["cold_start"] for line in lines]
    assert "correlated" == lines[2]["correlation_id"]
    for line in lines:
        assert line["model_digest"] == rows[0]["model_digest"][:12]
        assert line["function_request_id"]
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert (tmp_path / "log").read_text().count('"uri":"') == 2


def test_without_time_every_message_is_returned(built: Built, s3: Bucket, tmp_path: Path) -> None:
    """With no time left no upload is processed, and each message is delivered again."""
    uploads = make_uploads(s3.endpoint)
    for number in range(5):
        uploads.put(f"in/{number}.jpg", jpeg())
    settings = environment(s3, SEEFOOD_RESULTS=f"s3://{uploads.results}")
    with running_function(built.root, built.client, settings, tmp_path / "log") as function:
        function.api.invoke({"Records": []})  # the first event also waits for the start
        late = drain_once(uploads, function.api, timeout_seconds=0.9)
        in_time = drain_once(uploads, function.api, timeout_seconds=30.0)

    assert (5, 0) == (late, in_time)
    assert 5 == len(list(read_rows(parse_location(f"s3://{uploads.results}"))))


def drain_once(uploads: Uploads, api: Any, timeout_seconds: float) -> int:
    """Deliver one batch and return how many of its messages failed."""
    failed = 0

    def invoke(event: Any) -> Any:
        nonlocal failed
        response = api.invoke(event, timeout_seconds=timeout_seconds)
        failed = len(response["batchItemFailures"])
        return response

    drain(uploads, invoke, max_batches=1)
    return failed


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"SEEFOOD_RESULTS": "s3://b/in/x", "SEEFOOD_WATCHED": "s3://b/in/"}, "start it again"),
        ({"SEEFOOD_MODEL_DIGEST": "0" * 12}, "was expected"),
        ({"SEEFOOD_TOP_K": "many"}, "SEEFOOD_TOP_K"),
    ],
)
def test_wrong_settings_stop_the_function_before_its_first_event(
    built: Built, tmp_path: Path, settings: dict[str, str], message: str
) -> None:
    """Lambda reports an initialisation error with one sentence."""
    log = tmp_path / "log"
    with (
        running_function(built.root, built.client, settings, log) as function,
        pytest.raises(FunctionError, match=message),
    ):
        function.api.invoke({"Records": []})


def test_the_zip_decodes_every_format(built: Built, s3: Bucket, tmp_path: Path) -> None:
    """The files that are left out of the wheels are not needed, also for HEIC and AVIF."""
    picture = gradient((96, 64))
    formats = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF")
    with running_function(built.root, built.client, environment(s3), tmp_path / "log") as function:
        rows = [
            function.api.invoke({"image": base64.b64encode(encoded(picture, name)).decode()})
            for name in formats
        ]

    assert [(name, None) for name in formats] == [
        (row["format"], row["error_code"]) for row in rows
    ]


def test_the_handler_loads_nothing_heavy(built: Built) -> None:
    """No Beam, TensorFlow or boto3, and no HTTP client."""
    program = "import handler, sys; print('\\n'.join(sys.modules))"
    out = subprocess.run(
        [sys.executable, "-S", "-B", "-c", program],
        cwd=built.root,
        env={"PYTHONPATH": str(built.root)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()

    assert set() == FORBIDDEN & {name.partition(".")[0] for name in out}
    assert set() == UNNEEDED_AT_START & set(out)


def test_the_zip_is_small_and_has_no_saved_model(built: Built) -> None:
    """At most 45 MB, unpacked 130 MB; of the model only the LiteRT graph is needed."""
    names = zipfile.ZipFile(built.package.path).namelist()

    assert built.package.zipped_bytes <= 45e6
    assert built.package.unpacked_bytes <= 130e6
    assert [] == [name for name in names if name.endswith(("saved_model.pb", ".tflite.bak"))]
    assert "seefood/models/hotdog/assets.extra/model.tflite" in names
    unused = ("seefood/cli/", "seefood/workers/", "seefood_lambda/local_server.py", "tests/")
    assert not any(name.startswith(unused) for name in names)
    assert built.package.has_bytecode


def test_the_same_input_gives_the_same_zip(built: Built, tmp_path: Path, bundle_path: Path) -> None:
    """A deployment without changes does not change the hash."""
    second = build_zip(
        tmp_path / "second.zip", python=THIS_PYTHON, model=bundle_path, source=built.source
    )

    assert built.package.sha256 == second.sha256
