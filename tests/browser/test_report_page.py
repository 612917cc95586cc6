"""Rules of the report page, opened from disk in a real browser."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from seefood.corrections import Correction
from seefood.drift.fingerprint import fingerprint_rows
from seefood.drift.verdict import judge
from seefood.errors import ErrorCode, PictureError
from seefood.records import ImageRef, Row, Status, format_utc
from seefood.report.audited import Audited
from seefood.report.writing import make_report
from seefood.synthetic import draw_picture
from tests.browser.axe import violations

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.conftest import Browser

pytestmark = pytest.mark.browser

STARTED = datetime(2026, 11, 23, 16, 2, tzinfo=UTC)

NAMES = (
    "lunch.jpg",
    "<b>bold & 'quoted'.jpg",
    "a name that is so long that no column of any phone could hold it" * 4 + ".jpg",
    "ホットドッグ.jpg",
    "line\nbreak.jpg",
)

LABELS = (
    "hotdog",
    "not_hotdog",
    "a_label_without_any_place_to_break" * 3,
    *(f"class {number}" for number in range(9)),
)


def row(number: int, status: Status) -> Row:
    failed = status == Status.FAILED
    label = LABELS[number % len(LABELS)]
    score = 0.5 + number / 100
    return Row(
        uri=f"file:///pictures/{number}/{NAMES[number % len(NAMES)]}",
        etag="",
        version_id=None,
        size_bytes=10_000,
        width=None if failed else 160,
        height=None if failed else 120,
        format=None if failed else "JPEG",
        label=None if failed else label,
        score=None if failed else score,
        top=None if failed else ((label, score),),
        status=status,
        error_code="corrupt" if failed else None,
        error_message=f"damaged {'x' * 150}" if failed else None,
        model="hotdog",
        model_digest="0123456789abcdef" * 4,
        engine="litert",
        classified_at=datetime(2026, 11, 23, 16, 3, tzinfo=UTC),
    )


def drift(rows: list[Row]) -> object:
    """Return what a summary states of rows whose pictures are of another quality than before."""
    before = [replace(row(number, Status.OK), jpeg_quality=90) for number in range(300)]
    return judge(fingerprint_rows(rows), {"20261122": fingerprint_rows(before)}, None).as_json()


def correction(picture: Row) -> Correction:
    assert picture.label is not None
    right = LABELS[2] if picture.label == LABELS[0] else LABELS[0]
    return Correction(
        picture.uri, picture.etag, right, picture.label, picture.model_digest, "ana", STARTED
    )


def fetch(ref: ImageRef) -> bytes:
    number = int(ref.uri.split("/")[4])
    if number % 7 == 0:
        raise PictureError(ErrorCode.NOT_FOUND, "the file was deleted after it was listed")
    stream = BytesIO()
    size = (160, 120) if number % 2 else (120, 160)
    draw_picture("hotdog_plain", number, size).save(stream, "JPEG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write a page that has every kind of content and return its URL."""
    rows = [
        replace(row(number, Status.OK), jpeg_quality=20, novelty=number / 20)
        for number in range(40)
    ]
    rows += [row(40, Status.UNSURE), row(41, Status.FAILED), row(42, Status.FAILED)]
    summary = {
        "run_id": "20261123T160300Z-ab12cd",
        "started_at": format_utc(STARTED),
        "drift": drift(rows),
        "seconds": 3.2,
        "pictures_per_second": 240.0,
        "rows": len(rows),
        "model": {"name": "hotdog", "digest": "0123456789abcdef" * 4, "labels": ["hotdog"]},
        "output": "s3://labels",
        "options": {"a_long_name_of_an_option" * 5: "a" * 200},
    }
    file: Path = tmp_path_factory.mktemp("report") / "report page.html"
    said = {each.key: each for each in map(correction, rows[:6])}
    lines = [
        (label, "12 [9, 14]", "91.2% [80.1%, 97.0%]", "88.0% [70.2%, 95.9%]") for label in LABELS
    ]
    text = make_report(summary, rows, fetch, said, Audited("The audit of 2026-11-23.", lines))
    assert all(f'id="{section}"' in text for section in ("changes", "audit", "corrections"))
    assert "3.2 s<" in text
    file.write_text(text, encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_page_has_no_errors_and_fits(
    browser: "Browser", page: str, width: int, theme: str
) -> None:
    """There is no console message and no request but the page itself.

    Nothing overflows, except tables, which scroll in a box of their own.
    """
    browser.open(page, width, theme=theme)

    assert [] == browser.console()
    assert [page] == browser.requests()
    assert width == browser.evaluate("document.documentElement.scrollWidth")
    assert [] == browser.evaluate(
        "[...document.querySelectorAll('main *, header *')]"
        ".filter(e => !e.closest('.scroll > *')).filter(e =>"
        f" e.getBoundingClientRect().right > {width} + .5).map(e => e.outerHTML.slice(0, 80))"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_accessible(browser: "Browser", page: str, width: int, theme: str) -> None:
    """Axe finds nothing wrong."""
    browser.open(page, width, theme=theme)

    assert [] == violations(browser)


def test_the_headline_is_the_first_heading(browser: "Browser", page: str) -> None:
    """The page has exactly one h1, which begins with the number of pictures."""
    browser.open(page)

    headings = browser.evaluate("[...document.querySelectorAll('h1')].map(e => e.innerText)")
    assert ["43 pictures"] == [heading.partition(":")[0] for heading in headings]


def test_every_picture_is_shown_and_described(browser: "Browser", page: str) -> None:
    """Each thumbnail decodes in the browser and has a text; a missing one has its reason."""
    browser.open(page, height=20_000)

    pictures = browser.evaluate(
        "[...document.images].map(i => [i.complete && i.naturalWidth > 0, i.alt.length > 0])"
    )
    assert len(pictures) > 30
    assert {(True, True)} == {tuple(picture) for picture in pictures}
    assert "not_found" in browser.evaluate("document.querySelector('.missing').innerText")


def test_untrusted_names_are_shown_as_text(browser: "Browser", page: str) -> None:
    """Markup in a name is shown as text and a line break as an escape."""
    browser.open(page)

    names = set(browser.evaluate("[...document.querySelectorAll('.file')].map(e => e.textContent)"))
    assert {"<b>bold & 'quoted'.jpg", "line\\nbreak.jpg", "ホットドッグ.jpg"} <= names


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_enough_contrast(browser: "Browser", page: str, theme: str) -> None:
    """The contrast between text and background is at least 4.5 to 1 (WCAG 2.2, AA)."""
    browser.open(page, theme=theme)

    low = browser.driver.execute_script(CONTRAST)
    assert [] == low


def test_the_first_tab_stop_skips_to_the_results(browser: "Browser", page: str) -> None:
    """The first press of the tab key reaches a link that skips to the results."""
    browser.open(page)
    browser.driver.switch_to.active_element.send_keys("\ue004")

    assert "#main" == browser.evaluate("document.activeElement.getAttribute('href')")


CONTRAST = """
// color-mix() gives `color(srgb r g b)` with parts of 1, all else parts of 255.
const channel = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
const light = c => { const whole = c.startsWith('color(') ? 1 : 255;
                     const [r, g, b] = c.match(/[\\d.]+/g).map(v => channel(v / whole));
                     return .2126 * r + .7152 * g + .0722 * b; };
const behind = e => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$/.test(c)) return c; } return 'rgb(255,255,255)'; };
const low = new Set();
for (const e of document.querySelectorAll('body *')) {
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  if (!own || e.closest('svg') || e.closest('.skip')) continue;
  const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
  const ratio = (a + .05) / (b + .05);
  if (ratio < 4.5) low.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
}
return [...low];
"""
