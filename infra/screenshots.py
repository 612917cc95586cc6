"""Takes the README's pictures of the report and of the page, with Chromium: `make screenshots`.

The report is the newest of `make demo`; the page is that of `seefood serve`, after a drawn photo.
"""

import json
import re
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from PIL import Image
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from seefood.synthetic import draw_picture

ROOT: Final = Path(__file__).resolve().parents[1]
IMAGES: Final = ROOT / "docs" / "images"
_CHROMIUM, _DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
_FLAGS: Final = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
_WAIT_SECONDS: Final = 60.0
_COLORS: Final = 128


def main() -> None:
    """Write both pictures. Exits with a sentence if the demo has not run."""
    reports = sorted((ROOT / "demo-output" / "runs").glob("*/report.html"))
    if not reports:
        sys.exit("there is no report in demo-output/runs; run `make demo` first")
    with _chromium() as browser, TemporaryDirectory() as folder:
        _open(browser, reports[-1].as_uri(), 1200, 900)
        _save(browser, "report.png", width=640)
        photo = Path(folder) / "lunch.jpg"
        draw_picture("hotdog_mustard", 3, (480, 640)).save(photo)
        with _serve() as url:
            _open(browser, url, 390, 844)
            browser.find_element(By.ID, "file").send_keys(str(photo))
            _wait(browser, "/hot ?dog/i.test(document.querySelector('main, body').innerText)")
            time.sleep(2)  # the verdict's animation
            _save(browser, "page.png", width=320)


@contextmanager
def _chromium() -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = _CHROMIUM
    for flag in _FLAGS:
        options.add_argument(flag)
    driver = Chrome(options=options, service=Service(_DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def _serve() -> Iterator[str]:
    command = [sys.executable, "-m", "seefood", "serve", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None  # noqa: S101 (PIPE above)
    url = None
    while url is None and (line := process.stderr.readline()):
        url = re.search(r"http://(?:localhost|127\.0\.0\.1)\S*", line)
    try:
        if url is None:
            sys.exit("`seefood serve` did not start")
        yield url[0]
    finally:
        process.terminate()
        process.communicate()


def _open(browser: Chrome, url: str, width: int, height: int) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(url)


def _wait(browser: Chrome, condition: str) -> None:
    ends = time.monotonic() + _WAIT_SECONDS
    while not browser.execute_script(f"return {condition}"):
        if time.monotonic() > ends:
            sys.exit(f"the page did not become {json.dumps(condition)}")
        time.sleep(0.1)


def _save(browser: Chrome, name: str, *, width: int) -> None:
    """Write a small PNG of what the window shows."""
    image = Image.open(BytesIO(b64decode(browser.get_screenshot_as_base64()))).convert("RGB")
    image = image.resize(
        (width, round(image.height * width / image.width)), Image.Resampling.LANCZOS
    )
    IMAGES.mkdir(exist_ok=True)
    image.quantize(_COLORS).save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    main()
