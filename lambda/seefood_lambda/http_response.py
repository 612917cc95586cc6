"""The response to an HTTP request, and its form for each of AWS's services."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from seefood.records import Row
from seefood_lambda.events import Dialect

_HEADERS: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Response:
    """The response to one request, and what to log about it."""

    status: HTTPStatus
    content_type: str
    body: str | bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    """The pictures' rows, for logs."""
    failure: Exception | None = None
    """An unexpected error, for logs; the caller does not see it."""

    def all_headers(self) -> dict[str, str]:
        """Return all headers, with names in lower case."""
        return {"content-type": self.content_type, **_HEADERS, **self.headers}

    def data(self) -> bytes:
        """Return the body's bytes."""
        return self.body.encode() if isinstance(self.body, str) else self.body

    def as_event(self, dialect: Dialect = Dialect.URL) -> dict[str, Any]:
        """Return the response in the form that the request's service takes."""
        is_text = isinstance(self.body, str)
        event = {
            "statusCode": int(self.status),
            "headers": self.all_headers(),
            "body": self.body if is_text else base64.b64encode(self.data()).decode(),
            "isBase64Encoded": not is_text,
        }
        if dialect in {Dialect.LOAD_BALANCER, Dialect.LOAD_BALANCER_MULTI}:
            event["statusDescription"] = f"{self.status:d} {self.status.phrase}"
        if dialect is Dialect.LOAD_BALANCER_MULTI:
            event["multiValueHeaders"] = {
                name: [value] for name, value in self.all_headers().items()
            }
            del event["headers"]
        return event


def as_json(body: Mapping[str, Any], rows: tuple[Row, ...] = ()) -> Response:
    """Return a successful response with a JSON body."""
    return Response(HTTPStatus.OK, "application/json", json_text(body), rows=rows)


def json_text(body: Mapping[str, Any]) -> str:
    """Return `body` as JSON. Lone surrogates, which UTF-8 cannot encode, become escapes."""
    text = json.dumps(body, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()
