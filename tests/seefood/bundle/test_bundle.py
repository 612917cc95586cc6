import json
import shutil
from pathlib import Path

import pytest

from seefood.bundle import EXTRA, MANIFEST, Bundle, Certificate, Golden, load_bundle, write_bundle
from seefood.errors import BundleError
from seefood.records import DIGEST_SHOWN
from tests.bundles import fake_bundle

FILES = (
    "saved_model.pb",
    "variables/variables.data-00000-of-00001",
    "variables/variables.index",
    "assets.extra/model.tflite",
    "assets.extra/MODEL_CARD.md",
    "assets.extra/golden/hotdog_mustard.png",
    "assets.extra/golden/house.png",
)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return fake_bundle(tmp_path / "fake")


def test_what_was_written_is_read(bundle: Bundle) -> None:
    """A bundle is read back as it was written: spec, digest and files."""
    assert bundle == load_bundle(bundle.path)


def test_every_file_is_in_the_manifest(bundle: Bundle) -> None:
    """Every file in a bundle is part of its digest, except the manifest that states it."""
    present = {
        file.relative_to(bundle.path).as_posix()
        for file in bundle.path.rglob("*")
        if file.is_file()
    }
    assert present - {MANIFEST} == set(bundle.files) == set(FILES)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("at", [0, -1], ids=["first", "last"])
def test_one_byte_changed_in_any_file_is_refused(bundle: Bundle, name: str, at: int) -> None:
    """A bundle in which one byte of one file differs does not load, and the file is named."""
    content = bytearray(bundle.file(name).read_bytes())
    content[at] ^= 1
    bundle.file(name).write_bytes(content)
    with pytest.raises(BundleError, match=f"{name} was changed after the bundle was made"):
        load_bundle(bundle.path)


def test_a_flipped_bit_of_the_manifest_changes_nothing_unnoticed(bundle: Bundle) -> None:
    """A manifest with a flipped bit is refused, unless only its layout changes."""
    manifest = bundle.file(MANIFEST)
    original = manifest.read_bytes()
    refused, flipped = 0, range(0, len(original), 3)
    for at in flipped:
        manifest.write_bytes(original[:at] + bytes([original[at] ^ 1]) + original[at + 1 :])
        try:
            assert bundle == load_bundle(bundle.path)
        except BundleError:
            refused += 1
    # The last digit of a float may be beyond its precision, and a space may become a tab.
    assert refused >= len(flipped) - 3


@pytest.mark.parametrize("field", ["name", "labels", "thresholds", "rule", "training", "metrics"])
def test_an_edited_manifest_is_refused(bundle: Bundle, field: str) -> None:
    """Every field is part of the digest."""
    manifest = bundle.file(MANIFEST)
    document = json.loads(manifest.read_text())
    edited = {
        "name": "other",
        "labels": document["labels"][::-1],
        "thresholds": [0.0, 0.0],
        "rule": {**document["rule"], "fit": "crop"},
        "training": {},
        "metrics": {"accuracy": 1.0},
    }
    manifest.write_text(json.dumps({**document, field: edited[field]}))
    with pytest.raises(BundleError, match="was changed: its content has the digest"):
        load_bundle(bundle.path)


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(EXTRA)])
def test_a_missing_file_is_refused(bundle: Bundle, name: str) -> None:
    """Every file in `assets.extra` must be present."""
    bundle.file(name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        load_bundle(bundle.path)


def test_a_bundle_may_come_without_its_saved_model(bundle: Bundle) -> None:
    """A Lambda package omits the SavedModel and keeps the digest."""
    bundle.file("saved_model.pb").unlink()
    shutil.rmtree(bundle.file("variables"))
    assert not load_bundle(bundle.path, expected_digest=bundle.digest).has_saved_model


@pytest.mark.parametrize("digits", [DIGEST_SHOWN, 20, 64])
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_a_digest_pins_the_bundle(bundle: Bundle, digits: int, case: type[str]) -> None:
    """The whole digest, or at least its first twelve digits, is accepted."""
    pinned = load_bundle(bundle.path, expected_digest=case(bundle.digest[:digits]))
    assert bundle.digest == pinned.digest


@pytest.mark.parametrize("digest", ["", "0" * 12, "0" * 64])
def test_another_digest_is_refused(bundle: Bundle, digest: str) -> None:
    """A bundle that is intact but not the pinned one does not load."""
    with pytest.raises(BundleError, match=f"{digest!r} was expected"):
        load_bundle(bundle.path, expected_digest=digest)


def test_eleven_digits_are_too_few(bundle: Bundle) -> None:
    """A digest that is too short is refused although it matches."""
    with pytest.raises(BundleError, match="was expected"):
        load_bundle(bundle.path, expected_digest=bundle.digest[:11])


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_another_format_version_is_refused(bundle: Bundle, version: object) -> None:
    """The message names both versions."""
    manifest = bundle.file(MANIFEST)
    document = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**document, "format_version": version}))
    with pytest.raises(BundleError, match=rf"has format version {version!r}, this seefood reads 1"):
        load_bundle(bundle.path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format_version": 1}', "\x00\xff"])
def test_an_invalid_manifest_is_refused(bundle: Bundle, text: str) -> None:
    """Invalid JSON and JSON of another kind raise `BundleError`."""
    bundle.file(MANIFEST).write_text(text)
    with pytest.raises(BundleError, match=MANIFEST):
        load_bundle(bundle.path)


def test_an_absent_folder_is_reported(tmp_path: Path) -> None:
    """The message says that there is no bundle at the path."""
    with pytest.raises(BundleError, match="there is no model bundle at"):
        load_bundle(tmp_path / "nowhere")
    with pytest.raises(BundleError, match="hotdog is the name of a built-in model, but this"):
        load_bundle(Path("hotdog"))


def test_a_plain_saved_model_is_recognized(tmp_path: Path) -> None:
    """The message recommends `seefood package`."""
    (tmp_path / "saved_model.pb").write_bytes(b"graph")
    with pytest.raises(BundleError, match="make it a bundle with `seefood package`"):
        load_bundle(tmp_path)


GOLDENS = (Golden("assets.extra/golden/house.png", (0.5, 0.5)),)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"labels": ("one",), "thresholds": (0.0,)}, "its 1 labels must be at least two"),
        ({"labels": ("same", "same")}, "must be at least two and differ"),
        ({"labels": ("a", "b", "c")}, "it has 2 thresholds for 3 labels"),
        ({"certificate": Certificate(1e-4, ())}, "no golden picture"),
        ({"certificate": Certificate(0.0, GOLDENS)}, "no golden picture or no tolerance"),
        (
            {"labels": ("a", "b", "c"), "thresholds": (0.0,) * 3},
            "a golden picture does not have 3 probabilities",
        ),
    ],
)
def test_a_bundle_that_contradicts_itself_is_not_written(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    """Labels, thresholds and certificate must be consistent."""
    with pytest.raises(BundleError, match=reason):
        fake_bundle(tmp_path, **changes)


def test_a_certificate_for_an_absent_picture_is_not_written(bundle: Bundle) -> None:
    """The golden pictures are part of the bundle."""
    bundle.file("assets.extra/golden/house.png").unlink()
    with pytest.raises(BundleError, match=r"golden/house\.png is not in"):
        write_bundle(bundle.path, bundle.spec)


def test_the_digest_depends_on_the_content_alone(tmp_path: Path) -> None:
    """The same files in another folder have the same digest."""
    assert fake_bundle(tmp_path / "a").digest == fake_bundle(tmp_path / "b").digest
