"""The wheel, installed, in a working directory whose own modules have the same names."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

import pytest
from PIL import Image
from uv import find_uv_bin

from seefood.bundle import load_bundle
from tests.conftest import ROOT
from tests.pictures import jpeg, noise
from tests.sorting import rows_of, write_rows

PACKAGES: Final = ("seefood", "seefood_lambda", "seefood_pipeline", "seefood_training")
# What each extra is needed for, as long as it is not installed.
EXTRAS: Final = {
    "beam": "classify pictures --output labels",
    "tensorflow": "predict pictures/0.jpg --engine tensorflow",
    "openvino": "predict pictures/0.jpg --engine openvino",
    "onnx": "predict pictures/0.jpg --engine onnxruntime",
    "train": "train pictures --output model",
    "demo": "demo",
}
# Each raises when it is imported.
SHADOWS: Final = (
    "pipeline/__init__.py", "training/__init__.py", "lambda/__init__.py", "handler.py", "random.py",
)  # fmt: skip
# Both commands in one process, which imports TensorFlow once.
TRAIN_AND_PACKAGE: Final = """
import shutil
from contextlib import redirect_stderr
from seefood.__main__ import cli  # sorts sys.path

for line in (
    "train photos --output trained --network lenet5 --image-size 32 --epochs 1",
    "package saved --labels labels.txt --output packaged",
):
    try:
        with open("log.txt", "a") as log, redirect_stderr(log):
            cli.main(line.split())
    except SystemExit as ended:
        if ended.code:
            raise
    if line.startswith("train"):
        shutil.copytree("trained", "saved", ignore=shutil.ignore_patterns("assets.extra"))
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with the wheel, and a working directory."""

    bin: Path
    folder: Path

    @property
    def packages(self) -> Path:
        """The folder of its packages."""
        (folder,) = self.bin.parent.glob("lib/python*/site-packages")
        return folder

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of the installed program."""
        return [str(self.bin / "seefood"), *arguments]

    def environment(self, python_path: str | None = ".") -> Mapping[str, str]:
        """Return this process's environment with another PYTHONPATH, by default the worst one."""
        others = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return others if python_path is None else {**others, "PYTHONPATH": python_path}

    def run(self, command: list[str], python_path: str | None = ".", seconds: float = 200) -> str:
        """Run a command in the working directory and return what it prints."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(python_path),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert 0 == done.returncode, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this source tree, built without network access."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*command, "--directory", folder], cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


def _environment(wheel: Path, root: Path) -> Installed:
    """Install the wheel without its dependencies into a new environment below `root`."""
    made = Installed(root / "environment" / "bin", root / "work")
    uv: list[str | Path] = [find_uv_bin(), "--quiet", "--offline"]
    subprocess.run([*uv, "venv", "--python", sys.executable, made.bin.parent], check=True)
    install = [*uv, "pip", "install", "--no-deps", "--python", made.bin / "python"]
    subprocess.run([*install, wheel], check=True)
    (made.folder / "pictures").mkdir(parents=True)
    for number in range(2):
        (made.folder / "pictures" / f"{number}.jpg").write_bytes(jpeg((200, 90 * number, 30)))
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in a new environment, which reads its dependencies from this one."""
    made = _environment(wheel, tmp_path_factory.mktemp("installed"))
    # Path files in this folder are not read: the editable install of this environment stays unseen.
    (made.packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for name in SHADOWS:
        (made.folder / name).parent.mkdir(parents=True, exist_ok=True)
        text = "raise ImportError('a module of the working directory')\n"
        (made.folder / name).write_text(text)
    return made


@pytest.fixture(scope="module")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """What `pip install seefood` gives: the wheel and its dependencies, without any extra."""
    made = _environment(wheel, tmp_path_factory.mktemp("plain"))
    code = [sys.executable, "-c", "import licences; print(*licences.closure(()))"]
    listed = subprocess.run(code, cwd=ROOT / "infra", check=True, capture_output=True, text=True)
    here = Path(sysconfig.get_path("purelib"))
    for name in listed.stdout.split():
        with suppress(PackageNotFoundError):  # a package of another platform
            for top in {file.parts[0] for file in distribution(name).files or ()}:
                if top not in ("..", "__pycache__"):
                    (made.packages / top).symlink_to(here / top)
    rows = rows_of([str(file) for file in sorted(made.folder.glob("pictures/*"))])
    write_rows(str(made.folder / "results"), rows)
    return made


def test_the_wheel_has_four_packages_and_nothing_else(wheel: Path) -> None:
    """Its top-level folders are the packages and the metadata; each package is typed."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    metadata = f"{wheel.name.rpartition('-py3')[0]}.dist-info"
    assert {*PACKAGES, metadata} == {name.partition("/")[0] for name in names}
    assert {f"{name}/py.typed" for name in PACKAGES} <= set(names)


@pytest.mark.parametrize("python_path", [None, "."])
def test_the_installed_packages_run(installed: Installed, python_path: str | None) -> None:
    """`python -m seefood` imports the installed packages with and without PYTHONPATH."""
    python = str(installed.bin / "python")
    shown = installed.run([python, "-m", "seefood", "--version"], python_path)
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", shown)
    code = f"import {', '.join(PACKAGES)}; print({', '.join(f'{p}.__file__' for p in PACKAGES)})"
    for file in installed.run([python, "-P", "-c", code], None).split():
        assert Path(file).is_relative_to(installed.bin.parent)
    command = [python, "-m", "seefood", "predict", "pictures/0.jpg", "pictures/1.jpg"]
    assert 2 == installed.run(command, python_path).count("%")


@pytest.mark.beam
@pytest.mark.parametrize("python_path", [None, "."])
def test_classify_runs(installed: Installed, python_path: str | None) -> None:
    """`seefood classify` writes a row for each picture."""
    arguments = ("classify", "pictures", "--output", f"results-{python_path}", "--json", "--quiet")
    assert 2 == json.loads(installed.run(installed.command(*arguments), python_path))["rows"]


@contextmanager
def _address(program: Installed, *arguments: str) -> Iterator[tuple[str, str]]:
    """Run a command that serves a page; yield its host with port, and its path."""
    with subprocess.Popen(
        program.command(*arguments, "--port", "0"),
        cwd=program.folder,
        env=program.environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            address = re.search(r"http://(localhost:\d+)(/\S*)", line)
            assert address is not None, line + process.stderr.read()
            yield address[1], address[2]
        finally:
            process.terminate()


def test_the_plain_package_serves(plain: Installed) -> None:
    """`seefood serve` needs no extra: it prints its address and labels a picture."""
    with _address(plain, "serve") as (host, _):
        connection = HTTPConnection(host, timeout=60)
        connection.request("POST", "/classify", jpeg(), {"Content-Type": "image/jpeg"})
        assert json.load(connection.getresponse())["label"]
        connection.close()


def test_the_plain_package_reviews(plain: Installed) -> None:
    """`seefood review` needs no extra: it shows the pictures of an output."""
    with _address(plain, "review", "results") as (host, path):
        connection = HTTPConnection(host, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert (200, True) == (answer.status, b"<html" in answer.read())
        connection.close()


def test_the_plain_package_predicts_and_names_the_extras(plain: Installed) -> None:
    """`seefood predict` needs no extra; a command that does says which, with the line to type.

    `seefood doctor` lists what each extra lacks and finds nothing wrong with that.
    """
    assert 'pip install "seefood[beam]"' in plain.run(plain.command("doctor", "--no-engines"))
    assert 2 == plain.run(plain.command("predict", "pictures/0.jpg", "pictures/1.jpg")).count("%")
    for extra, command in EXTRAS.items():
        done = subprocess.run(
            plain.command(*command.split()),
            cwd=plain.folder,
            env=plain.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (2, "") == (done.returncode, done.stdout)
        assert f'`pip install "seefood[{extra}]"`' in done.stderr
        assert 1 == done.stderr.count("\n")


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.timeout(600)
def test_train_and_package_run(installed: Installed) -> None:
    """`seefood train` makes a bundle, and `seefood package` makes one of the SavedModel in it."""
    for label in ("blue", "red"):
        (installed.folder / "photos" / label).mkdir(parents=True)
        for number in range(6):
            photo = Image.fromarray(noise(32, 32, number + 100 * (label == "red")))
            photo.save(installed.folder / "photos" / label / f"{number}.png")
    (installed.folder / "labels.txt").write_text("blue\nred\n")
    command = [str(installed.bin / "python"), "-P", "-c", TRAIN_AND_PACKAGE]
    printed = installed.run(command, seconds=500)
    assert "packaged" == printed.splitlines()[-1]
    log = (installed.folder / "log.txt").read_text()
    assert "\ntraining: epoch 1, " in log
    assert "━" not in log  # a bar is for a terminal
    for name in ("trained", "packaged"):
        assert ("blue", "red") == load_bundle(installed.folder / name).labels
