"""Which pictures the page shows, and what stands for those that it cannot show."""

from dataclasses import replace
from io import BytesIO

import pytest

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.report.writing import make_report
from seefood.synthetic import draw_picture
from tests.report_page import ROWS, SUMMARY, labelled, no_picture, report, text_of


@pytest.fixture(scope="module")
def photo() -> bytes:
    stream = BytesIO()
    draw_picture("hotdog_mustard", 1, (320, 240)).save(stream, "JPEG")
    return stream.getvalue()


def test_many_rows_make_a_small_page(photo: bytes) -> None:
    """A page about many rows fetches at most 150 pictures and has less than 2 MB."""
    fetched: list[str] = []

    def fetch(ref: ImageRef) -> bytes:
        fetched.append(ref.uri)
        return photo

    rows = (labelled(f"s3://b/{n}.jpg", f"class {n % 12}", n / 20_000) for n in range(20_000))
    page = make_report(SUMMARY, rows, fetch)

    assert len(fetched) <= 150
    assert len(set(fetched)) == len(fetched)
    assert len(page) < 2_000_000


def test_thumbnails_are_part_of_the_page(photo: bytes) -> None:
    """Pictures are data URIs with an alternative text."""
    page = make_report(SUMMARY, ROWS[:1], lambda _: photo)

    assert 'src="data:image/jpeg;base64,' in page
    assert 'alt="a dog.jpg, labelled not_hotdog"' in page


def test_a_picture_that_cannot_be_shown_has_its_reason() -> None:
    """A deleted or broken picture becomes a placeholder with the reason."""
    assert "not_found: the object was deleted" in text_of(report(ROWS))
    assert "not_an_image: " in text_of(make_report(SUMMARY, ROWS, lambda _: b"no picture"))


def test_a_name_that_names_nothing_has_its_reason(photo: bytes) -> None:
    """The key of bytes in a Beam pipeline may be anything; it does not stop the report."""
    names = ["http://h/x.jpg", "hdfs://h/x.jpg", "s3://", "a\x00b", "s3://B_A D/x.jpg"]
    rows = [labelled(name, "a", 0.9) for name in names]
    page = make_report(SUMMARY, [*rows, labelled("s3://b/1.jpg", "a", 0.9)], lambda _: photo)

    assert 'alt="1.jpg, labelled a"' in page
    assert "has the unknown scheme" in text_of(page)


def test_a_huge_object_is_not_fetched_for_a_thumbnail() -> None:
    """Objects above 40 MiB are not fetched for thumbnails."""
    row = replace(ROWS[1], size_bytes=90_000_000)

    assert "90 MB is too large for a thumbnail" in text_of(make_report(SUMMARY, [row], no_picture))


def test_a_bucket_without_access_is_not_asked_for_each_picture(photo: bytes) -> None:
    """Only as many pictures as threads are tried; each has the reason. Other buckets are shown."""
    fetched: list[str] = []

    def fetch(ref: ImageRef) -> bytes:
        fetched.append(ref.uri)
        if ref.uri.startswith("s3://closed/"):
            message = "there are no AWS credentials"
            raise UsageError(message)
        return photo

    rows = [labelled(f"s3://closed/{number}.jpg", "a", 0.9) for number in range(40)]
    page = make_report(SUMMARY, [*rows, labelled("s3://open/1.jpg", "b", 0.9)], fetch)

    tried = [uri for uri in fetched if uri.startswith("s3://closed/")]
    assert 0 < len(tried) < 10
    assert "s3://open/1.jpg" in fetched
    assert page.count("there are no AWS credentials") > len(tried)
