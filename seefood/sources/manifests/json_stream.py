"""Reads one JSON document piece by piece: an array of any length takes little memory."""

import json
from collections.abc import Iterator
from typing import Any, Final, TextIO

_BLOCK: Final = 1 << 20
_MAX_VALUE: Final = 64 * 1024 * 1024
_BLANKS: Final = " \t\r\n"


class JsonStream:
    """The tokens of a document. Raises `ValueError` for what is no JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        self._is_over = False
        self._decoder = json.JSONDecoder()
        if self.peek() == "\ufeff":
            self._at += 1

    def peek(self) -> str:
        """Return the next character that is no blank; an empty string at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANKS:
                    return self._text[self._at]
                self._at += 1
            if not self._read():
                return ""

    def take(self, mark: str) -> None:
        """Skip the character `mark`, which must be next."""
        found = self.peek()
        if found != mark:
            raise ValueError(f"{mark!r} is expected and {found or 'the end'!r} is there")
        self._at += 1

    def value(self) -> Any:
        """Return the next value, which is held as a whole."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except (json.JSONDecodeError, RecursionError) as error:
                if isinstance(error, RecursionError) or not self._read():
                    raise ValueError(f"no JSON: {error}") from error
            else:
                # A number may go on in the next block.
                if end < len(self._text) or not self._read():
                    self._at = end
                    return value

    def elements(self) -> Iterator[Any]:
        """Yield the elements of the array that is next."""
        self.take("[")
        is_first = True
        while self.peek() != "]":
            if not is_first:
                self.take(",")
            is_first = False
            yield self.value()
        self.take("]")

    def members(self) -> Iterator[str]:
        """Yield the names of the object that is next; the caller takes or skips each value."""
        self.take("{")
        is_first = True
        while self.peek() != "}":
            if not is_first:
                self.take(",")
            is_first = False
            name = self.value()
            if not isinstance(name, str):
                raise ValueError(f"{name!r:.40} is no name of a member")  # noqa: TRY004 (no JSON)
            self.take(":")
            yield name
        self.take("}")

    def skip(self) -> None:
        """Skip the next value; an array element by element."""
        if self.peek() == "[":
            for _ in self.elements():
                pass
        else:
            self.value()

    def _read(self) -> bool:
        """Read more text; return whether there was any."""
        if self._is_over:
            return False
        self._text = self._text[self._at :]
        self._at = 0
        if len(self._text) > _MAX_VALUE:
            raise ValueError(f"a value has more than {_MAX_VALUE:,} characters")
        block = self._stream.read(max(_BLOCK, len(self._text)))
        self._is_over = not block
        self._text += block
        return bool(block)
