"""Rules of the explanation page, opened from disk in a real browser."""

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from seefood.bundle import built_in_bundle_path, load_bundle
from seefood.explain.page import LANGUAGES, Picture, explain_picture
from seefood.synthetic import draw_picture
from tests.browser.axe import violations

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.conftest import Browser

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=LANGUAGES)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    bundle = load_bundle(built_in_bundle_path("hotdog-lite"))  # a third of the time
    stream = BytesIO()
    draw_picture("hotdog_ketchup", 7, (320, 240)).save(stream, "JPEG")
    picture = Picture("lunch.jpg", stream.getvalue())
    page = explain_picture(picture, bundle, language=request.param)
    path: Path = tmp_path_factory.mktemp("explain") / "page.html"
    path.write_text(page)
    return path.as_uri()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_page_has_no_errors_and_fits(browser: "Browser", url: str, width: int, theme: str) -> None:
    """There is no console message, no request but the page's own, and no horizontal scrolling."""
    browser.open(url, width=width, theme=theme)
    assert browser.console() == []
    assert browser.requests() == [url]
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (1280, "dark")])
def test_the_page_is_accessible(browser: "Browser", url: str, width: int, theme: str) -> None:
    """Axe finds nothing wrong, with every layer open."""
    browser.open(url, width=width, theme=theme)
    browser.driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = 1)")
    assert [] == violations(browser)


def test_every_picture_has_an_alternative_text(browser: "Browser", url: str) -> None:
    """Every image and plot has a text for readers who cannot see it."""
    browser.open(url)
    shown = "[...document.querySelectorAll('img, svg:not([aria-hidden])')]"
    assert browser.evaluate(f"{shown}.filter(e => !(e.alt || e.ariaLabel)).length") == 0
    assert browser.evaluate("document.querySelectorAll('img').length") > 40


def test_calculator_follows_the_formula(browser: "Browser", url: str) -> None:
    """The calculator shows 28 for 5 x 5 over 32 x 32, and 14 once the stride is 2."""
    browser.open(url)
    result = "document.getElementById('calc-result').textContent"
    assert browser.evaluate(result).endswith("= 28")
    browser.driver.execute_script(
        "const s = document.getElementById('calc-s'); s.value = 2;"
        "s.dispatchEvent(new Event('input'))"
    )
    assert browser.evaluate(result).endswith("= 14")


def test_stepper_shows_the_sum_of_its_window(browser: "Browser", url: str) -> None:
    """The keyboard moves the window, and the sum equals the cell of the feature map."""
    browser.open(url)
    slider = browser.driver.find_element("id", "step")
    slider.send_keys("\ue014" * 3)  # three times the right arrow
    assert browser.evaluate("document.getElementById('step').value") == "3"
    cell = browser.evaluate("document.querySelector('#sums td.on').textContent")
    total = browser.evaluate("document.getElementById('step-sum').textContent").rsplit("= ", 1)[1]
    assert float(cell) == pytest.approx(float(total), abs=0.006)
