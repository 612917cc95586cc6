import io
import zipfile
from collections.abc import Iterator

import pytest

from seefood.bundle import load_bundle
from tests.conftest import BUNDLE
from tests.infra.aws import Stack, create_stack


@pytest.fixture(scope="session")
def package() -> bytes:
    """A Lambda package for moto, which never runs it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", "")
    return content.getvalue()


@pytest.fixture(scope="session")
def stack(package: bytes) -> Iterator[Stack]:
    """The stack with alarms, tags and a model, in its own moto server."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 (a second)

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield create_stack(
        f"http://{host}:{port}",
        package,
        AlarmEmail="kitchen@example.org",
        LabelTag="label",
        MonthlyBudget="20",
        ModelDigest=load_bundle(BUNDLE).digest,
    )
    server.stop()
