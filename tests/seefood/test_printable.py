"""Untrusted text on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seefood.sanitize import field_problem, printable


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


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyError("digest"), "the field 'digest' is missing"),
        (TypeError("'int' object is not iterable"), "a field has another type"),
        (AttributeError("'list' object has no attribute 'items'"), "a field has another type"),
        (ValueError("Expecting value:\nline 1"), "Expecting value: line 1"),
        (FileNotFoundError(2, "No such file or directory"), "[Errno 2] No such file or directory"),
    ],
)
def test_a_document_of_another_form_is_told_without_python(error: Exception, expected: str) -> None:
    """A reader of the message learns what is wrong in the file, not in the program."""
    assert field_problem(error) == expected
