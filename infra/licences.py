"""Lists the licences of shipped and installed packages in docs/licences.md, from their metadata.

    python infra/licences.py            writes docs/licences.md
    python infra/licences.py --check    exit code 1 if an installed package is not in it

`make licences` runs it in the development environment, which has all runtime extras.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from build_lambda_zip import RUNTIMES, WHEELS
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "licences.md"
EXTRAS: Final = ("beam", "tensorflow", "onnx", "train", "lambda")
"""The extras for users; `demo`, `bench` and `dev` are for development."""
# From the package's licence file, where the metadata names no licence.
_FROM_FILES: Final = {
    "namex": "Apache-2.0",
}
_HEAD: Final = """\
# Licences

`make licences` generates this page from the metadata of the packages.
seefood itself is under the MIT licence (`LICENSE`).

Wheels of native code contain libraries with their own licences, which are in the wheels:
`pi-heif` and `pillow-heif` bring libheif and libde265 (LGPL-3.0), as shared libraries that can be
replaced; `pillow-heif` also brings x265 (GPL-2.0), an encoder that seefood never calls and that the
Lambda does not ship; `pillow`, `numpy` and `scipy` bring image codecs, OpenBLAS and GCC's runtime.
"""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package and its licence."""

    name: str
    version: str
    licence: str


def packages(names: Iterable[str]) -> list[Package]:
    """Return the installed packages among `names`, sorted by name."""
    result = []
    for name in sorted(set(map(canonicalize_name, names))):
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue  # not on this platform
        result.append(Package(name, installed.version, licence_of(name)))
    return result


def licence_of(name: str) -> str:
    """Return the licence in a package's metadata; `unknown` if there is none."""
    metadata = distribution(name).metadata
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in metadata.get_all("Classifier") or []
        if text.startswith("License :: ") and text != "License :: OSI Approved"
    ]
    text = (metadata["License"] or "").strip()
    first = text.splitlines()[0] if text else ""
    short = first if 0 < len(first) < 60 else ""
    licence = metadata["License-Expression"] or "; ".join(classifiers) or short
    return _FROM_FILES.get(name) or re.sub(r"\s+", " ", licence).replace("|", "/") or "unknown"


def closure(extras: Sequence[str]) -> set[str]:
    """Return the names that `pip install seefood[extras]` installs here, without seefood."""
    pending: list[tuple[str, frozenset[str]]] = [("seefood", frozenset(extras))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while pending:
        entry = pending.pop()
        if entry not in seen:
            seen.add(entry)
            pending.extend(_needs(*entry))
    return {name for name, _ in seen} - {"seefood"}


def _needs(name: str, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    try:
        texts = distribution(name).requires or []
    except PackageNotFoundError:
        return
    for need in map(Requirement, texts):
        environments = [{"extra": extra} for extra in ("", *sorted(extras))]
        if need.marker is None or any(map(need.marker.evaluate, environments)):
            yield canonicalize_name(need.name), frozenset(need.extras)


def page() -> str:
    """Return the text of docs/licences.md."""
    sections = {
        "Packages in the Lambda's zip": packages({*WHEELS, *RUNTIMES.values()}),
        "Packages that `pip install seefood` installs": packages(closure(())),
        "Packages that the extras add ("
        + ", ".join(f"`{name}`" for name in EXTRAS)
        + ")": packages(closure(EXTRAS) - closure(())),
    }
    parts = [_HEAD]
    for title, listed in sections.items():
        rows = "\n".join(f"| {p.name} | {p.version} | {p.licence} |" for p in listed)
        parts.append(
            f"## {title}\n\n| package | version | licence |\n| --- | --- | --- |\n{rows}\n"
        )
    return "\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only check the page")
    if not parser.parse_args(arguments).check:
        PAGE.write_text(page())
        return 0
    listed = set(re.findall(r"^\| ([a-z0-9-]+) \|", PAGE.read_text(), re.MULTILINE))
    missing = {p.name for p in packages({*WHEELS, *RUNTIMES.values(), *closure(EXTRAS)})} - listed
    if missing:
        sys.stderr.write(
            f"licences: {', '.join(sorted(missing))} are not listed; run `make licences`\n"
        )
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
