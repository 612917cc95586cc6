"""Rules of the review page in a real browser, with a real `seefood review`."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from seefood.corrections import Correction, CorrectionLog, read_corrections
from seefood.corrections.log import list_corrections
from seefood.records import utc_now
from seefood.results.files import read_rows
from seefood.storage import open_store
from seefood.storage.uris import FILE_ROOT, parse_location
from tests.browser.axe import violations
from tests.browser.conftest import Browser
from tests.browser.review_person import (
    Person,
    ReviewServer,
    answer_all,
    check_nothing_is_lost,
    lay_out,
)
from tests.fakes import make_row
from tests.seefood.results.test_output_rows import put_part

pytestmark = pytest.mark.browser
_MORE = ("--labels", "green", "--reviewer", "ada")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ReviewServer]:
    """Return a server over 14 pictures, not yet started."""
    server = ReviewServer(lay_out(tmp_path, 14), more=_MORE)
    yield server
    server.kill()


def _said(server: ReviewServer) -> dict[str, str | None]:
    found = read_corrections(parse_location(str(server.output)))
    return {each.uri.rpartition("/")[2][:4]: each.label for each in found.values()}


def test_nothing_answered_is_lost(browser: Browser, server: ReviewServer) -> None:
    """The server is killed in the middle of answers: each is there once, none is asked twice.

    The last answer is one of them: the page that is opened then says that all have one.
    """
    said = answer_all(browser, server, 14, {random.randrange(1, 13), 13})
    check_nothing_is_lost(server.output, said)


@pytest.mark.parametrize(("width", "height", "theme"), [(390, 844, "dark"), (1366, 768, "light")])
def test_every_key_does_what_it_says(
    browser: Browser, server: ReviewServer, width: int, height: int, theme: str
) -> None:
    """Agree, choose, type, take back, move, and many at once; nothing is loaded from elsewhere."""
    address = server.start()
    browser.open(address, width, height, theme)
    person = Person(browser)

    def at(name: str) -> None:
        person.wait(f"document.getElementById('photo').alt === '{name}.jpg'")

    at("0000")
    person.press(Keys.ENTER)
    at("0001")
    person.press("1")
    at("0002")
    person.press("l")
    person.press(f"mauve{Keys.ENTER}")
    at("0003")
    person.wait("document.getElementById('choices').textContent.includes('mauve')")
    assert {"0000": "red", "0001": "green", "0002": "mauve"} == _said(server)
    person.press("u")
    at("0002")
    assert {"0000": "red", "0001": "green"} == _said(server)
    person.press(Keys.ARROW_RIGHT)
    at("0003")
    person.press("g")
    person.wait("document.querySelectorAll('.cell').length === 14")
    cells = browser.driver.find_elements(By.CLASS_NAME, "cell")
    cells[3].click()
    ActionChains(browser.driver).key_down(Keys.SHIFT).click(cells[5]).key_up(Keys.SHIFT).perform()
    person.press("1")
    person.wait("document.querySelectorAll('.cell.said').length === 5")
    answered = {"0000": "red", **dict.fromkeys(("0001", "0003", "0004", "0005"), "green")}
    assert answered == _said(server)
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [] == browser.console()
    assert all(url.startswith(address) for url in browser.requests())


def test_the_page_is_accessible(browser: Browser, server: ReviewServer) -> None:
    """Axe finds nothing wrong with a picture, and with the grid behind the filters."""
    address = server.start()
    person = Person(browser)
    for width, theme in ((390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")):
        browser.open(address, width, theme=theme)
        person.see()
        assert [] == violations(browser), (width, theme)
        person.press("g")
        person.wait("document.querySelectorAll('.cell').length === 14")
        person.press("/")
        person.wait("!document.getElementById('filter').hidden")
        assert [] == violations(browser), (width, theme, "grid")


def test_a_picture_may_have_several_labels(browser: Browser, server: ReviewServer) -> None:
    """A digit puts a label to the set or takes it away, Enter saves, U takes the set back."""
    rows = [
        replace(row, labels=("red",) if "000" in row.uri else ("red", "blue"))
        for row in read_rows(parse_location(str(server.output)))
    ]
    put_part(str(server.output), "a", *rows)  # in their place
    browser.open(server.start())
    person = Person(browser)
    person.see()
    person.wait("document.getElementById('agree').textContent.startsWith('Save')")
    person.wait("document.querySelectorAll('#choices .now').length === 1")
    first = browser.evaluate("document.getElementById('photo').alt")[:4]
    person.wait("labels.length === 3 && !state.loading")
    digits = browser.evaluate("labels.join()").split(",")
    assert {"red", "green", "blue"} == set(digits)
    person.press(str(digits.index("green") + 1))
    person.wait("document.querySelectorAll('#choices .now').length === 2")
    assert {} == _sets(server)
    person.press(Keys.ENTER)
    person.wait(f"document.getElementById('photo').alt !== '{first}.jpg'")
    assert {first: {"red", "green"}} == _sets(server)
    person.press("u")
    person.wait(f"document.getElementById('photo').alt === '{first}.jpg'")
    assert {} == _sets(server)
    person.wait("document.querySelectorAll('#choices .now').length === 1")
    person.press(str(digits.index("red") + 1))
    person.press(Keys.ENTER)
    person.wait(f"document.getElementById('photo').alt !== '{first}.jpg'")
    assert {first: set()} == _sets(server)
    person.press("g")
    person.wait("document.querySelectorAll('.cell').length === 14")
    person.press("a")
    person.press(str(digits.index("green") + 1))
    person.wait("document.querySelectorAll('.cell.said').length === 14")
    assert all("green" in labels for labels in _sets(server).values())
    assert {"green"} == _sets(server)[first]
    assert [] == browser.console()


def _sets(server: ReviewServer) -> dict[str, set[str]]:
    found = read_corrections(parse_location(str(server.output)))
    return {each.uri.rpartition("/")[2][:4]: set(each.names) for each in found.values()}


def test_two_people_see_each_other(browser: Browser, server: ReviewServer) -> None:
    """What another person says appears on the open page, and is not asked again."""
    browser.open(server.start())
    person = Person(browser)
    person.wait("document.getElementById('photo').alt === '0000.jpg'")
    log = CorrectionLog(parse_location(str(server.output)))
    uri, etag = browser.evaluate("[cards.get(1).uri, cards.get(1).etag]")
    log.append([Correction(uri, etag, "green", "red", None, "bob", utc_now())])
    person.wait("document.getElementById('count').textContent.includes('1 answered')")
    person.press(Keys.ENTER)
    person.wait("document.getElementById('photo').alt === '0002.jpg'")
    person.press(Keys.ARROW_LEFT)
    person.wait("document.getElementById('verdict').textContent.includes('bob said green')")


def test_one_key_settles_a_group_of_copies(browser: Browser, server: ReviewServer) -> None:
    """D shows the copies; an answer counts for all of a group, and U takes all of them back."""
    folder = server.output.parent / "in"
    original = (folder / "0003.jpg").read_bytes()
    rows = []
    for name in ("copy", "other"):
        path = folder / f"{name}.jpg"
        path.write_bytes(original)
        (ref,) = open_store(FILE_ROOT).list(str(path))
        rows.append(make_row(ref.uri, etag=ref.etag))
    put_part(str(server.output), "b", *rows)
    browser.open(server.start())
    person = Person(browser)
    person.see()
    person.press("d")
    person.wait("document.getElementById('verdict').textContent.includes('counts for 3 copies')")
    person.wait("document.querySelectorAll('#near img').length === 2")
    person.press("1")
    person.wait("document.getElementById('count').textContent.includes('1 answered')")
    assert {"0003": "green", "copy": "green", "othe": "green"} == _said(server)
    person.press("u")
    person.wait("document.getElementById('verdict').textContent.includes('counts for 3 copies')")
    assert {} == _said(server)
    assert [] == browser.console()


def test_an_answer_waits_for_the_network(browser: Browser, server: ReviewServer) -> None:
    """Offline the page says so and keeps the picture; back online the answer is saved, once."""
    browser.open(server.start())
    person = Person(browser)
    person.see()
    _set_offline(browser, is_offline=True)
    person.press("1")
    person.wait("document.getElementById('trouble').textContent.includes('Not saved yet')")
    assert "0000.jpg" == browser.evaluate("document.getElementById('photo').alt")
    assert {} == _said(server)
    _set_offline(browser, is_offline=False)
    person.wait("document.getElementById('photo').alt === '0001.jpg'")
    assert {"0000": "green"} == _said(server)
    assert 1 == len(list_corrections(parse_location(str(server.output))))


def _set_offline(browser: Browser, *, is_offline: bool) -> None:
    conditions = {"offline": is_offline, "latency": 0}
    conditions |= {"downloadThroughput": -1, "uploadThroughput": -1}
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)
