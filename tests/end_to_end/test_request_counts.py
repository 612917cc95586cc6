"""The requests on a receipt are those that the server counted."""

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from seefood.runs.pricing import expected_requests
from seefood.runs.run_spec import ChunkSize, RunOptions
from seefood_pipeline.launcher import launch
from seefood_pipeline.request import Request
from tests.bundles import fake_bundle
from tests.pictures import jpeg
from tests.recording_front import RecordingFront, Seen

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bucket

pytestmark = pytest.mark.beam
_PICTURES = 60
_CHUNK = 16


def _kind(seen: Seen) -> str:
    return "list" if "list-type=" in seen.path else seen.method.lower()


@pytest.mark.parametrize("report", [False, True], ids=["rows", "report"])
def test_a_receipt_has_what_the_server_counted(
    s3: "Bucket", tmp_path: "Path", monkeypatch: pytest.MonkeyPatch, *, report: bool
) -> None:
    """Every request of the run is counted once, in the worker process as well."""
    s3.put_many({f"in/{number:03d}.jpg": jpeg((200, number, 30)) for number in range(_PICTURES)})
    with RecordingFront("plain", s3.endpoint).running() as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.url)
        options = RunOptions(engine="fake", chunk=ChunkSize(_CHUNK))
        bundle = fake_bundle(tmp_path / "bundle").path
        request = Request((f"{s3.uri}/in/",), f"{s3.uri}/out", bundle, options, report=report)
        receipt = launch(request, "quiet").summary["receipt"]
        served = Counter(map(_kind, front.seen))
    assert served == Counter(receipt["requests"])
    expected = expected_requests(
        listed=_PICTURES, pictures=_PICTURES, rows=_PICTURES, chunk_pictures=_CHUNK, writes=True
    )
    if report:
        assert all(abs(served[kind] - times) <= 6 for kind, times in expected.items()), served
