"""The HTTP interface of the page, as a WSGI application. Everything is below a random token.

    GET  /<token>/                           the page
    GET  /<token>/state?VIEW                 labels, progress and a revision that grows with changes
    GET  /<token>/cards?VIEW&start=&count=   the pictures at some positions
    GET  /<token>/next?VIEW&start=           the next position without an answer
    GET  /<token>/picture/<number>/<side>    a JPEG
    GET  /<token>/heat/<number>              where the model looked
    GET  /<token>/near/<number>              the most similar pictures, by features
    POST /<token>/answers                    {"id", "answers": [{"number" or "uri" and "etag",
                                             "label" or "labels", "note"}]}; durable when answered
    POST /<token>/labels                     {"label"}

Errors are JSON with one sentence in `detail`.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote

from seefood.errors import PictureError, SeefoodError, UsageError
from seefood.local_http.address import HostCheck
from seefood.review.cards import card_json
from seefood.review.heat import HeatMaps
from seefood.review.page import review_page
from seefood.review.pictures import SIDES, PictureCache
from seefood.review.queue import Answer, Queue
from seefood.sanitize import printable, redacted

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_LOGGER: Final = logging.getLogger(__name__)
_MAX_BODY_BYTES: Final = 4 * 1024 * 1024
_MAX_CARDS: Final = 200
_NEIGHBOURS: Final = 12
_HEADERS: Final = {
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class _HttpError(Exception):
    """Ends a request with this status and sentence."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Response:
    data: bytes
    content_type: str = "application/json"
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] | None = None


def is_slow(method: str, path: str) -> bool:
    """Whether a request waits in the lane of those that take long."""
    del method
    return any(f"/{name}/" in path for name in ("picture", "heat", "near"))


class ReviewApplication:
    """Serves the page of one queue."""

    def __init__(self, queue: Queue, token: str, hosts: HostCheck, heat: HeatMaps) -> None:
        """Only requests whose path begins with `token` are answered."""
        self._queue = queue
        self._token = token
        self._hosts = hosts
        self._heat = heat
        self._pictures = PictureCache()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        response = self._respond(environ)
        headers = {
            **_HEADERS,
            "content-type": response.content_type,
            "content-length": str(len(response.data)),
            **(response.headers or {}),
        }
        start_response(f"{response.status:d} {response.status.phrase}", list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.data]

    def _respond(self, environ: "WSGIEnvironment") -> _Response:
        try:
            return self._route(environ)
        except _HttpError as error:
            return _problem(error.status, error)
        except UsageError as error:
            return _problem(HTTPStatus.BAD_REQUEST, error)
        except PictureError as error:
            return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, error)
        except SeefoodError as error:
            return _problem(HTTPStatus.SERVICE_UNAVAILABLE, error)
        except KeyError as error:
            return _problem(HTTPStatus.NOT_FOUND, KeyError(f"there is no picture {error}"))
        except Exception as error:
            _LOGGER.exception("a request of the page failed")
            return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, error)

    def _route(self, environ: "WSGIEnvironment") -> _Response:
        if not self._hosts.accepts(environ.get("HTTP_HOST")):
            raise _HttpError(HTTPStatus.FORBIDDEN, "this host name is none of this server's")
        _, token, name, *rest = f"{environ.get('PATH_INFO', '')}/".split("/")
        if not compare_digest(token.encode(), self._token.encode()):
            raise _HttpError(
                HTTPStatus.FORBIDDEN,
                "this address is not (or no longer) in use; open the one that the terminal shows",
            )
        method = "GET" if environ["REQUEST_METHOD"] == "HEAD" else environ["REQUEST_METHOD"]
        handler = self._handlers().get((method, name))
        if handler is None:
            raise _HttpError(HTTPStatus.NOT_FOUND, f"there is nothing at {method} {name:.80}")
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        return handler(query, _body(environ) if method == "POST" else {}, rest)

    def _handlers(self) -> "Mapping[tuple[str, str], _Handler]":
        blind = self._queue.is_blind
        return {
            ("GET", ""): self._page,
            ("GET", "state"): self._state,
            ("GET", "cards"): self._cards,
            ("GET", "next"): self._next,
            ("GET", "picture"): self._picture,
            ("POST", "answers"): self._answers,
            ("POST", "labels"): self._label,
            **({} if blind else {("GET", "heat"): self._heat_map, ("GET", "near"): self._near}),
        }

    def _page(self, query: dict[str, str], _: Any, __: list[str]) -> _Response:
        del query
        served = review_page(self._queue.title, is_blind=self._queue.is_blind)
        return _Response(
            served.html.encode(),
            "text/html; charset=utf-8",
            headers={"content-security-policy": served.policy},
        )

    def _state(self, query: dict[str, str], _: Any, __: list[str]) -> _Response:
        revision = self._queue.refresh()
        labels = list(self._queue.labels())  # waits for the first rows: before the length is taken
        progress = self._queue.progress(query)
        return _json(
            {
                "revision": revision,
                "labels": labels,
                "several": self._queue.has_several,
                "length": progress.length,
                "answered": progress.answered,
                "text": progress.text,
                "loading": progress.is_loading,
                "done": progress.is_done,
                "problem": progress.problem,
            }
        )

    def _cards(self, query: dict[str, str], _: Any, __: list[str]) -> _Response:
        start, count = _number(query, "start"), _number(query, "count")
        return _json({"cards": self._cards_at(query, start, count)})

    def _cards_at(self, query: dict[str, str], start: int, count: int) -> list[dict[str, Any]]:
        cards = self._queue.cards(query, start, min(count, _MAX_CARDS))
        blind = self._queue.is_blind
        return [
            {"position": start + at, **card_json(card, is_blind=blind)}
            for at, card in enumerate(cards)
        ]

    def _next(self, query: dict[str, str], _: Any, __: list[str]) -> _Response:
        return _json({"position": self._queue.next_open(query, _number(query, "start"))})

    def _picture(self, query: dict[str, str], _: Any, rest: list[str]) -> _Response:
        del query
        number, side, *_more = (*rest, "", "")
        if int(side or 0) not in SIDES:
            raise UsageError(f"pictures have the sides {SIDES}, not {side!r:.20}")
        data = self._pictures.jpeg(self._queue.card(int(number)).ref, int(side))
        cached = {"cache-control": "private, max-age=3600, immutable"}
        return _Response(data, "image/jpeg", headers=cached)

    def _heat_map(self, query: dict[str, str], _: Any, rest: list[str]) -> _Response:
        del query
        return _json(self._heat.map_of(self._queue.card(int(rest[0]))).as_json())

    def _near(self, query: dict[str, str], _: Any, rest: list[str]) -> _Response:
        """Return the neighbours of a picture; null while features are read."""
        del query
        found = self._queue.near(int(rest[0]), _NEIGHBOURS)
        if found is None:
            return _json({"cards": None})
        cards = [
            {**card_json(each.card, is_blind=False), "similarity": round(each.similarity, 4)}
            for each in found
        ]
        return _json({"cards": cards})

    def _answers(self, query: dict[str, str], body: dict[str, Any], _: list[str]) -> _Response:
        """Write the answers, and return the next open position and its cards if asked."""
        answers = [self._answer(each) for each in body.get("answers") or ()]
        answer_id = str(body.get("id", ""))
        if not (answer_id.isascii() and answer_id.isalnum() and len(answer_id) <= 64 and answers):
            raise UsageError("an answer needs an id of letters and digits, and pictures")
        self._queue.answer(answers, answer_id)
        if "start" not in query:
            return _json({})
        position = self._queue.next_open(query, _number(query, "start"))
        count = _number(query, "count")
        cards = [] if position is None else self._cards_at(query, position, count)
        return _json({"position": position, "cards": cards})

    def _answer(self, document: Any) -> Answer:
        if not isinstance(document, dict):
            raise UsageError("an answer is an object")
        number, label, note = (document.get(name) for name in ("number", "label", "note"))
        labels = document.get("labels")
        if number is None:
            is_loading = self._queue.progress({}).is_loading  # asked first: rows may arrive now
            number = self._queue.find(str(document.get("uri")), str(document.get("etag")))
            if number is None and is_loading:  # the page tries again
                raise _HttpError(HTTPStatus.CONFLICT, "this picture's row has not been read yet")
            if number is None:
                raise UsageError("the picture, or its content of that time, has no row any more")
        if not isinstance(number, int) or not all(isinstance(x, str | None) for x in (label, note)):
            raise UsageError("an answer has a number, a label and a note")
        if labels is None:
            return Answer(number, label, note)
        if not isinstance(labels, list) or not all(isinstance(each, str) for each in labels):
            raise UsageError("the labels of an answer are a list of texts")
        return Answer(number, label, note, tuple(labels))

    def _label(self, query: dict[str, str], body: dict[str, Any], _: list[str]) -> _Response:
        del query
        self._queue.add_label(str(body.get("label", "")))
        return _json({"labels": list(self._queue.labels())})


_Handler = Callable[[dict[str, str], dict[str, Any], list[str]], _Response]


def new_path(token: str) -> str:
    """Return the path of the page."""
    return f"{quote(token)}/"


def _body(environ: "WSGIEnvironment") -> dict[str, Any]:
    """Return the JSON object of a request. A page of another site cannot send this type."""
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip() != "application/json":
        raise _HttpError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send JSON")
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > _MAX_BODY_BYTES:
        raise _HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too many answers at once")
    try:
        document = json.loads(environ["wsgi.input"].read(length))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"this is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise UsageError("send a JSON object")
    return document


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise UsageError(f"{name} is {text!r:.40}, not a number")
    return int(text)


def _json(document: Any) -> _Response:
    return _Response(json.dumps(document, ensure_ascii=True).encode())


def _problem(status: HTTPStatus, error: Exception) -> _Response:
    detail = str(error.args[0]) if error.args else type(error).__name__
    body = {"detail": printable(redacted(detail)), "code": str(getattr(error, "code", ""))}
    return _Response(json.dumps(body).encode(), "application/problem+json", status)
