"""The model bundle: a model on disk, as batch jobs and the Lambda load it.

A bundle is a TensorFlow SavedModel directory that TF Serving loads as it is; seefood's own files
are in its `assets.extra/`:

    hotdog/
      saved_model.pb  variables/      serving_default: image uint8 (n, height, width, 3) RGB
                                      -> probabilities float32 (n, classes)
      assets.extra/
        bundle.json                   labels, resize rule, thresholds, certificate, digests
        model.tflite                  the same graph for LiteRT
        model.onnx                    the same graph for ONNX Runtime, if asked for
        golden/                       pictures with known probabilities: the certificate
        first/                        in a cascade: the small network's bundle, LiteRT only
        variants/int8/                a faster variant: a bundle that shares files of this one

Pixel scaling and calibration are part of the graph, so every engine returns calibrated
probabilities for raw uint8 pixels. Faster variants are not part of the digest: nothing about a
bundle's rows changes when one is added. A bundle may instead hold one graph as its author exported
it, `model.tflite` or `model.onnx` without a SavedModel, and an adapter (`seefood.bundle.adapter`)
that states how it is called. `digest` is a hash of everything that affects a row, and every
row states it. A SavedModel is a program: load bundles only from where the operator configured.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from seefood.bundle.features import KEY as FEATURES
from seefood.bundle.features import FeatureSpec, features_from_json
from seefood.bundle.manifest_file import (
    BUILT_IN,
    EXTRA,
    MANIFEST,
    REFERENCE,
    read_manifest,
    write_manifest,
)
from seefood.bundle.spec import (
    BundleSpec,
    Rejection,
    check_spec,
    compute_digest,
    manifest_content,
    spec_from_json,
)
from seefood.bundle.variant import Variant
from seefood.drift.novelty import NoveltySpace, space_digest
from seefood.drift.reference import Reference
from seefood.errors import BundleError
from seefood.records import DIGEST_SHOWN
from seefood.sanitize import field_problem, shown

if TYPE_CHECKING:
    from seefood.records import Prediction

LITERT_MODEL: Final = f"{EXTRA}/model.tflite"
ONNX_MODEL: Final = f"{EXTRA}/model.onnx"
GOLDEN: Final = f"{EXTRA}/golden"
NOVELTY: Final = "novelty"
"""The key in `bundle.json` of the space of the training pictures' features."""
SMALL_NETWORK: Final = f"{EXTRA}/first"
"""The small network of a cascade, itself a bundle."""
VARIANTS: Final = f"{EXTRA}/variants"
"""The folder of the faster variants, each a bundle in a folder of its name."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was read and whose files were verified."""

    path: Path
    spec: BundleSpec
    digest: str
    """SHA-256, hexadecimal."""
    files: Mapping[str, str]
    """Each file's SHA-256 by its path relative to the bundle."""
    features: FeatureSpec | None = None
    """The vector before the last layer; None if the bundle states none. Not in the digest."""
    reference: Reference | None = None
    """What the training pictures were like, if it is known. It decides no row and is not covered by
    `digest`."""
    variants: Mapping[str, str] = field(default_factory=dict)
    """The digest of each faster variant by its name."""
    novelty: NoveltySpace | None = None
    """By what pictures are recognised that resemble nothing in training; None if that is unknown.
    `digest` covers it if `spec.rejection` uses it."""

    @property
    def name(self) -> str:
        """The model's name, as rows state it."""
        return self.spec.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, in the order of the probabilities."""
        return self.spec.labels

    @property
    def has_litert(self) -> bool:
        """Whether the bundle contains the LiteRT graph."""
        return LITERT_MODEL in self.files

    @property
    def has_onnx(self) -> bool:
        """Whether the bundle contains the ONNX graph."""
        return ONNX_MODEL in self.files

    @property
    def is_cascade(self) -> bool:
        """Whether the bundle contains a small network, which classifies the easy pictures."""
        return self.spec.cascade_threshold is not None

    @property
    def has_saved_model(self) -> bool:
        """Whether the bundle contains the SavedModel; a Lambda package omits it."""
        return (self.path / "saved_model.pb").is_file()

    @property
    def variant(self) -> Variant | None:
        """What the bundle states of itself if it is a faster variant of another one."""
        return self.spec.certificate.variant

    def predict(self, picture: Any, *, engine: str = "auto", top_k: int = 5) -> "Prediction":
        """Return the label of one picture, decoded and classified in this process.

            seefood.load_bundle("my-model").predict("lunch.jpg").label

        `picture` is `bytes`; a path or URI; a PIL image; or an array of uint8 in [0, 255], of shape
        `(height, width)`, or `(height, width, channels)` with 1, 3 (RGB) or 4 (RGBA) channels. The
        engine is loaded at the first call. Raises `PictureError` for a picture that cannot be
        classified, `UsageError` for something that is none. For many pictures, or untrusted ones,
        use `seefood.classify`: a picture that crashes a decoder ends its process.
        """
        # By its name, because that module stands above this one.
        module = import_module("seefood.python.predict")
        prediction: Prediction = module.predict(self, picture, engine=engine, top_k=top_k)
        return prediction

    def file(self, name: str) -> Path:
        """Return the path of the file `name` of this bundle."""
        return _file(self.path, self.spec, name)


def built_in_bundle_path(name: str) -> Path:
    """Return the path of the built-in model `name`."""
    return Path(__file__).parents[1] / "models" / name


def default_bundle_path() -> Path:
    """Return the path of the default model."""
    return built_in_bundle_path(BUILT_IN[0])


def load_bundle(path: str | Path, *, expected_digest: str | None = None) -> Bundle:
    """Read the bundle at `path` and verify every file of it that is present.

    SavedModel files may be absent (a Lambda package omits them); the engine that needs them
    reports it. `expected_digest` pins the model: the whole digest, or at least its first 12 digits.
    Raises `BundleError` for a bundle that is absent, damaged, changed, or not the expected one.
    """
    try:
        root = Path(path)
    except TypeError as error:
        raise BundleError(f"{shown(path)} is no bundle's folder; give a path") from error
    document = read_manifest(root)
    try:
        spec = spec_from_json(document)
        files = {str(name): str(digest) for name, digest in document["files"].items()}
        expected = str(document["digest"])
        features = features_from_json(document.get(FEATURES))
        reference = None if REFERENCE not in document else Reference.from_json(document[REFERENCE])
        variants = {str(name): str(digest) for name, digest in document.get("variants", {}).items()}
        novelty = None if NOVELTY not in document else NoveltySpace.from_json(document[NOVELTY])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BundleError(
            f"{root / MANIFEST} does not describe a bundle ({field_problem(error)}); make the "
            "bundle again with `seefood train` or `seefood package`"
        ) from error
    check_spec(spec, root)
    _check_names(root, spec, files)
    _check_adapter(root, spec, files)
    actual = compute_digest(spec, files)
    if actual != expected:
        raise BundleError(
            f"{root / MANIFEST} was changed: its content has the digest {actual[:DIGEST_SHOWN]}, "
            f"it states {expected[:DIGEST_SHOWN]}; get the bundle again from where it was made"
        )
    _verify_files(root, spec, files)
    if expected_digest is not None and not digest_matches(actual, expected_digest):
        raise BundleError(
            f"the bundle {root} has the digest {actual[:DIGEST_SHOWN]}, "
            f"{expected_digest!r} was expected; name the right bundle or the right digest"
        )
    due = spec.rejection and spec.rejection.space
    if due and (novelty is None or space_digest(document[NOVELTY]) != due):
        raise BundleError(
            f"the bundle {root} is damaged: it has not the novelty by which it rejects pictures; "
            "get it again from where it was made"
        )
    return Bundle(root, spec, actual, files, features, reference, variants, novelty)


def write_bundle(path: Path, spec: BundleSpec, features: FeatureSpec | None = None) -> Bundle:
    """Write `bundle.json` for the files under `path` and return the bundle.

    `features` does not change the digest.

    Overwrites an existing `bundle.json`. Not atomic: make the bundle in a temporary folder and
    rename it. Raises `BundleError` if `spec` contradicts itself or names an absent file.
    """
    check_spec(spec, path)
    files = {
        file.relative_to(path).as_posix(): _sha256(file)
        for file in sorted(path.rglob("*"))
        if file.is_file() and file != path / MANIFEST and path / VARIANTS not in file.parents
    }
    if spec.certificate.variant is not None:
        shared = {
            name: _sha256(_file(path, spec, name)) for name in spec.certificate.variant.shares
        }
        files = dict(sorted({**files, **shared}.items()))
    for golden in spec.certificate.goldens:
        if golden.file not in files:
            raise BundleError(f"the golden picture {golden.file} is not in {path}")
    _check_adapter(path, spec, files)
    digest = compute_digest(spec, files)
    document = {**manifest_content(spec, files), "digest": digest}
    if features is not None:
        document[FEATURES] = features.as_json()
    (path / EXTRA).mkdir(exist_ok=True)
    write_manifest(path, document)
    return Bundle(path, spec, digest, files, features)


def set_knowledge(
    bundle: Bundle,
    reference: Reference | None,
    novelty: NoveltySpace | None,
    reject_above: float | None = None,
) -> Bundle:
    """Write into `bundle.json` what is known of the training pictures, and return the bundle.

    The digest stays unless `reject_above` makes pictures of a greater novelty `unsure`. Atomic.
    """
    space = None if novelty is None else novelty.as_json()
    rejection = None
    if reject_above is not None and space is not None:
        rejection = Rejection(reject_above, space_digest(space))
    spec = replace(bundle.spec, rejection=rejection)
    digest = compute_digest(spec, bundle.files)
    known = {NOVELTY: space, REFERENCE: None if reference is None else reference.as_json()}
    own = {"rejection", *known}
    document = {
        **{name: each for name, each in read_manifest(bundle.path).items() if name not in own},
        **manifest_content(spec, bundle.files),
        "digest": digest,
        **{name: each for name, each in known.items() if each is not None},
    }
    write_manifest(bundle.path, document)
    return replace(bundle, spec=spec, digest=digest, reference=reference, novelty=novelty)


def _file(root: Path, spec: BundleSpec, name: str) -> Path:
    """Return the path of a file of the bundle at `root`; the bundle around it may hold it."""
    variant = spec.certificate.variant
    if variant is not None and name in variant.shares:
        return root.absolute().parents[len(PurePosixPath(VARIANTS).parts)] / name
    return root / name


def _check_names(root: Path, spec: BundleSpec, files: Mapping[str, str]) -> None:
    shared = spec.certificate.variant.shares if spec.certificate.variant else ()
    outside = [
        name for name in (*files, *shared) if ".." in PurePosixPath(name).parts or name[:1] == "/"
    ]
    _raise_if_any(root, outside, "is outside the bundle")
    unknown = [golden.file for golden in spec.certificate.goldens if golden.file not in files]
    _raise_if_any(root, unknown, "is in its certificate and not among its files")


def _check_adapter(root: Path, spec: BundleSpec, files: Mapping[str, str]) -> None:
    """Raise `BundleError` if the adapter could be of more than one graph, or of none."""
    graphs = [name for name in ("saved_model.pb", LITERT_MODEL, ONNX_MODEL) if name in files]
    if spec.adapter is not None and graphs not in ([LITERT_MODEL], [ONNX_MODEL]):
        raise BundleError(
            f"the bundle {root} contradicts itself: it has an adapter for one LiteRT or ONNX "
            f"graph and contains {', '.join(graphs) or 'none'}"
        )


def digest_matches(actual: str, expected: str) -> bool:
    """Whether `expected` is the whole digest `actual` or at least its first 12 digits."""
    is_text = isinstance(expected, str)  # a library's caller may give anything
    return is_text and len(expected) >= DIGEST_SHOWN and actual.startswith(expected.lower())


def _verify_files(root: Path, spec: BundleSpec, files: Mapping[str, str]) -> None:
    paths = {name: _file(root, spec, name) for name in files}
    changed = [
        name
        for name, digest in files.items()
        if paths[name].is_file() and _sha256(paths[name]) != digest
    ]
    missing = [name for name in files if name.startswith(EXTRA) and not paths[name].is_file()]
    _raise_if_any(root, changed, "was changed after the bundle was made")
    _raise_if_any(root, missing, "is missing")


def _raise_if_any(root: Path, names: Iterable[str], problem: str) -> None:
    for name in names:
        raise BundleError(
            f"the bundle {root} is damaged: {name} {problem}; get it again from where it was made"
        )


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
