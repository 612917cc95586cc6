"""Every command and snippet of the documentation is run, or stands in `not_run.py`."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import metadata
from pathlib import Path
from typing import Final

import duckdb
import pytest
from click.testing import CliRunner
from samtranslator.yaml_helper import yaml_parse

from seefood.bundle import default_bundle_path, load_bundle
from seefood.cli import cli
from seefood.synthetic import draw_picture
from tests.conftest import Bucket
from tests.docs.not_run import COMMANDS, SNIPPETS, Elsewhere
from tests.docs.pages import PAGES, ROOT, blocks, commands, outputs, without_numbers, words
from tests.pictures import encoded

_READ_AS: Final = {
    "seefood plan SOURCE …": "seefood plan photos",
    "seefood plan … --json > quote.json": "seefood plan photos --json",
    "seefood classify … --quote quote.json": (
        "seefood classify more --output results --quote quote.json"
    ),
    "seefood diff A B": "seefood diff results other",
    "seefood classify s3://photos/ --output s3://labels --model candidate": (
        "seefood classify s3://photos/ --output s3://labels --model hotdog-lite"
    ),
    "seefood explain IMAGE --output PAGE.html": (
        "seefood explain photos/hotdog.jpg --output hotdog.html"
    ),
}
"""Commands with placeholders, and what is run for them."""
_WORDS: Final = {
    "DEST": "results",
    "FOLDER": "sorted",
    "LABEL": "hotdog",
    "DIGEST": load_bundle(default_bundle_path()).digest,
}
_OPEN: Final = re.compile(r"http://localhost:(\d+)/")
_DONE: Final[set[str]] = set()
"""What this process has run: a command that several pages state runs once."""
_SERVERS: Final = ("serve", "review", "audit")
_UPLOAD: Final = json.dumps(
    {
        **dict.fromkeys(("uri", "etag", "label", "status", "error_code"), "any"),
        "score": 0.9,
        "classified_at": "2026-01-01T00:00:00Z",
    }
)
"""A row as the Lambda writes it, in the columns that documented queries read."""
_IN_S3: Final = "seefood classify s3://photos/2026/ --output s3://labels/2026"
"""Other pages look at its output, so it runs before all others."""


def _elsewhere(line: str) -> Elsewhere | None:
    return next((each for each in COMMANDS if re.fullmatch(each.pattern, line)), None)


def _run_here(page: str) -> list[str]:
    return [line for line in commands(page) if _elsewhere(line) is None]


_WITH_COMMANDS: Final = tuple(page for page in PAGES if _run_here(page))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with drawn pictures under all the names that pages use."""
    root = tmp_path_factory.mktemp("reader")
    hotdog = encoded(draw_picture("hotdog_mustard", 1, (200, 150)), "JPEG")
    house = encoded(draw_picture("house", 2, (200, 150)), "PNG")
    for name in ("photos/hotdog.jpg", "lunch.jpg", "one.jpg", "Pictures/a.jpg", "more/b.jpg"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(hotdog)
    (root / "photos" / "house.png").write_bytes(house)
    (root / "anim.gif").write_bytes(encoded(draw_picture("house", 3, (200, 150)), "GIF"))
    (root / "photos" / "broken.jpg").write_bytes(b"no picture")
    with zipfile.ZipFile(root / "photos.zip", "w") as archive:
        archive.writestr("img/1.jpg", hotdog)
    return root


@pytest.fixture
def place(folder: Path, s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder as the working one, with its pictures in `s3://photos` and two outputs."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SEEFOOD_PORT", "0")
    monkeypatch.setenv("SEEFOOD_DOCTOR_NO_ENGINES", "1")  # test_doctor.py loads them
    if not (folder / "results").exists():
        for name in ("photos", "labels", "bucket"):
            s3.client.create_bucket(Bucket=name)
        for file in (folder / "photos").iterdir():
            for key in (file.name, f"2026/{file.name}"):
                s3.client.put_object(Bucket="photos", Key=key, Body=file.read_bytes())
        s3.client.put_object(Bucket="bucket", Key="prefix/a.jpg", Body=b"no picture")
        for source, output in (("photos", "results"), ("s3://photos", "s3://labels")):
            _run(f"seefood classify {source} --output {output} --quiet --features")
        shutil.copytree("results", "other")
        _run_page([_IN_S3])
    return folder


def _run(line: str) -> str:
    """Run a command line of `seefood` in this process and return what it prints."""
    own, _, beam = line.partition(" -- ")
    arguments = [word.replace("~", os.environ["HOME"]) for word in words(own)[1:]]
    done = CliRunner().invoke(cli, arguments, obj=beam.split(), catch_exceptions=False)
    assert done.exit_code in (0, None), (line, done.exit_code, done.output)
    return done.output


def _without_choices(line: str) -> str:
    """Return a line of a synopsis with `--yes`, without its other choices."""
    return re.sub(r"\[[^]]*\]|\| --tags", "", line.replace("[--yes]", "--yes"))


@contextmanager
def _served(arguments: list[str]) -> Iterator[str]:
    """Run a command that serves a page and yield its port; end it with SIGTERM."""
    command = [sys.executable, "-m", "seefood", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            found = next(filter(None, map(_OPEN.search, process.stderr)), None)
            assert found is not None, (arguments, process.wait())
            yield found[1]
        finally:
            process.terminate()
            rest = process.stderr.read()
    assert process.returncode in (0, 143), (arguments, rest)


def _run_page(lines: list[str]) -> None:
    """Run the command lines of a page in order; a server lives until the next line has run."""
    for number, line in enumerate(lines):
        shown = _READ_AS.get(line) or _without_choices(line)
        shown = re.sub(r"\b[A-Z]{4,}\b", lambda match: _WORDS.get(match[0], match[0]), shown)
        if words(shown)[0] == "curl" or shown in _DONE:
            continue  # the first is run with the server before it
        _DONE.add(shown)
        name, arguments = words(shown)[1], words(shown)[1:]
        if name in _SERVERS:
            with _served(arguments) as port:
                following = lines[number + 1] if number + 1 < len(lines) else ""
                if following.startswith("curl"):
                    call = following.replace(":8000", f":{port}")
                    done = subprocess.run(words(call), capture_output=True, check=True)
                    assert json.loads(done.stdout)["label"]
        else:
            printed = _run(shown)
            if line.endswith("> quote.json"):
                Path("quote.json").write_text(printed[printed.index("{") :])


@pytest.mark.beam
@pytest.mark.slow
@pytest.mark.parametrize("page", _WITH_COMMANDS)
def test_the_commands_of_a_page_run(
    page: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command that is not listed in `not_run.py` ends with exit code 0."""
    monkeypatch.setenv("HOME", str(place))
    lines = _run_here(page)
    if page == "docs/monitoring.md":
        lines = [re.sub(r"/var/\S+", "seefood.prom", line) for line in lines]
    _run_page(lines)
    if page == "docs/monitoring.md":
        assert "seefood_last_success_timestamp_seconds" in (place / "seefood.prom").read_text()


def test_the_list_is_true() -> None:
    """Each entry is of some command, and the tests that it names exist."""
    lines = [line for page in PAGES for line in commands(page)]
    for entry in COMMANDS:
        assert any(re.fullmatch(entry.pattern, line) for line in lines), entry.pattern
        assert entry.test is None or (ROOT / entry.test).exists(), entry.test
    extras = set(metadata("seefood").get_all("Provides-Extra") or ())
    for line in lines:
        named = re.search(r"^pip install .*\[(.*)\]", line)
        assert named is None or set(named[1].split(",")) <= extras, line
        if line.startswith("make "):
            command = ["make", "--dry-run", *words(line)[1:]]
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def _with_outputs(page: str) -> list[tuple[str, list[str]]]:
    """Return the commands of the page that run here and end, each with what the page shows."""
    here = [each for each in _run_here(page) if words(each)[1] not in _SERVERS]
    return [(command, lines) for command, lines in outputs(page) if command in here]


@pytest.mark.beam
@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in _WITH_COMMANDS if _with_outputs(page)])
def test_commands_print_what_pages_show(
    page: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line that a page shows below a command is printed, apart from its numbers."""
    shutil.copytree(folder / "photos", tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    for command, lines in _with_outputs(page):
        printed = _run(command)
        known = set(map(without_numbers, printed.splitlines()))
        assert [] == [line for line in lines if without_numbers(line) not in known], printed


@pytest.mark.beam
@pytest.mark.slow
def test_every_snippet_is_run(place: Path) -> None:
    """What is neither a command nor listed in `SNIPPETS` is run or parsed here."""
    shutil.copytree("results", "with-uploads")
    upload = place / "with-uploads" / "uploads" / "one.json"
    upload.parent.mkdir()
    upload.write_text(_UPLOAD)
    for block in (block for page in PAGES for block in blocks(page)):
        key = (block.page, block.language)
        if key in SNIPPETS:
            assert SNIPPETS[key].startswith("not run: ") or (ROOT / SNIPPETS[key]).exists()
        elif block.language == "python":
            exec(compile(block.text, block.page, "exec"), {})  # noqa: S102 (ours)
        elif block.language == "toml":
            values = tomllib.loads(block.text)
            assert "s3://photos/" in values["classify"]["sources"]
            (place / "seefood.toml").write_text(block.text.replace('"bundles/flowers"', '"hotdog"'))
            _run("seefood classify")
            assert "seefood.toml" in _run("seefood config show classify")
            (place / "seefood.toml").unlink()
        elif block.language == "yaml":
            assert yaml_parse(block.text)
        elif block.language == "json":
            assert json.loads(block.text)
        elif block.language == "sql" and "external table" not in block.text:
            duckdb.execute(block.text.replace("DEST", "with-uploads")).fetchall()
        else:
            assert block.language in ("", "console", "sh", "sql"), key
