"""Prepares a release, up to the upload: `make release`.

    python infra/release.py            checks, builds, checks what was built, writes the SBOM

It shows each step before it runs it, stops at the first that fails, and uploads nothing: the last
line is the command that would. Everything is written to `dist/`.
"""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DIST: Final = ROOT / "dist"
UV: Final = ROOT / ".venv" / "bin" / "uv"
# Each tool runs in an environment of its own: their pinned packages conflict with ours.
_TWINE: Final = "twine==7.0.0"
_CONTENTS: Final = "check-wheel-contents==0.6.3"
_SBOM: Final = "cyclonedx-bom==7.5.0"
# Bundles have files of equal content (golden pictures), and the wheel holds four packages.
_CONTENTS_IGNORED: Final = "W002,W009"


def main() -> None:
    """Run every step. Exits with a sentence if one fails."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    _check_changelog(version)
    _check_committed()
    for old in DIST.glob("*"):
        old.unlink()
    _run("build", str(UV), "build", "--quiet", "--out-dir", str(DIST))
    built = [str(each) for each in sorted(DIST.glob("seefood-*"))]
    wheel = next(each for each in built if each.endswith(".whl"))
    _tool(_TWINE, "twine", "check", "--strict", *built)
    _tool(_CONTENTS, "check-wheel-contents", "--ignore", _CONTENTS_IGNORED, wheel)
    sbom = DIST / f"seefood-{version}.cdx.json"
    _tool(
        *(_SBOM, "cyclonedx-py", "requirements", "--output-reproducible"),
        *("--pyproject", "pyproject.toml", "--output-file", str(sbom), "constraints.txt"),
    )
    for each in sorted(DIST.glob("seefood-*")):
        print(f"{each.stat().st_size:>12,} bytes  {each.relative_to(ROOT)}")
    print(f"Nothing was uploaded. To publish: git tag v{version} && twine upload dist/seefood-*")


def _check_changelog(version: str) -> None:
    """Exit unless CHANGELOG.md has a section of this version, or one that is not released."""
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    if not any(each.startswith((version, "Unreleased")) for each in headings):
        sys.exit(f"CHANGELOG.md has no section {version}; its sections are {', '.join(headings)}")
    print(f"version {version}; CHANGELOG.md begins with {headings[0]!r}")


def _check_committed() -> None:
    """Exit if tracked files differ from the last commit: the archives would not be its content."""
    command = ["git", "status", "--porcelain", "--untracked-files=no"]
    changed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    if changed:
        sys.exit(f"commit these files first:\n{changed}")


def _tool(package: str, *command: str) -> None:
    _run(command[0], str(UV), "tool", "run", "--quiet", "--from", package, *command)


def _run(name: str, *command: str) -> None:
    print(f"$ {shlex.join([Path(command[0]).name, *command[1:]])}", flush=True)
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit(f"{name} failed")


if __name__ == "__main__":
    main()
