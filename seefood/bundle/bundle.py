"""The model bundle: one artefact for both doors.

A bundle is a TensorFlow SavedModel directory that TF Serving loads untouched; what is ours sits in
its `assets.extra/`:

    hotdog/
      saved_model.pb  variables/      serving_default: image uint8 (n, height, width, 3) RGB
                                      -> probabilities float32 (n, classes)
      assets.extra/
        bundle.json                   labels, resize rule, thresholds, certificate, digests
        model.tflite                  the same graph for LiteRT
        golden/                       pictures of known probabilities: the certificate
        first/                        of a cascade: the small network's bundle, for LiteRT alone

Pixel scaling and calibration lie inside the graph, so every engine answers calibrated
probabilities for raw uint8 pixels. `digest` is a hash over all that decides a row; it names the
model in each one. A SavedModel is a program: load a bundle only from where the operator said.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final, get_args

from seefood.errors import BundleError
from seefood.imaging.decode import Filter, Fit, ResizeRule
from seefood.records import DIGEST_SHOWN

FORMAT_VERSION: Final = 1
EXTRA: Final = "assets.extra"
MANIFEST: Final = f"{EXTRA}/bundle.json"
LITERT_MODEL: Final = f"{EXTRA}/model.tflite"
GOLDEN: Final = f"{EXTRA}/golden"
FIRST: Final = f"{EXTRA}/first"
_MAX_SIDE: Final = 4096


@dataclass(frozen=True, slots=True)
class Golden:
    """A picture inside the bundle and what the model said of it when it was certified."""

    file: str
    """Path relative to the bundle."""
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an engine must reproduce before it may serve."""

    tolerance: float
    """Largest absolute difference of any probability."""
    goldens: tuple[Golden, ...]


@dataclass(frozen=True, slots=True)
class BundleSpec:
    """All that `write_bundle` needs to know beside the files that lie there already."""

    name: str
    labels: tuple[str, ...]
    rule: ResizeRule
    thresholds: tuple[float, ...]
    """Per label: a top score below it makes the picture `unsure`; 0 accepts all."""
    certificate: Certificate
    training: Mapping[str, Any] = field(default_factory=dict)
    """How it was made: network, data, seed, temperature, seconds. For people."""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    """What was measured, on which pictures. For people."""
    first_at_least: float | None = None
    """Of a cascade: the bundle at `FIRST` decides where its best probability is at least this."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was read and whose serving files were verified."""

    path: Path
    spec: BundleSpec
    digest: str
    """SHA-256, hexadecimal."""
    files: Mapping[str, str]
    """Each file's SHA-256 by its path relative to the bundle."""

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
        """Whether the graph also lies here for LiteRT."""
        return LITERT_MODEL in self.files

    @property
    def is_cascade(self) -> bool:
        """Whether a smaller bundle lies inside, which answers the easy pictures."""
        return self.spec.first_at_least is not None

    @property
    def has_saved_model(self) -> bool:
        """Whether the SavedModel itself lies here; a Lambda package leaves it out."""
        return (self.path / "saved_model.pb").is_file()

    def file(self, name: str) -> Path:
        """Return where the file `name` of this bundle lies."""
        return self.path / name


BUILT_IN: Final = ("hotdog", "hotdog-lite")
"""The models that come with the package; the first is the default."""


def built_in_bundle_path(name: str) -> Path:
    """Return where the model `name` of `BUILT_IN` lies."""
    return Path(__file__).parents[1] / "models" / name


def default_bundle_path() -> Path:
    """Return where the default model lies."""
    return built_in_bundle_path(BUILT_IN[0])


def load_bundle(path: str | Path, *, expected_digest: str | None = None) -> Bundle:
    """Read the bundle at `path` and verify every one of its files that is there.

    SavedModel files may be absent (a Lambda package leaves them out); an engine that needs one
    says so. `expected_digest` pins the model: the whole digest or its first 12 digits or more.
    Raises `BundleError` for a bundle that is absent, damaged, changed, or not the expected one.
    """
    root = Path(path)
    document = _read_manifest(root)
    try:
        spec = _spec_from_json(document)
        files = {str(name): str(digest) for name, digest in document["files"].items()}
        stated = str(document["digest"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BundleError(
            f"{root / MANIFEST} is no bundle description ({error!r}); make the bundle again with "
            "`seefood train` or `seefood package`"
        ) from error
    _check_spec(spec, root)
    _check_names(root, spec, files)
    actual = _digest(spec, files)
    if actual != stated:
        raise BundleError(
            f"{root / MANIFEST} was changed: its content has the digest {actual[:DIGEST_SHOWN]}, "
            f"it states {stated[:DIGEST_SHOWN]}; get the bundle again from where it was made"
        )
    _verify_files(root, files)
    if expected_digest is not None and not digest_matches(actual, expected_digest):
        raise BundleError(
            f"the bundle {root} has the digest {actual[:DIGEST_SHOWN]}, "
            f"{expected_digest!r} was asked for; name the right bundle or the right digest"
        )
    return Bundle(root, spec, actual, files)


def write_bundle(path: Path, spec: BundleSpec) -> Bundle:
    """Describe the files that lie under `path` in its `bundle.json` and return the bundle.

    Overwrites a `bundle.json` that is there. Not atomic: make the bundle in a temporary folder and
    rename it. Raises `BundleError` if `spec` contradicts itself or names a file that is absent.
    """
    _check_spec(spec, path)
    files = {
        file.relative_to(path).as_posix(): _sha256(file)
        for file in sorted(path.rglob("*"))
        if file.is_file() and file != path / MANIFEST
    }
    for golden in spec.certificate.goldens:
        if golden.file not in files:
            raise BundleError(f"the golden picture {golden.file} is not in {path}")
    digest = _digest(spec, files)
    document = {**_content(spec, files), "digest": digest}
    (path / EXTRA).mkdir(exist_ok=True)
    (path / MANIFEST).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return Bundle(path, spec, digest, files)


def _read_manifest(root: Path) -> dict[str, Any]:
    if not root.is_dir():
        raise BundleError(f"there is no model bundle at {root}; `--model` takes a bundle's folder")
    try:
        document = json.loads((root / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        hint = (
            "it is a bare SavedModel: make it a bundle with `seefood package`"
            if (root / "saved_model.pb").is_file()
            else "make one with `seefood train` or `seefood package`"
        )
        raise BundleError(f"{root} has no {MANIFEST}; {hint}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{root / MANIFEST} cannot be read: {error}") from error
    version = document.get("format_version") if isinstance(document, dict) else None
    if version != FORMAT_VERSION:
        raise BundleError(
            f"{root / MANIFEST} has format version {version!r}, this seefood reads "
            f"{FORMAT_VERSION}; make the bundle again, or install the seefood that made it"
        )
    return dict(document)


def _spec_from_json(document: Mapping[str, Any]) -> BundleSpec:
    certificate = document["certificate"]
    return BundleSpec(
        name=str(document["name"]),
        labels=tuple(map(str, document["labels"])),
        rule=_rule_from_json(document["rule"]),
        thresholds=tuple(map(float, document["thresholds"])),
        certificate=Certificate(
            tolerance=float(certificate["tolerance"]),
            goldens=tuple(
                Golden(str(golden["file"]), tuple(map(float, golden["probabilities"])))
                for golden in certificate["goldens"]
            ),
        ),
        training=dict(document["training"]),
        metrics=dict(document["metrics"]),
        first_at_least=_optional_float(document.get("first_at_least")),
    )


def _optional_float(value: Any) -> float | None:
    return None if value is None else float(value)


def _rule_from_json(document: Mapping[str, Any]) -> ResizeRule:
    rule = ResizeRule(**document)
    sides = (rule.height, rule.width)
    if not all(isinstance(side, int) and 0 < side <= _MAX_SIDE for side in sides):
        raise ValueError(f"an input of {rule.width} x {rule.height} pixels")
    if rule.fit not in get_args(Fit) or rule.filter not in get_args(Filter):
        raise ValueError(f"the fit {rule.fit!r} with the filter {rule.filter!r}")
    margin = rule.scaled_decode
    if margin is not None and not (isinstance(margin, int | float) and 0 < margin < math.inf):
        raise ValueError(f"the scaled decode {margin!r}")
    return rule


def _check_spec(spec: BundleSpec, root: Path) -> None:
    classes = len(spec.labels)
    wrong = None
    if classes < 2 or len(set(spec.labels)) != classes:
        wrong = f"its {classes} labels must be at least two and differ"
    elif len(spec.thresholds) != classes:
        wrong = f"it has {len(spec.thresholds)} thresholds for {classes} labels"
    elif spec.rule.height < 1 or spec.rule.width < 1:
        wrong = f"its input of {spec.rule.width} x {spec.rule.height} pixels is empty"
    elif not spec.certificate.goldens or spec.certificate.tolerance <= 0:
        wrong = "its certificate has no golden picture or no tolerance"
    elif spec.first_at_least is not None and not 0 < spec.first_at_least <= 1:
        wrong = f"its first network decides from {spec.first_at_least}, which is no probability"
    elif any(len(golden.probabilities) != classes for golden in spec.certificate.goldens):
        wrong = f"a golden picture has not {classes} probabilities"
    if wrong is not None:
        raise BundleError(f"the bundle {root} contradicts itself: {wrong}")


def _check_names(root: Path, spec: BundleSpec, files: Mapping[str, str]) -> None:
    outside = [name for name in files if ".." in PurePosixPath(name).parts or name[:1] == "/"]
    _refuse(root, outside, "lies outside the bundle")
    unknown = [golden.file for golden in spec.certificate.goldens if golden.file not in files]
    _refuse(root, unknown, "is in its certificate and not among its files")


def _content(spec: BundleSpec, files: Mapping[str, str]) -> dict[str, Any]:
    """Return all that the digest is made of."""
    content = {"format_version": FORMAT_VERSION, **asdict(spec), "files": dict(files)}
    if spec.first_at_least is None:  # as it was before there were cascades
        del content["first_at_least"]
    return content


def _digest(spec: BundleSpec, files: Mapping[str, str]) -> str:
    content = _content(spec, files)
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def digest_matches(actual: str, expected: str) -> bool:
    """Whether `expected` is the whole digest `actual` or at least its first 12 digits."""
    return len(expected) >= DIGEST_SHOWN and actual.startswith(expected.lower())


def _verify_files(root: Path, files: Mapping[str, str]) -> None:
    changed = [
        name
        for name, digest in files.items()
        if (root / name).is_file() and _sha256(root / name) != digest
    ]
    missing = [name for name in files if name.startswith(EXTRA) and not (root / name).is_file()]
    _refuse(root, changed, "was changed after the bundle was made")
    _refuse(root, missing, "is missing")


def _refuse(root: Path, names: Iterable[str], why: str) -> None:
    for name in names:
        raise BundleError(
            f"the bundle {root} is damaged: {name} {why}; get it again from where it was made"
        )


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
