"""Rules of the upload page in a real browser, with a real `seefood serve`."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from seefood.synthetic import draw_picture
from tests.browser.axe import violations
from tests.browser.conftest import Browser
from tests.browser.serving import served
from tests.browser.upload_states import choose, shown, wait_for
from tests.pictures import noise

pytestmark = pytest.mark.browser

SIZES = pytest.mark.parametrize(
    ("width", "height", "theme"), [(390, 844, "light"), (1366, 768, "dark")]
)


@pytest.fixture(scope="module")
def address(bundle_path: Path) -> Iterator[str]:
    """Serve the page and return its URL."""
    with served(bundle_path) as url:
        yield url


def picture(folder: Path, kind: str) -> Path:
    """Write a drawn picture and return its path."""
    path = folder / f"{kind}.jpg"
    draw_picture(kind, 3, (480, 360)).save(path)
    return path


@SIZES
def test_the_page_is_accessible(
    browser: Browser, address: str, tmp_path: Path, width: int, height: int, theme: str
) -> None:
    """Axe finds nothing wrong, before and after a photo."""
    browser.open(address, width, height, theme)
    assert [] == violations(browser)
    choose(browser, picture(tmp_path, "hotdog_mustard"))
    wait_for(browser, shown("banner"))
    assert [] == violations(browser)


@SIZES
@pytest.mark.parametrize(
    ("kind", "word", "tone"), [("hotdog_mustard", "Hotdog", "yes"), ("house", "Not hotdog", "no")]
)
def test_a_photo_gets_its_label(  # noqa: PLR0917 (fixtures)
    browser: Browser,
    address: str,
    tmp_path: Path,
    width: int,
    height: int,
    theme: str,
    kind: str,
    word: str,
    tone: str,
) -> None:
    """The banner has the photo's full width and shows label and probability; nothing overflows."""
    browser.open(address, width, height, theme)
    choose(browser, picture(tmp_path, kind))
    wait_for(browser, shown("banner"))

    text = browser.evaluate("document.querySelector('#banner .word').textContent")
    assert word == text.rstrip("?")
    assert tone == browser.evaluate("document.getElementById('banner').classList[0]")
    assert browser.evaluate(
        r"/\d+\.\d %/.test(document.querySelector('#banner .share').textContent)"
    )
    stage = "document.getElementById('stage').getBoundingClientRect().width"
    banner = "document.getElementById('banner').getBoundingClientRect().width"
    assert browser.evaluate(stage) == pytest.approx(browser.evaluate(banner), abs=1)
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert browser.evaluate("document.documentElement.scrollHeight <= innerHeight + 1")
    assert [] == browser.console()
    assert {address.rstrip("/")} == {
        re.sub(r"^blob:", "", url)[: len(address) - 1] for url in browser.requests()
    }


@SIZES
def test_the_heat_map_is_shown_and_hidden_on_request(
    browser: Browser, address: str, tmp_path: Path, width: int, height: int, theme: str
) -> None:
    """The button covers the photo with the heat map; pressing it again hides the map."""
    browser.open(address, width, height, theme)
    choose(browser, picture(tmp_path, "hotdog_mustard"))
    wait_for(browser, shown("look"))
    look = browser.driver.find_element(By.ID, "look")

    look.click()
    wait_for(browser, shown("heat"))
    photo, heat = (
        browser.evaluate(f"(r => [r.x, r.y, r.width, r.height])({name}.getBoundingClientRect())")
        for name in ("document.getElementById('photo')", "document.getElementById('heat')")
    )
    assert photo == pytest.approx(heat, abs=1)
    assert "true" == look.get_attribute("aria-pressed")
    look.click()
    assert not browser.evaluate(shown("heat"))
    assert [] == browser.console()


def test_a_file_that_is_not_a_photo_is_explained(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    """The page shows a sentence and a button that leads back to the start."""
    file = tmp_path / "letter.txt"
    file.write_text("Dear Sir or Madam")
    browser.open(address, 390, 844)
    choose(browser, file)
    wait_for(browser, shown("trouble"))

    text = browser.evaluate("document.getElementById('trouble').textContent")
    assert text.startswith("This is not a photo.")
    assert not browser.evaluate(shown("banner"))
    browser.driver.find_element(By.ID, "again").click()
    assert browser.evaluate(shown("start"))


def test_a_large_photo_is_reduced_before_the_upload(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    """A photo of 7.2 megapixels is sent as a JPEG of at most 2048 pixels a side."""
    file = tmp_path / "camera.jpg"
    small = noise(400, 500)
    Image.fromarray(np.kron(small, np.ones((6, 6, 1), np.uint8))).save(file, quality=100)
    assert file.stat().st_size > 4_000_000
    browser.open(address, 390, 844)
    choose(browser, file)
    wait_for(browser, shown("banner"))

    note = browser.evaluate("document.getElementById('note').textContent")
    assert re.match(r"2048 \S 1638 JPEG", note)
    assert [] == browser.console()


def test_a_dropped_photo_is_classified(browser: Browser, address: str) -> None:
    """A photo can be dropped anywhere on the page."""
    browser.open(address, 1366, 768)
    browser.driver.execute_async_script(
        """
        const done = arguments[arguments.length - 1];
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = 64;
        canvas.toBlob((blob) => {
          const files = new DataTransfer();
          files.items.add(new File([blob], "drawn.png", { type: "image/png" }));
          dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true }));
          done();
        });
        """
    )
    wait_for(browser, shown("banner"))

    note = browser.evaluate("document.getElementById('note').textContent")
    assert re.match(r"64 \S 64 PNG", note)


def test_keyboard_and_screen_reader_work(browser: Browser, address: str, tmp_path: Path) -> None:
    """Tab reaches the file inputs, and a status element has the label for screen readers."""
    browser.open(address, 1366, 768)
    reached = "document.activeElement.id"
    names = []
    for _ in range(3):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        names.append(browser.evaluate(reached))
    assert "file" in names

    choose(browser, picture(tmp_path, "house"))
    wait_for(browser, shown("banner"))
    assert "status" == browser.evaluate("document.getElementById('spoken').getAttribute('role')")
    assert browser.evaluate("document.getElementById('spoken').textContent").startswith(
        "Not hotdog"
    )
