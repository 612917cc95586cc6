"""The wheel, installed, in a working directory whose own modules have the same names."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import pytest
from PIL import Image
from uv import find_uv_bin

from seefood.bundle import load_bundle
from tests.conftest import ROOT
from tests.pictures import jpeg, noise

PACKAGES: Final = ("seefood", "seefood_lambda", "seefood_pipeline", "seefood_training")
# Each raises when it is imported.
SHADOWS: Final = (
    "pipeline/__init__.py", "training/__init__.py", "lambda/__init__.py", "handler.py", "random.py",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with the wheel, and a working directory."""

    bin: Path
    folder: Path

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of the installed program."""
        return [str(self.bin / "seefood"), *arguments]

    def environment(self, python_path: str | None = ".") -> Mapping[str, str]:
        """Return this process's environment with another PYTHONPATH, by default the worst one."""
        others = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return others if python_path is None else {**others, "PYTHONPATH": python_path}

    def run(self, command: list[str], python_path: str | None = ".") -> str:
        """Run a command in the working directory and return what it prints."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(python_path),
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
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


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in a new environment, which reads its dependencies from this one."""
    root = tmp_path_factory.mktemp("installed")
    environment, folder = root / "environment", root / "work"
    uv: list[str | Path] = [find_uv_bin(), "--quiet", "--offline"]
    subprocess.run([*uv, "venv", "--python", sys.executable, environment], check=True)
    install = [*uv, "pip", "install", "--no-deps", "--python", environment / "bin" / "python"]
    subprocess.run([*install, wheel], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    # Path files in this folder are not read: the editable install of this environment stays unseen.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for name in SHADOWS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("raise ImportError('a module of the working directory')\n")
    (folder / "pictures").mkdir()
    for number in range(2):
        (folder / "pictures" / f"{number}.jpg").write_bytes(jpeg((200, 90 * number, 30)))
    return Installed(environment / "bin", folder)


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


def test_serve_runs(installed: Installed) -> None:
    """`seefood serve` prints its address and labels a picture."""
    with subprocess.Popen(
        installed.command("serve", "--port", "0"),
        cwd=installed.folder,
        env=installed.environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            address = re.search(r"http://(localhost:\d+)/", line)
            assert address is not None, line + process.stderr.read()
            connection = HTTPConnection(address[1], timeout=60)
            connection.request("POST", "/classify", jpeg(), {"Content-Type": "image/jpeg"})
            assert json.load(connection.getresponse())["label"]
            connection.close()
        finally:
            process.terminate()


@pytest.mark.slow
@pytest.mark.tensorflow
def test_train_and_package_run(installed: Installed) -> None:
    """`seefood train` makes a bundle, and `seefood package` makes one of the SavedModel in it."""
    for label in ("blue", "red"):
        (installed.folder / "photos" / label).mkdir(parents=True)
        for number in range(6):
            photo = Image.fromarray(noise(32, 32, number + 100 * (label == "red")))
            photo.save(installed.folder / "photos" / label / f"{number}.png")
    options = ("--network", "lenet5", "--image-size", "32", "--epochs", "1", "--quiet")
    installed.run(installed.command("train", "photos", "--output", "trained", *options))
    (installed.folder / "labels.txt").write_text("blue\nred\n")
    description = shutil.ignore_patterns("assets.extra")
    shutil.copytree(installed.folder / "trained", installed.folder / "saved", ignore=description)
    arguments = ("package", "saved", "--labels", "labels.txt", "--output", "packaged")
    printed = installed.run(installed.command(*arguments))
    assert "packaged" == printed.strip()
    for name in ("trained", "packaged"):
        assert ("blue", "red") == load_bundle(installed.folder / name).labels
