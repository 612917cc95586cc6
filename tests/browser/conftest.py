"""Runs Debian's Chromium without a window and reports what a page does."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
# These turn off requests that the browser makes by itself.
QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",  # a camera, which a page has to ask for
)


@dataclass(frozen=True)
class Browser:
    """A running browser."""

    driver: Chrome

    def open(self, url: str, width: int = 1280, height: int = 900, theme: str = "light") -> None:
        """Open a page in a window of this size and discard the logs of the page before."""
        self.driver.get("about:blank")
        self._log("browser")
        self._log("performance")
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": theme}]},
        )
        self.driver.get(url)

    def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression on the page."""
        return self.driver.execute_script(f"return {script}")

    def console(self) -> list[str]:
        """Return what the page wrote to the console since it was opened."""
        return self._log("browser")

    def requests(self) -> list[str]:
        """Return the URLs that the page requested since it was opened, without data URIs."""
        events = [json.loads(message)["message"] for message in self._log("performance")]
        urls = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in urls if not url.startswith(("data:", "about:"))]

    def _log(self, kind: str) -> list[str]:
        entries = self.driver.get_log(kind)  # type: ignore[no-untyped-call]  # (selenium's gap)
        return [str(entry["message"]) for entry in entries]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium once per session; skip the tests if it is not installed."""
    # `make test` on a fresh clone needs only Python, make and git. CI installs Chromium and fails
    # if any test is skipped.
    missing = [str(file) for file in (CHROMIUM, DRIVER) if not file.exists()]
    if missing:
        pytest.skip(f"BROWSER TESTS SKIPPED: {', '.join(missing)} is not installed")
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in QUIET:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(str(DRIVER)))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
