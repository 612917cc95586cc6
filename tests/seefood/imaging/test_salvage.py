"""With `salvage` a truncated JPEG is decoded as far as it goes, and its row says so."""

import numpy as np
import pytest

from seefood.classification import ClassifyOptions, classify_images
from seefood.engines.fake import FakeEngine
from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import ResizeRule, decode
from seefood.records import ImageRef, Status
from seefood.results.totals import count_rows
from tests.fakes import MODEL
from tests.pictures import encoded, gradient, jpeg

RULE = ResizeRule(24, 32)
WHOLE = encoded(gradient((320, 240)), "JPEG", quality=90)


@pytest.mark.parametrize("progressive", [False, True])
def test_the_upper_part_is_there(progressive: bool) -> None:  # noqa: FBT001 (a parameter of pytest)
    """The decoded part equals the whole picture's, and `damage` is set."""
    data = encoded(gradient((320, 240)), "JPEG", quality=90, progressive=progressive)
    cut = data[: len(data) * 2 // 3]
    salvaged, whole = decode(cut, RULE, salvage=True), decode(data, RULE, salvage=True)
    assert (320, 240, None) == (whole.width, whole.height, whole.damage)
    assert "damaged JPEG" in (salvaged.damage or "")
    top = np.abs(salvaged.pixels[:8].astype(int) - whole.pixels[:8]).mean()
    assert top < (30.0 if progressive else 3.0)


def test_without_the_option_it_fails() -> None:
    """Without `salvage` a truncated picture fails."""
    with pytest.raises(PictureError) as caught:
        decode(WHOLE[:-400], RULE)
    assert ErrorCode.TRUNCATED == caught.value.code


@pytest.mark.parametrize(
    "data", [WHOLE[:100], b"\xff\xd8\xff", encoded(gradient((90, 70)), "PNG")[:150]]
)
def test_what_shows_nothing_fails_as_before(data: bytes) -> None:
    """A cut in the header, or in another format, remains `truncated`."""
    with pytest.raises(PictureError) as caught:
        decode(data, RULE, salvage=True)
    assert ErrorCode.TRUNCATED == caught.value.code


def test_its_row_says_so() -> None:
    """The row has a label, an error code and a message, and never the status `ok`."""
    cut = jpeg((250, 5, 5), (400, 300))[:-60]
    fetched = (ImageRef("s3://b/cut.jpg", "e", len(cut)), cut)
    (row,) = classify_images([fetched], FakeEngine(2), MODEL, ClassifyOptions(salvage=True))
    assert ("red", Status.UNSURE, "truncated") == (row.label, row.status, row.error_code)
    assert (row.error_message or "").startswith("salvaged, classified by the part that was decoded")
    totals = count_rows([row])
    assert (0, 1, {}) == (totals.failed, totals.by_label["red"], dict(totals.by_error))
    (plain,) = classify_images([fetched], FakeEngine(2), MODEL)
    assert (None, Status.FAILED, "truncated") == (plain.label, plain.status, plain.error_code)
