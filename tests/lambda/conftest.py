import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from door.labeller import Labeller
from door.settings import DoorSettings

from seefood.classify import Settings
from seefood.engines.fake import FakeEngine
from seefood.uris import parse_location
from tests.fakes import MODEL

EVENTS: Final = Path(__file__).parent / "events"


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Any]:
    """Return the event of that name, as AWS sends it."""
    return lambda name: json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def labeller() -> Labeller:
    """A labeller of two classes without a network: red pictures are `red`, green ones `green`."""
    return Labeller(FakeEngine(2), MODEL, Settings())


@pytest.fixture
def settings(memory: str) -> DoorSettings:
    """Settings of a door that writes to a store in memory."""
    return DoorSettings(Path("unused"), results=parse_location(f"{memory}/labels"))


@pytest.fixture
def post() -> Callable[..., dict[str, Any]]:
    """Return the Function URL event of a POST to /classify."""

    def make(body: bytes, content_type: str = "image/jpeg", **query: str) -> dict[str, Any]:
        return {
            "version": "2.0",
            "rawPath": "/classify",
            "headers": {"content-type": content_type},
            "queryStringParameters": query,
            "requestContext": {"http": {"method": "POST"}, "requestId": "r-1"},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }

    return make
