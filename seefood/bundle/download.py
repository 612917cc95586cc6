"""Downloads a bundle from a bucket, once, into a local folder named by its digest.

`bundle.json` names every file with its SHA-256, so only those files are requested, nothing is
written outside the new folder, and a folder that exists was verified. A bundle is a program:
download only from where the operator configured, never from where uploads are stored.
"""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from seefood.bundle import MANIFEST, VARIANTS, digest_matches, load_bundle, load_variants
from seefood.bundle.manifest_file import read_manifest, write_manifest
from seefood.errors import BundleError, JobError
from seefood.records import DIGEST_SHOWN
from seefood.sanitize import field_problem
from seefood.storage import read
from seefood.storage.uris import Location, parse_location

_MANIFEST_BYTES: Final = 64 * 1024 * 1024
_PART: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ -]*")


def fetch_bundle(
    uri: str, cache: Path, *, expected_digest: str | None = None, with_variants: bool = False
) -> Path:
    """Return the folder of the bundle at `uri` below `cache`; download it unless it exists.

    `with_variants` downloads its faster variants too, into a folder named by their digests as well.
    What its `bundle.json` states beside the digest is that of the download, too.
    `expected_digest` pins the model as in `load_bundle`; of any other, only `bundle.json` is read.
    Atomic: the folder (`cache/<digest>`) appears whole or not at all, so several processes may
    download at once. Raises `BundleError` for a bundle that is absent, damaged, or names a file
    outside itself.
    """
    source = parse_location(uri.rstrip("/"))
    manifest = _read(source, MANIFEST)
    described = _parse(manifest, uri)
    digest = described.digest
    if expected_digest is not None and not digest_matches(digest, expected_digest):
        raise BundleError(
            f"the bundle {uri} has the digest {digest[:DIGEST_SHOWN]}, {expected_digest!r} was "
            "expected; name the right bundle or the right digest"
        )
    variants = described.variants if with_variants else {}
    target = cache / _folder_name(digest, variants)
    if target.is_dir():
        if read_manifest(target) != (document := json.loads(manifest)):
            write_manifest(target, document)  # features or a reference were added: no new digest
        load_bundle(target, expected_digest=digest)  # whoever uses a variant verifies it
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=cache) as scratch:
        folder = Path(scratch) / "bundle"
        _write(folder / MANIFEST, manifest)
        _fetch_files(source, folder, described)
        for name in variants:
            inner = source.child(f"{VARIANTS}/{name}")
            text = _read(inner, MANIFEST)
            _write(folder / VARIANTS / name / MANIFEST, text)
            _fetch_files(inner, folder / VARIANTS / name, _parse(text, inner.uri))
        bundle = load_bundle(folder, expected_digest=digest)
        if variants:
            load_variants(bundle)
        _publish(folder, target)
    return target


@dataclass(frozen=True, slots=True)
class _Described:
    """What a `bundle.json` says of what there is to download."""

    digest: str
    files: Mapping[str, str]
    """The SHA-256 of each file in the bundle's own folder."""
    variants: Mapping[str, str]
    """The digest of each variant by its name."""


def _folder_name(digest: str, variants: Mapping[str, str]) -> str:
    if not variants:
        return digest
    text = json.dumps(dict(variants), sort_keys=True)
    return f"{digest}-{hashlib.sha256(text.encode()).hexdigest()[:DIGEST_SHOWN]}"


def _fetch_files(source: Location, folder: Path, described: _Described) -> None:
    for name, expected in described.files.items():
        data = _read(source, name)
        if hashlib.sha256(data).hexdigest() != expected:
            raise BundleError(
                f"the bundle {source.uri} is damaged: {name} differs from {MANIFEST}; "
                "upload it again from where it was made"
            )
        _write(folder / name, data)


def _parse(manifest: bytes, uri: str) -> _Described:
    """Return what `manifest` describes, after checking that every name is safe."""
    if len(manifest) > _MANIFEST_BYTES:
        raise BundleError(
            f"{uri}/{MANIFEST} has {len(manifest):,} bytes, which is too much for a bundle"
        )
    try:
        document = json.loads(manifest)
        digest = str(document["digest"])
        stated = document["certificate"].get("variant") or {"shares": ()}
        files = {
            str(name): str(value)
            for name, value in document["files"].items()
            if name not in stated["shares"]
        }
        variants = {str(name): str(value) for name, value in document.get("variants", {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(
            f"{uri}/{MANIFEST} does not describe a bundle ({field_problem(error)}); upload it again"
        ) from error
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise BundleError(f"{uri}/{MANIFEST} states {digest[:80]!r}, which is not a digest")
    for name in (*files, *variants):
        if not _is_inside(name):
            raise BundleError(
                f"{uri}/{MANIFEST} names the file {name[:80]!r}, which is not safely inside the "
                "bundle; nothing was downloaded; do not use this bundle"
            )
    return _Described(digest, files, variants)


def _is_inside(name: str) -> bool:
    """Whether `name` is a relative path of ordinary names: no `..`, no root, no hidden file."""
    parts = PurePosixPath(name).parts
    return (
        name == "/".join(parts)
        and name != MANIFEST
        and all(_PART.fullmatch(part) for part in parts)
        and bool(parts)
    )


def _read(source: Location, name: str) -> bytes:
    try:
        return read(source.child(name))
    except FileNotFoundError as error:
        raise BundleError(
            f"{source.uri} has no {name}; `--model` takes the location of a whole bundle"
        ) from error
    except JobError as error:
        raise BundleError(f"the bundle {source.uri} cannot be read: {error}") from error


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def _publish(folder: Path, target: Path) -> None:
    """Rename `folder` to `target`, unless another process has done so first."""
    try:
        folder.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        shutil.rmtree(folder)
