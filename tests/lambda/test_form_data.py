import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seefood_lambda.form_data import Field, FormError, parse_form

relaxed = settings(deadline=None)  # a busy machine is no failure
KIND = "multipart/form-data; boundary=----a1"


def test_fields_and_files_are_told_apart() -> None:
    """A file has a filename; its bytes come as they are, line ends included."""
    body = (
        b"preamble\r\n"
        b'------a1\r\nContent-Disposition: form-data; name="heatmap"\r\n\r\n1\r\n'
        b'------a1\r\ncontent-disposition: form-data; name="image"; filename="name=.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n\xff\xd8\r\n\r\n--\r\n\r\n------a1--\r\nepilogue"
    )

    assert [
        Field("heatmap", b"1", is_file=False),
        Field("image", b"\xff\xd8\r\n\r\n--\r\n", is_file=True),
    ] == parse_form(body, KIND)


def test_a_filename_before_the_name_does_not_hide_it() -> None:
    """The order of parameters is the sender's choice."""
    body = (
        b'------a1\r\nContent-Disposition: form-data; filename="a.jpg"; name="image"\r\n\r\n'
        b"x\r\n------a1--"
    )

    assert [Field("image", b"x", is_file=True)] == parse_form(body, KIND)


@pytest.mark.parametrize("quote", ["", '"'])
def test_the_boundary_may_be_quoted(quote: str) -> None:
    """Both forms are in use."""
    kind = f"multipart/form-data; charset=utf-8; boundary={quote}b{quote}"

    assert [] == parse_form(b"--b--", kind)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"------a1",
        b'------a1\r\nContent-Disposition: form-data; name="a"\r\n\r\nx',
        b"------a1\r\nno empty line\r\n------a1--",
        b"------a1\r\nContent-Disposition: form-data\r\n\r\nx\r\n------a1--",
        b'------a1\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * 40 + b"------a1--",
    ],
)
def test_a_damaged_form_is_refused(body: bytes) -> None:
    """Cut off, without names, or endless."""
    with pytest.raises(FormError):
        parse_form(body, KIND)


@relaxed
@given(st.binary(max_size=200))
def test_any_body_is_a_form_or_is_refused(body: bytes) -> None:
    """Nothing but `FormError` is raised, and no field is invented."""
    try:
        fields = parse_form(b"------a1\r\n" + body + b"\r\n------a1--", KIND)
    except FormError:
        return
    assert all(field.value in body for field in fields)
