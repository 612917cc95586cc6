import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seefood_lambda.form_data import Field, FormError, parse_form

relaxed = settings(deadline=None)  # a busy machine is no failure
CONTENT_TYPE = "multipart/form-data; boundary=----a1"


def test_fields_and_files_are_distinguished() -> None:
    """A file has a filename; its bytes are unchanged, line ends included."""
    body = (
        b"preamble\r\n"
        b'------a1\r\nContent-Disposition: form-data; name="heatmap"\r\n\r\n1\r\n'
        b'------a1\r\ncontent-disposition: form-data; name="image"; filename="name=.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n\xff\xd8\r\n\r\n--\r\n\r\n------a1--\r\nepilogue"
    )

    assert [
        Field("heatmap", b"1", is_file=False),
        Field("image", b"\xff\xd8\r\n\r\n--\r\n", is_file=True),
    ] == parse_form(body, CONTENT_TYPE)


def test_a_filename_before_the_name_does_not_hide_it() -> None:
    """Parameters may be in any order."""
    body = (
        b'------a1\r\nContent-Disposition: form-data; filename="a.jpg"; name="image"\r\n\r\n'
        b"x\r\n------a1--"
    )

    assert [Field("image", b"x", is_file=True)] == parse_form(body, CONTENT_TYPE)


@pytest.mark.parametrize("quote", ["", '"'])
def test_the_boundary_may_be_quoted(quote: str) -> None:
    """Clients send both forms."""
    content_type = f"multipart/form-data; charset=utf-8; boundary={quote}b{quote}"

    assert [] == parse_form(b"--b--", content_type)


def test_a_file_name_may_have_any_bytes() -> None:
    """File systems allow names that are not UTF-8."""
    body = (
        b'------a1\r\nContent-Disposition: form-data; name="image"; filename="\xe9.jpg"\r\n\r\n'
        b"x\r\n------a1--"
    )

    assert [Field("image", b"x", is_file=True)] == parse_form(body, CONTENT_TYPE)


FIELD = b'------a1\r\nContent-Disposition: form-data; name="a"\r\n\r\nx'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body was cut off"),
        (b"------a1", "the body was cut off"),
        (FIELD, "the body was cut off"),
        (FIELD + b"\r\n------a1", "the body was cut off"),
        (b"------a1\r\nno empty line\r\n------a1--", "damaged"),
        (b"------a1\r\nContent-Disposition: form-data\r\n\r\nx\r\n------a1--", "damaged"),
        ((FIELD + b"\r\n") * 33 + b"------a1--", "more than 32 fields"),
    ],
)
def test_a_damaged_form_is_refused(body: bytes, message: str) -> None:
    """The error says whether it was cut off, is damaged or has too many fields."""
    with pytest.raises(FormError, match=message):
        parse_form(body, CONTENT_TYPE)


def test_a_form_may_have_32_fields() -> None:
    """The limit itself is allowed."""
    assert 32 == len(parse_form((FIELD + b"\r\n") * 32 + b"------a1--", CONTENT_TYPE))


def test_a_form_without_a_boundary_is_refused() -> None:
    """Nothing separates its fields."""
    with pytest.raises(FormError, match="names no boundary"):
        parse_form(FIELD, "multipart/form-data")


@relaxed
@given(st.binary(max_size=200))
def test_any_body_is_a_form_or_is_refused(body: bytes) -> None:
    """No other error is raised, and every value is part of the body."""
    try:
        fields = parse_form(b"------a1\r\n" + body + b"\r\n------a1--", CONTENT_TYPE)
    except FormError:
        return
    assert all(field.value in body for field in fields)
