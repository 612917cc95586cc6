"""Other people's models, and their authors' own answers for photos."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seefood.engines.loading import load_engine
from seefood.errors import UsageError
from seefood_training.packaging.answers import AnswerOptions
from seefood_training.packaging.examples import resized
from seefood_training.packaging.options import PackageOptions
from seefood_training.packaging.outcome import Packaged
from seefood_training.packaging.package import package_model
from seefood_training.packaging.pixels import PixelChoice
from tests.conftest import SHARED

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.photos,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("uncollected_imports"),
]

_TOLERANCE = 0.03
_KNOWN = 5
"""Photos whose answers are given as examples; the others test what was found."""
_LARGE = {"keras2_add_slot", "keras2_resizing_inside", "teachable_machine", "tflite_float"}
"""Each takes up to half a minute: `make test-models` runs them."""


@dataclass(frozen=True, slots=True)
class Model:
    """One form of a model, with what its `expected.json` says."""

    folder: Path
    path: str
    works: bool
    known: dict[str, Any]

    def file(self, scratch: Path) -> Path:
        """Return the model; a folder inside an archive is unpacked first."""
        archive, dot_zip, inside = self.path.partition(".zip/")
        if not dot_zip:
            return self.folder / self.path
        with zipfile.ZipFile(self.folder / f"{archive}.zip") as opened:
            opened.extractall(scratch)
        return scratch / inside

    def photos(self) -> list[Path]:
        """Return the photos whose answers are known."""
        return [SHARED / "hotdog" / "test" / name for name in self.known["photos"]]


def _models() -> list[Any]:
    cases = []
    for file in sorted(SHARED.glob("models/*/expected.json")):
        known = json.loads(file.read_text())
        for form in known["models"]:
            works = form.get("expect", known["expect"]) == "works"
            model = Model(file.parent, form["path"], works, known)
            marks = [pytest.mark.models] if file.parent.name in _LARGE else []
            cases.append(pytest.param(model, id=f"{file.parent.name}/{form['path']}", marks=marks))
    return cases


MODELS = _models()


def _packaged(model: Model, folder: Path, options: PackageOptions) -> Packaged:
    return package_model(str(model.file(folder / "unpacked")), folder / "b", options)


def _check(model: Model, packaged: Packaged) -> None:
    """Compare the bundle's answers with the author's on all photos."""
    rule = packaged.bundle.spec.rule
    images = np.stack([resized(photo.read_bytes(), rule) for photo in model.photos()])
    actual = load_engine(packaged.bundle, "auto").predict(images)
    np.testing.assert_allclose(actual, model.known["answers"], atol=_TOLERANCE)


@pytest.mark.parametrize("model", MODELS)
def test_examples_prove_it(model: Model, tmp_path: Path) -> None:
    """Five photos with their answers say all of the pixels; else it is refused."""
    labels = model.known["labels"]
    rows = [
        ",".join([str(photo), *map(str, answers)])
        for photo, answers in zip(model.photos(), model.known["answers"], strict=True)
    ]
    header = ",".join(["picture", *(f'"{label}"' for label in labels)])
    (tmp_path / "known.csv").write_text("\n".join([header, *rows[:_KNOWN]]) + "\n")
    options = PackageOptions("m", tuple(labels), examples=tmp_path / "known.csv")
    if model.works:
        _check(model, _packaged(model, tmp_path, options))
        return
    with pytest.raises(UsageError, match=r"is refused because|no combination of pixel options"):
        _packaged(model, tmp_path, options)
    assert not (tmp_path / "b").exists()


@pytest.mark.models
@pytest.mark.parametrize("model", MODELS)
def test_what_its_author_says_is_enough(model: Model, tmp_path: Path) -> None:
    """The arguments of somebody who knows the model give the author's answers."""
    said = model.known["arguments"]
    pixels = PixelChoice(*(said.get(key) for key in ("input_range", "filter", "fit", "channels")))
    answers = AnswerOptions(
        said.get("output_name"),
        "logits" if said.get("logits") else None,
        said.get("multi_label", False),
    )
    options = PackageOptions("m", tuple(model.known["labels"]), pixels, answers=answers)
    if model.works:
        _check(model, _packaged(model, tmp_path, options))
        return
    with pytest.raises(UsageError):
        _packaged(model, tmp_path, options)


@pytest.mark.models
@pytest.mark.parametrize("model", MODELS)
def test_it_is_never_silently_wrong(model: Model, tmp_path: Path) -> None:
    """Where nothing is said, the answers are right or something is asked for."""
    try:
        packaged = _packaged(model, tmp_path, PackageOptions("m", tuple(model.known["labels"])))
    except UsageError as error:
        assert str(error)  # noqa: PT017 (either is right)
        return
    _check(model, packaged)
