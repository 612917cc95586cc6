"""Everything that can go wrong, drawn as one tree whose branches say who handles it.

    SeefoodError
    ├── PictureError      row:   this picture fails, its row says why, the job goes on
    ├── RetryableError    retry: the same call may succeed later (throttling, a reset, a time-out)
    └── StopError         stop:  the job cannot go on
        ├── UsageError           found before any work started (exit code 2)
        │   └── BundleError      a model bundle that is absent, broken or not what it says it is
        └── JobError             found while working (exit code 1)

A message is one sentence that names the value, the cause and the way out.
"""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a picture has no label: the closed list of values of a row's `error_code`.

    docs/errors.md says of each what is done about it.
    """

    EMPTY = "empty"
    """The object has no bytes."""
    NOT_AN_IMAGE = "not_an_image"
    """The bytes are of no picture format."""
    UNSUPPORTED_FORMAT = "unsupported_format"
    """A picture, of a format that is not decoded here (PSD, EPS, SVG, ...)."""
    TRUNCATED = "truncated"
    """The picture ends before its data does. With a label: what it still shows was salvaged."""
    CORRUPT = "corrupt"
    """The format is known, the data is damaged."""
    TOO_LARGE = "too_large"
    """More bytes than `Limits.max_bytes`."""
    TOO_MANY_PIXELS = "too_many_pixels"
    """More pixels than `Limits` allows, or more memory to decode them; told from the header."""
    TOO_MANY_FRAMES = "too_many_frames"
    """More frames or pages than `Limits.max_frames`."""
    TIMEOUT = "timeout"
    """It took more than `Limits.max_seconds` to decode and classify, alone."""
    OUT_OF_MEMORY = "out_of_memory"
    """There was not enough memory to decode it."""
    DECODER_CRASH = "decoder_crash"
    """A decoder or the engine crashed on it, alone in a process of its own."""
    NOT_FOUND = "not_found"
    """Listed, but gone when it was read."""
    CHANGED = "changed"
    """Replaced between listing and reading; the next run classifies the new object."""
    FORBIDDEN = "forbidden"
    """The store refuses to let these credentials read it."""
    UNSUPPORTED_NAME = "unsupported_name"
    """The object's name cannot be expressed by the store's client."""
    STORE_ERROR = "store_error"
    """The store failed in another way, also after retries."""
    ENGINE_ERROR = "engine_error"
    """The engine failed on this picture, or answered something that is no probability."""


class SeefoodError(Exception):
    """The root. Whatever seefood raises on purpose is one of these."""


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
    """The job cannot go on."""


class UsageError(StopError):
    """A wrong source, option or file, found before any work started."""


class BundleError(UsageError):
    """A model bundle that is absent, broken, or not what it says it is."""


class JobError(StopError):
    """The job had started and cannot finish."""
