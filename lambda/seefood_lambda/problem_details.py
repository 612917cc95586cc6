"""Errors as JSON problem details (RFC 9457), each with its HTTP status."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from seefood.errors import ErrorCode, PictureError

STATUS_OF: Final = {
    ErrorCode.EMPTY: HTTPStatus.BAD_REQUEST,
    ErrorCode.NOT_AN_IMAGE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.UNSUPPORTED_FORMAT: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.TRUNCATED: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorCode.CORRUPT: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorCode.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.TOO_MANY_PIXELS: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.TOO_MANY_FRAMES: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.TIMEOUT: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorCode.OUT_OF_MEMORY: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorCode.DECODER_CRASH: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorCode.CHANGED: HTTPStatus.CONFLICT,
    ErrorCode.FORBIDDEN: HTTPStatus.BAD_GATEWAY,
    ErrorCode.UNSUPPORTED_NAME: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorCode.STORE_ERROR: HTTPStatus.BAD_GATEWAY,
    ErrorCode.ENGINE_ERROR: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class HttpError(Exception):
    """A request that gets an error response."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`code` is for programs (a picture's `ErrorCode`), `detail` a sentence for people."""
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers


def of_picture(error: PictureError) -> HttpError:
    """Return the HTTP error for a picture that cannot be classified."""
    return HttpError(STATUS_OF[error.code], str(error.code), str(error))


def problem(error: HttpError, request_id: str) -> dict[str, Any]:
    """Return the error as a JSON object."""
    return {
        "type": "about:blank",
        "title": error.status.phrase,
        "status": int(error.status),
        "detail": error.detail,
        "code": error.code,
        "instance": f"urn:request:{request_id}",
    }
