"""Every state of the upload page, in every size and theme: nothing overlaps, moves or is pale."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import Browser
from tests.browser.serving import served
from tests.browser.upload_states import choose, make_files, measure, shown, wait_for, walk

pytestmark = pytest.mark.browser

_MAX_SHIFT = 0.05
_STATES = {
    *("start", "no camera", "camera", "scanning", "yes", "map", "no", "unsure"),
    *("not a photo", "empty", "cut off", "too large", "offline"),
}


@pytest.fixture(scope="module")
def address(bundle_path: Path) -> Iterator[str]:
    """Serve the page and return its URL."""
    with served(bundle_path) as url:
        yield url


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pictures with each verdict and files with each error."""
    return make_files(tmp_path_factory.mktemp("photos"))


@pytest.mark.parametrize(
    ("width", "height"), [(390, 844), (390, 664), (844, 390), (1366, 768), (1920, 1080)]
)
def test_every_state_is_whole_legible_and_still(
    browser: Browser, address: str, files: dict[str, Path], width: int, height: int
) -> None:
    """In light and dark; the layout shift is the CLS of the whole visit."""
    browser.open(address, width, height)
    wrong, states, shift = {}, set(), 0.0
    for name in walk(browser, files):
        states.add(name)
        for theme in ("dark", "light"):
            browser.driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia",
                {"features": [{"name": "prefers-color-scheme", "value": theme}]},
            )
            found = measure(browser)
            shift = found.pop("shift")
            if any(found.values()):
                wrong[name, theme] = found

    assert {} == wrong
    assert _STATES == states
    assert shift < _MAX_SHIFT


def test_it_speaks_portuguese(browser: Browser, address: str, files: dict[str, Path]) -> None:
    """By the browser's language, the verdict too."""
    agent = browser.evaluate("navigator.userAgent")
    override = "Emulation.setUserAgentOverride"
    browser.driver.execute_cdp_cmd(override, {"userAgent": agent, "acceptLanguage": "pt-BR"})
    try:
        browser.open(address, 390, 844)
        assert "pt" == browser.evaluate("document.documentElement.lang")
        choose(browser, files["no"])
        wait_for(browser, shown("banner"))
        word = browser.evaluate("document.querySelector('#banner .word').textContent")
    finally:
        browser.driver.execute_cdp_cmd(override, {"userAgent": agent, "acceptLanguage": "en-US"})

    assert "Não é cachorro-quente" == word


def test_it_can_be_installed_and_starts_offline(browser: Browser, address: str) -> None:
    """The browser finds nothing that is missing; without a network the page still opens."""
    browser.open(address, 390, 844)
    browser.driver.execute_async_script(
        "navigator.serviceWorker.ready.then(arguments[arguments.length - 1])"
    )
    errors = browser.driver.execute_cdp_cmd("Page.getInstallabilityErrors", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    try:
        browser.driver.refresh()
        assert browser.evaluate(shown("touch"))
    finally:
        online = {**offline, "offline": False}
        browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", online)

    assert [] == errors["installabilityErrors"]
