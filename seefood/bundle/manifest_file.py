"""Reads and writes `bundle.json`, the description of a bundle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from seefood.bundle.spec import FORMAT_VERSION
from seefood.errors import BundleError
from seefood.nearest import nearest_path

BUILT_IN: Final = ("hotdog", "hotdog-lite")
"""The names of the models in the package; the first one is the default."""
EXTRA: Final = "assets.extra"
MANIFEST: Final = f"{EXTRA}/bundle.json"
REFERENCE: Final = "reference"
"""The key in `bundle.json` of what the training pictures were like."""


def read_manifest(root: Path) -> dict[str, Any]:
    """Return the content of `bundle.json`. Raises `BundleError` if there is none to read."""
    if not root.is_dir():
        if str(root) in BUILT_IN:
            raise BundleError(
                f"{root} is the name of a built-in model, but this command takes the folder of a "
                "bundle; `seefood inspect` says where the model is: copy that folder"
            )
        near = nearest_path(root, BUILT_IN)
        raise BundleError(
            f"there is no model bundle at {root}; give the folder of one, as `seefood train` and "
            f"`seefood package` write it{near}"
        )
    try:
        document = json.loads((root / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        hint = (
            "it is a plain SavedModel: make it a bundle with `seefood package`"
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


def write_manifest(root: Path, document: Mapping[str, Any]) -> None:
    """Write `bundle.json`; the folder exists. Atomic, overwrites."""
    manifest = root / MANIFEST
    temporary = manifest.with_name(f".{manifest.name}.new")
    temporary.write_text(_text(document))
    temporary.replace(manifest)


def _text(document: Mapping[str, Any]) -> str:
    others = {name: value for name, value in document.items() if name != REFERENCE}
    if (reference := document.get(REFERENCE)) is None:
        return json.dumps(others, indent=2, ensure_ascii=False) + "\n"
    text = json.dumps({**others, REFERENCE: None}, indent=2, ensure_ascii=False)
    compact = json.dumps(reference, separators=(",", ":"), ensure_ascii=False)  # 300 long lists
    return text.removesuffix("null\n}") + compact + "\n}\n"
