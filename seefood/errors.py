"""The exceptions that seefood raises. The branch of an error decides what happens next.

    SeefoodError
    ├── PictureError      row:   this picture fails, its row states why, the job continues
    ├── RetryableError    retry: the same call may succeed later (throttling, a reset, a timeout)
    └── StopError         stop:  the job cannot continue
        ├── UsageError           raised before any work has started (exit code 2)
        │   └── BundleError      a model bundle is absent, damaged or not the expected one
        └── JobError             raised during the work (exit code 1)

A message is one sentence with the value, the cause and the remedy.
"""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a picture has no label: the possible values of a row's `error_code`.

    docs/errors.md documents how each is handled.
    """

    EMPTY = "empty"
    """The object has no bytes."""
    NOT_AN_IMAGE = "not_an_image"
    """The bytes are not in a known picture format."""
    UNSUPPORTED_FORMAT = "unsupported_format"
    """A picture in a format that is not decoded (PSD, EPS, SVG, ...)."""
    TRUNCATED = "truncated"
    """The picture's data is incomplete. In a row with a label, the first part was decoded."""
    CORRUPT = "corrupt"
    """The picture's data is damaged."""
    TOO_LARGE = "too_large"
    """More bytes than `Limits.max_bytes`."""
    TOO_MANY_PIXELS = "too_many_pixels"
    """More pixels, or more memory for decoding them, than `Limits` allows, by the header."""
    TOO_MANY_FRAMES = "too_many_frames"
    """More frames or pages than `Limits.max_frames`."""
    TIMEOUT = "timeout"
    """Decoding and classifying it alone took longer than `Limits.max_seconds`."""
    OUT_OF_MEMORY = "out_of_memory"
    """There was not enough memory to decode it."""
    DECODER_CRASH = "decoder_crash"
    """A decoder or the engine crashed on it, in a process that had only this picture."""
    NOT_FOUND = "not_found"
    """It was listed, and deleted before it was read."""
    CHANGED = "changed"
    """It was replaced between listing and reading; the next run classifies the new object."""
    FORBIDDEN = "forbidden"
    """These credentials may not read it."""
    UNSUPPORTED_NAME = "unsupported_name"
    """The object's name cannot be expressed by the store's client."""
    STORE_ERROR = "store_error"
    """The store failed in another way, after retries."""
    ENGINE_ERROR = "engine_error"
    """The engine failed on this picture, or returned something else than probabilities."""


class SeefoodError(Exception):
    """The base class of all exceptions that seefood raises on purpose."""


class PictureError(SeefoodError):
    """This picture cannot be classified; `code` and the message go into its row."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type["PictureError"], tuple[ErrorCode, str]]:
        return type(self), (self.code, str(self))


class RetryableError(SeefoodError):
    """The same call may succeed later."""


class StopError(SeefoodError):
    """The job cannot continue."""


class UsageError(StopError):
    """A wrong source, option or file; raised before any work has started."""


class BundleError(UsageError):
    """A model bundle is absent, damaged, or not the expected one."""


class JobError(StopError):
    """The job has started and cannot finish."""
