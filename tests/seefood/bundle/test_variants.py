import json
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from seefood.bundle import LITERT_MODEL, MANIFEST, VARIANTS, load_bundle, load_variants
from seefood.bundle.download import fetch_bundle
from seefood.bundle.variants import absent_variants
from seefood.engines.fast import choose_bundle, fast_variant
from seefood.engines.feature_tensor import feature_tensor
from seefood.engines.inspection import describe_variant
from seefood.engines.loading import load_engine
from seefood.engines.registry import Graph
from seefood.errors import BundleError, UsageError
from seefood.storage import open_store
from seefood.storage.uris import parse_location
from tests.bundles import add_fake_variant, fake_bundle


def test_a_variant_changes_nothing_about_its_bundle(tmp_path: Path) -> None:
    """The bundle keeps its digest and its files; the variant has a digest of its own."""
    before = fake_bundle(tmp_path / "b")
    after = add_fake_variant(before, "int8", 0.2, 0.5)
    (variant,) = load_variants(load_bundle(before.path))
    assert (before.digest, before.files) == (after.digest, after.files)
    assert {"int8": variant.digest} == dict(after.variants)
    assert before.digest != variant.digest
    assert before.path / LITERT_MODEL == variant.file(LITERT_MODEL)
    assert "fake" == load_engine(variant, "fake").name


def test_the_fastest_variant_within_the_loss_is_taken(tmp_path: Path) -> None:
    """`--fast` takes the smallest share of the time among those that lose no more than allowed."""
    bundle = fake_bundle(tmp_path / "b")
    for name, points, share in (("a", 0.5, 0.6), ("b", 0.7, 0.3), ("c", -0.1, 0.8)):
        bundle = add_fake_variant(bundle, name, points, share)
    named = {points: fast_variant(bundle, points)[1].name for points in (0.0, 0.5, 1.0)}
    assert {0.0: "c", 0.5: "a", 1.0: "b"} == named


def test_no_variant_that_fits_is_a_usage_error(tmp_path: Path) -> None:
    """The message says why each variant is left out, and how to get one."""
    bundle = fake_bundle(tmp_path / "b")
    with pytest.raises(UsageError, match="no faster variant; add one with `seefood package"):
        fast_variant(bundle)
    bundle = add_fake_variant(bundle, "int8", 0.8, 0.5)
    with pytest.raises(UsageError, match=r"int8 loses 0\.80 points; allow a larger"):
        fast_variant(bundle)
    with pytest.raises(UsageError, match="int8 is for the engine fake; leave `--engine`"):
        fast_variant(bundle, 1.0, "litert")


def test_a_bundle_that_can_have_no_variant_says_so(tmp_path: Path) -> None:
    """`package --fast-data` would refuse it, so it is not named as the cure."""
    bundle = fake_bundle(tmp_path / "b", multi_label=True)
    with pytest.raises(UsageError, match="can have no faster variant: it gives a picture several"):
        fast_variant(bundle)
    bundle = fake_bundle(tmp_path / "c")
    (bundle.path / "saved_model.pb").unlink()
    with pytest.raises(UsageError, match="can have no int8; add a cascade with `seefood cascade"):
        fast_variant(bundle)


def test_a_variant_for_an_engine_of_a_newer_version_is_passed_over(tmp_path: Path) -> None:
    """The others are still chosen from, and `inspect` shows it."""
    bundle = add_fake_variant(fake_bundle(tmp_path / "b"), "npu", 0.1, 0.2, engine="quantum")
    with pytest.raises(UsageError, match=r"needs the engine quantum, .* use a newer seefood"):
        fast_variant(bundle)
    bundle = add_fake_variant(bundle, "int8", 0.1, 0.5)
    assert "int8" == fast_variant(bundle)[1].name
    engine = describe_variant(load_variants(bundle)[0])["engine"]
    assert ("quantum", "absent") == (engine["name"], engine["state"])


def test_the_digest_pins_the_variant(tmp_path: Path) -> None:
    """With `--fast` the bundle's own digest is refused: it does not cover the variant."""
    bundle = add_fake_variant(fake_bundle(tmp_path / "b"), "int8", 0.2, 0.5)
    (digest,) = bundle.variants.values()
    pinned, _ = choose_bundle(bundle.path, fast=0.5, digest=digest[:12])
    assert digest == pinned.digest
    with pytest.raises(BundleError, match="the digest is that of the variant"):
        choose_bundle(bundle.path, fast=0.5, digest=bundle.digest)


def test_a_changed_variant_is_refused(tmp_path: Path) -> None:
    """A loss that was written by hand, and a variant of another bundle, are refused."""
    bundle = add_fake_variant(fake_bundle(tmp_path / "b"), "int8", 5.0, 0.5)
    manifest = bundle.path / VARIANTS / "int8" / MANIFEST
    document = json.loads(manifest.read_text())
    document["certificate"]["variant"]["loss"]["points"] = 0.0
    manifest.write_text(json.dumps(document))
    with pytest.raises(BundleError, match="was changed"):
        fast_variant(bundle)
    with pytest.raises(BundleError, match="is not a variant of"):
        add_fake_variant(
            fake_bundle(tmp_path / "c", name="other"), "int8", 0.1, 0.5, of=bundle.digest
        )


def test_a_variant_cannot_share_a_file_outside(tmp_path: Path) -> None:
    """A name that leaves the bundle is refused before it is read."""
    bundle = add_fake_variant(fake_bundle(tmp_path / "b"), "int8", 0.1, 0.5)
    manifest = bundle.path / VARIANTS / "int8" / MANIFEST
    document = json.loads(manifest.read_text())
    document["certificate"]["variant"]["shares"].append("../../secret")
    manifest.write_text(json.dumps(document))
    with pytest.raises(BundleError, match="is outside the bundle"):
        load_variants(bundle)


def test_a_copy_without_its_variants_says_how_to_get_them(tmp_path: Path) -> None:
    """A Lambda's zip leaves variants out unless it is built with them; the bundle itself loads."""
    bundle = add_fake_variant(fake_bundle(tmp_path / "b"), "int8", 0.1, 0.5)
    shutil.rmtree(bundle.path / VARIANTS)
    assert bundle.digest == load_bundle(bundle.path).digest
    with pytest.raises(BundleError, match="without its faster variant int8; copy"):
        fast_variant(load_bundle(bundle.path))
    assert ["int8"] == absent_variants(load_bundle(bundle.path))


def test_a_variant_without_its_manifest_is_damaged(tmp_path: Path) -> None:
    """The bundle around it must be got again; none can be made in its place."""
    bundle = add_fake_variant(fake_bundle(tmp_path / "b"), "int8", 0.1, 0.5)
    (bundle.path / VARIANTS / "int8" / MANIFEST).unlink()
    with pytest.raises(BundleError, match=r"bundle\.json is missing; get the bundle around it"):
        fast_variant(bundle)


def test_a_variant_gives_no_features(tmp_path: Path) -> None:
    """The message names the two that cannot be had together, not a command that changes it."""
    variant, _ = fast_variant(add_fake_variant(fake_bundle(tmp_path / "b"), "int8", 0.1, 0.5))
    with pytest.raises(BundleError, match="gives no features; leave fast or features out"):
        feature_tensor(variant, Graph.LITERT)


def test_variants_are_downloaded_only_when_asked_for(tmp_path: Path) -> None:
    """Without `--fast` the download is what it was; with it, the variants join it."""
    made = add_fake_variant(fake_bundle(tmp_path / "b"), "int8", 0.1, 0.5)
    uri = f"memory://{uuid4().hex}/model"
    location = parse_location(uri)
    for file in made.path.rglob("*"):
        if file.is_file():
            key = location.child(file.relative_to(made.path).as_posix()).key
            open_store(location.root).write(key, file.read_bytes())

    plain = fetch_bundle(uri, tmp_path / "cache")
    whole = fetch_bundle(uri, tmp_path / "cache", with_variants=True)

    assert made.digest == plain.name
    assert not (plain / VARIANTS).exists()
    (variant,) = load_variants(load_bundle(whole))
    assert made.variants["int8"] == variant.digest
    assert whole == fetch_bundle(uri, tmp_path / "cache", with_variants=True)
