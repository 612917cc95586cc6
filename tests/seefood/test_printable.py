"""Untrusted text on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seefood.sanitize import printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hot dog 🌭 ünï", "hot dog 🌭 ünï"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\r\t", "a\\nb\\r\\t"),
        ("\udcff.jpg", "\\udcff.jpg"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("", ""),
    ],
)
def test_control_characters_are_escaped(text: str, expected: str) -> None:
    """Escape sequences, direction marks and lone surrogates become visible escapes."""
    assert expected == printable(text)


@given(st.text())
def test_any_text_can_be_printed(text: str) -> None:
    """The result is printable and can be encoded."""
    assert printable(text).isprintable()
    printable(text).encode()
