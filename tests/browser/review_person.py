"""A scripted person who answers pictures in Chromium while the server is killed under them."""

import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any, Final

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains

from seefood.corrections import read_corrections
from seefood.corrections.log import list_corrections
from seefood.storage import open_store
from seefood.storage.uris import FILE_ROOT, parse_location
from tests.browser.conftest import Browser
from tests.fakes import make_row
from tests.pictures import jpeg
from tests.seefood.results.test_output_rows import put_part

_IS_SHOWN: Final = "document.getElementById('empty').hidden && document.body.ariaBusy !== 'true'"


@dataclass
class ReviewServer:
    """`seefood review` in a process of its own, which a test can kill."""

    output: Path
    port: int = 0
    process: "subprocess.Popen[str] | None" = None
    address: str = ""
    more: tuple[str, ...] = ()

    def start(self) -> str:
        """Start it, on the port that it had before, and return the page's address."""
        command = [sys.executable, "-m", "seefood", "review", str(self.output), *self.more]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)], stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        found = re.search(r"http://[^/]+:(\d+)/\S+/", line)
        assert found is not None, line
        self.address, self.port = found[0], int(found[1])
        return self.address

    def kill(self) -> None:
        """End it as a power cut does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.communicate()
            self.process = None


@dataclass
class Person:
    """Presses keys, and remembers what it said about which picture."""

    browser: Browser
    said: dict[str, str] = field(default_factory=dict)

    def press(self, key: str) -> None:
        """Press a key."""
        ActionChains(self.browser.driver).send_keys(key).perform()

    def wait(self, condition: str, seconds: float = 60.0) -> Any:
        """Wait until a JavaScript expression is true, and return its value."""
        ends = time.monotonic() + seconds
        while True:
            try:
                if value := self.browser.evaluate(condition):
                    return value
            except WebDriverException:
                if time.monotonic() > ends:
                    raise
            if time.monotonic() > ends:
                page = self.browser.evaluate("document.body.innerText")
                pytest.fail(f"{condition} never became true on: {page}")
            time.sleep(0.01)

    def see(self) -> str:
        """Wait for a picture and return its name."""
        return str(self.wait(f"{_IS_SHOWN} && document.getElementById('photo').alt"))

    def say(self, labels: list[str]) -> str:
        """Choose a label by its digit; return the name of the picture."""
        name = self.see()
        assert name not in self.said, f"{name} is asked twice"
        digit = random.randrange(len(labels))
        self.said[name] = labels[digit]
        self.press(str(digit + 1))
        return name

    def answer(self, labels: list[str]) -> None:
        """Choose a label; return when the next picture is shown, or the end."""
        name = self.say(labels)
        self.wait(
            f"document.getElementById('photo').alt !== {name!r} || "
            "!document.getElementById('empty').hidden"
        )


def lay_out(folder: Path, pictures: int) -> Path:
    """Make pictures of one colour and rows that call them red; return the output."""
    rows = []
    for number in range(pictures):
        path = folder / "in" / f"{number:04}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(jpeg((number % 256, 99, 255 - number % 256)))
        (ref,) = open_store(FILE_ROOT).list(str(path))
        rows.append(make_row(ref.uri, etag=ref.etag, score=0.5 + number / 10000))
    put_part(str(folder / "out"), "a", *rows)
    return folder / "out"


def answer_all(
    browser: Browser, server: ReviewServer, pictures: int, deaths: set[int]
) -> dict[str, str]:
    """Answer all pictures; return what was said.

    The server is killed during the answers that follow as many as `deaths` names.
    """
    person = Person(browser)
    labels = ["green", "red"]
    browser.open(server.start())
    while len(person.said) < pictures:
        if len(person.said) in deaths:
            person.see()
            timer = Timer(random.random() / 20, server.kill)
            timer.start()
            person.say(labels)
            timer.join()
            browser.open(server.start())
        else:
            person.answer(labels)
    person.wait("!document.getElementById('empty').hidden")
    return person.said


def check_nothing_is_lost(output: Path, said: dict[str, str]) -> None:
    """Assert that the corrections are what was said: none lost, none twice."""
    location = parse_location(str(output))
    found = {
        each.uri.rpartition("/")[2]: each.label for each in read_corrections(location).values()
    }
    assert said == found
    assert len(said) == len(list_corrections(location))
