import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from seefood.bundle import (
    MANIFEST,
    BundleSpec,
    Certificate,
    FeatureSpec,
    Golden,
    load_bundle,
    write_bundle,
)
from seefood.bundle.download import fetch_bundle
from seefood.errors import BundleError
from seefood.imaging.decode import ResizeRule
from seefood.storage import open_store
from seefood.storage.uris import parse_location

_GOLDEN = "assets.extra/golden/a.png"


def _upload(tmp_path: Path, change: Callable[[dict[str, object]], None] | None = None) -> str:
    """Upload a small bundle to a new memory store and return its URI."""
    folder = tmp_path / "made"
    (folder / "assets.extra/golden").mkdir(parents=True)
    Image.new("RGB", (8, 8), (200, 40, 40)).save(folder / _GOLDEN)
    (folder / "assets.extra/model.tflite").write_bytes(b"a graph")
    (folder / "saved_model.pb").write_bytes(b"another graph")
    write_bundle(
        folder,
        BundleSpec(
            name="small",
            labels=("hotdog", "not_hotdog"),
            rule=ResizeRule(8, 8),
            thresholds=(0.0, 0.0),
            certificate=Certificate(1e-4, (Golden(_GOLDEN, (0.5, 0.5)),)),
        ),
    )
    if change is not None:
        document = json.loads((folder / MANIFEST).read_text())
        change(document)
        (folder / MANIFEST).write_text(json.dumps(document))
    uri = f"memory://bundles-{uuid4().hex}/models/small"
    location = parse_location(uri)
    for file in folder.rglob("*"):
        if file.is_file():
            name = location.child(file.relative_to(folder).as_posix())
            open_store(location.root).write(name.key, file.read_bytes())
    return uri


def test_a_bundle_is_downloaded_whole_and_verified(tmp_path: Path) -> None:
    """The downloaded folder has the files of the uploaded bundle and is named by its digest."""
    uri = _upload(tmp_path)

    folder = fetch_bundle(f"{uri}/", tmp_path / "cache")

    made, fetched = load_bundle(tmp_path / "made"), load_bundle(folder)
    assert made.digest == fetched.digest
    assert made.digest == folder.name
    assert {MANIFEST, *made.files} == {
        file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()
    }
    assert [folder] == list((tmp_path / "cache").iterdir())


def test_a_cached_bundle_is_not_downloaded_again(tmp_path: Path) -> None:
    """The second time only `bundle.json` is read; the other objects may be absent."""
    uri = _upload(tmp_path)
    first = fetch_bundle(uri, tmp_path / "cache")
    location = parse_location(uri)
    open_store(location.root).delete(location.child("saved_model.pb").key)

    assert first == fetch_bundle(uri, tmp_path / "cache")


def test_a_cached_bundle_gets_what_was_added_to_it(tmp_path: Path) -> None:
    """Features and the reference do not change the digest, and so not the folder."""
    uri = _upload(tmp_path)
    assert load_bundle(fetch_bundle(uri, tmp_path / "cache")).features is None
    features = FeatureSpec(3, {"litert": 1}, 0.1, {})
    made = load_bundle(tmp_path / "made")
    write_bundle(made.path, made.spec, features)
    manifest = parse_location(uri).child(MANIFEST)
    open_store(manifest.root).write(manifest.key, (made.path / MANIFEST).read_bytes())
    again = load_bundle(fetch_bundle(uri, tmp_path / "cache"))
    assert (features, made.digest) == (again.features, again.digest)


def test_a_damaged_object_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    """A file with another hash is not added to the cache."""
    uri = _upload(tmp_path)
    location = parse_location(uri)
    name = location.child("assets.extra/model.tflite")
    open_store(location.root).write(name.key, b"another one")

    with pytest.raises(BundleError, match=r"model\.tflite differs from"):
        fetch_bundle(uri, tmp_path / "cache")
    assert [] == list((tmp_path / "cache").iterdir())


def test_a_missing_object_is_named(tmp_path: Path) -> None:
    """The message says which file of the bundle is not in the bucket."""
    uri = _upload(tmp_path)
    location = parse_location(uri)
    open_store(location.root).delete(location.child("saved_model.pb").key)

    with pytest.raises(BundleError, match=r"has no saved_model\.pb"):
        fetch_bundle(uri, tmp_path / "cache")


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "/etc/outside",
        "assets.extra/../../outside",
        "a//b",
        "./a",
        "",
        "a\\..\\b",
        "C:/outside",
        ".hidden",
        "a/..",
        "new\nline",
        MANIFEST,
    ],
)
def test_file_names_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    """A manifest that names a file outside is refused before anything is downloaded."""

    def add(document: dict[str, object]) -> None:
        files = document["files"]
        assert isinstance(files, dict)
        files[name] = "0" * 64

    uri = _upload(tmp_path, add)

    with pytest.raises(BundleError, match="not safely inside"):
        fetch_bundle(uri, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("digest", ["", "../../x", "0" * 63, "Z" * 64])
def test_digests_cannot_leave_the_cache(tmp_path: Path, digest: str) -> None:
    """The folder's name is always a digest."""
    uri = _upload(tmp_path, lambda document: document.update(digest=digest))

    with pytest.raises(BundleError, match="which is not a digest"):
        fetch_bundle(uri, tmp_path / "cache")


def test_a_manifest_that_was_changed_is_refused(tmp_path: Path) -> None:
    """The digest covers the manifest: other labels are another model."""
    uri = _upload(tmp_path, lambda document: document.update(labels=["a", "b"]))

    with pytest.raises(BundleError, match="was changed"):
        fetch_bundle(uri, tmp_path / "cache")
    assert [] == list((tmp_path / "cache").iterdir())


def test_a_location_without_a_bundle_is_named(tmp_path: Path) -> None:
    """A wrong URI raises `BundleError` with the URI."""
    with pytest.raises(BundleError, match=r"memory://nothing-here/models has no"):
        fetch_bundle("memory://nothing-here/models", tmp_path / "cache")
