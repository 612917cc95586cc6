"""Brings the upload page into each of its states, and measures what a state looks like."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from PIL import Image
from selenium.webdriver.common.by import By

from seefood.synthetic import draw_picture
from tests.browser.conftest import Browser

_SIZE: Final = (480, 360)
_MEASURE: Final = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")


def make_files(folder: Path) -> dict[str, Path]:
    """Write pictures with each verdict, and files with each error; return their paths."""
    hotdog, house = (draw_picture(kind, 3, _SIZE) for kind in ("hotdog_mustard", "house"))
    pictures = {"yes": hotdog, "no": house, "unsure": Image.blend(hotdog, house, 0.58)}
    files = {name: folder / f"{name}.png" for name in pictures}
    for name, picture in pictures.items():
        picture.save(files[name])
    contents = {
        "not a photo": b"Dear Sir or Madam",
        "empty": b"",
        "cut off": _jpeg(folder, hotdog)[:4000],
        "too large": b"\0" * 4_300_000,
    }
    for name, data in contents.items():
        files[name] = folder / f"{name}.jpg"
        files[name].write_bytes(data)
    return files


def _jpeg(folder: Path, picture: Image.Image) -> bytes:
    path = folder / "whole.jpg"
    picture.save(path)
    return path.read_bytes()


def wait_for(browser: Browser, condition: str) -> None:
    """Wait until a JavaScript expression is true."""
    ends = time.monotonic() + 60
    while not browser.evaluate(condition):
        assert time.monotonic() < ends, f"{condition} never became true"
        time.sleep(0.05)


def shown(name: str) -> str:
    """Return the expression that says whether an element is shown."""
    return f"document.getElementById('{name}').checkVisibility()"


def choose(browser: Browser, file: Path) -> None:
    """Choose a photo with the page's file input."""
    browser.driver.find_element(By.ID, "file").send_keys(str(file))


def click(browser: Browser, name: str) -> None:
    """Click an element."""
    browser.driver.find_element(By.ID, name).click()


def walk(browser: Browser, files: dict[str, Path]) -> Iterator[str]:
    """Yield the name of each state when the open page is in it; leaves the page at its start."""
    yield "start"
    _permit_camera(browser, "denied")
    click(browser, "touch")
    wait_for(browser, "document.getElementById('start-trouble').textContent")
    yield "no camera"
    _permit_camera(browser, "granted")
    click(browser, "touch")
    wait_for(browser, "document.getElementById('video').videoWidth > 0")
    yield "camera"
    browser.driver.back()
    wait_for(browser, shown("start"))
    click(browser, "touch")
    wait_for(browser, shown("live"))  # the shutter is there, and the video has a frame
    wait_for(browser, "document.getElementById('video').readyState >= 2")
    click(browser, "shutter")
    wait_for(browser, shown("banner"))
    click(browser, "again")
    _connect(browser, latency=2500)
    choose(browser, files["yes"])
    wait_for(browser, shown("beat"))
    yield "scanning"
    _connect(browser)
    for name in ("yes", "no", "unsure"):
        if name != "yes":
            choose(browser, files[name])
        wait_for(browser, shown("banner"))
        yield name
        if name == "yes":
            click(browser, "look")
            wait_for(browser, shown("heat"))
            yield "map"
        click(browser, "again")
    for name in ("not a photo", "empty", "cut off", "too large"):
        choose(browser, files[name])
        wait_for(browser, shown("trouble"))
        yield name
        click(browser, "again")
    _connect(browser, offline=True)
    choose(browser, files["yes"])
    wait_for(browser, shown("trouble"))
    yield "offline"
    _connect(browser)
    click(browser, "retry")
    wait_for(browser, shown("banner"))
    browser.driver.back()
    wait_for(browser, shown("start"))


def measure(browser: Browser) -> dict[str, Any]:
    """Return what is wrong with what the page shows now.

    `overlaps`: pairs of elements that cover each other; `outside`: what is not in the window;
    `contrasts`: texts with a contrast below 4.5; `shift`: the cumulative layout shift (CLS).
    """
    found: dict[str, Any] = browser.driver.execute_async_script(_MEASURE)
    return found


def _permit_camera(browser: Browser, setting: str) -> None:
    permission = {"permission": {"name": "camera"}, "setting": setting}
    browser.driver.execute_cdp_cmd("Browser.setPermission", permission)


def _connect(browser: Browser, *, latency: int = 0, offline: bool = False) -> None:
    conditions = {"downloadThroughput": -1, "uploadThroughput": -1}
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": offline, "latency": latency, **conditions},
    )
