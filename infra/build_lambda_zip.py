"""Builds the Lambda's zip without Docker, for x86_64 and arm64, reproducibly.

    python infra/build_lambda_zip.py                       build/lambda-x86_64.zip and -arm64.zip
    python infra/build_lambda_zip.py --model my-bundle     with another model

The zip contains `lambda/`, the core package, a bundle without its SavedModel, and the wheels that
`constraints.txt` pins with hashes: LiteRT's, or ONNX Runtime's for a bundle that has only an ONNX
graph. Files that the handler never loads (tests, headers, other
accelerators) are left out, because Lambda reads the package at each cold start. Bytecode is
included whatever Python builds it: one of the runtime's version is looked for, and uv installs it
if there is none. Without bytecode a cold start would compile every module.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
ARCHITECTURES: Final = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
"""Lambda's names to uv's. Runtimes from python3.12 on have glibc 2.34."""
PYTHON: Final = "3.13"
"""The version of the runtime in `infra/template.yaml`."""
MAX_UNPACKED_BYTES: Final = 250 * 1024 * 1024
"""Lambda's limit."""

# Every wheel in the zip but the one that runs the network (`RUNTIMES`). Nothing else is installed,
# so a missing dependency is an ImportError in the tests that run the zip.
WHEELS: Final = (
    "aws-lambda-powertools",  # logs and metrics
    "jinja2",  # the web page
    "jmespath",  # imported by Powertools
    "markupsafe",  # imported by Jinja
    "multipart",  # forms
    "numpy",  # pictures are arrays
    "obstore",  # S3
    "pi-heif",  # HEIC, decoding only: pillow-heif brings a 22 MB encoder under the GPL
    "pillow",  # all other formats
    "typing-extensions",  # imported by Powertools and obstore
)
RUNTIMES: Final = {"model.tflite": "ai-edge-litert", "model.onnx": "onnxruntime"}
"""The wheel that runs a bundle's graph, by the graph's file; the first that the bundle has."""
# Parts of `seefood` that the handler never imports. Of the models only the chosen one is copied.
_CORE_LEFT_OUT: Final = frozenset(
    {
        *("__main__.py", "__pycache__", "actions", "audit", "cli", "corrections", "duplicates"),
        *("explain", "likeness", "local_http"),
        *("models", "prices", "report", "review", "runs", "sources", "synthetic", "workers"),
    }
)
# Files of the wheels that the handler never loads.
_LEFT_OUT: Final = re.compile(
    r"""
      (^|/)(__pycache__|tests?|testing|include|examples)/
    | \.(pyi|pxd|c|h|hpp|lib|a|cmake|pc|typed)$
    | \.dist-info/(RECORD|INSTALLER|REQUESTED|WHEEL|direct_url\.json|entry_points\.txt)$
    | ^bin/
    | ^numpy/(f2py|distutils|_pyinstaller|doc|polynomial)/
    | ^numpy/_core/(_simd|_\w+_tests)\.
    | ^PIL/_(imagingtk|imagingft|avif_never)\.
    | ^PIL/(ImageTk|ImageQt|ImageShow|_tkinter_finder)\.py$
    | ^pillow\.libs/lib(freetype|harfbuzz|brotlicommon|brotlidec|png16)-
    | ^ai_edge_litert/(aot|tflite|tools|vendors)/
    | ^ai_edge_litert/libLiteRt(WebGpuAccelerator)?\.so$
    | ^ai_edge_litert/(?!_pywrap_litert_interpreter_wrapper)[^/]*wrapper[^/]*\.so$
    | ^ai_edge_litert/_pywrap_(analyzer|litert_converter|modify|string|tensorflow|tfl)
    | ^ai_edge_litert/pywrap_genai
    | ^ai_edge_litert/(schema_py_generated|.*_pb2)\.py$
    | ^onnxruntime/(backend|datasets|quantization|tools|transformers)/
    | ^onnxruntime/capi/(training/|libonnxruntime_providers_(?!shared))
    | ^aws_lambda_powertools/(event_handler|utilities/(batch|data_masking|feature_flags|
        idempotency|kafka|parameters|parser|streaming|validation|data_classes))/
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Package:
    """A zip file and its measures."""

    path: Path
    zipped_bytes: int
    unpacked_bytes: int
    sha256: str
    """Hexadecimal."""
    has_bytecode: bool


def build_zip(
    output: Path,
    *,
    architecture: str = "x86_64",
    python: str = PYTHON,
    model: Path | None = None,
    source: Path = ROOT,
    fast: bool = False,
) -> Package:
    """Build the zip `output` from the checkout `source`. Overwrites it atomically.

    `model` is a bundle's folder, by default the hotdog bundle of `source`. With `fast` the zip has
    its faster variants too, which SEEFOOD_FAST needs.

    Raises `ValueError` if a bundle or a pin is missing, `CalledProcessError` if uv fails.
    """
    with tempfile.TemporaryDirectory(prefix="seefood-lambda-") as temporary:
        root = Path(temporary) / "package"
        root.mkdir()
        bundle = model or source / "seefood" / "models" / "hotdog"
        requirements = Path(temporary) / "requirements.txt"
        names = sorted([*WHEELS, runtime_of(bundle)])
        requirements.write_text(pins((source / "constraints.txt").read_text(), names))
        _install_wheels(root, requirements, ARCHITECTURES[architecture], python)
        _copy_own(root, source, bundle, fast=fast)
        has_bytecode = _compile(root, python)
        unpacked = sum(file.stat().st_size for file in _files(root))
        if unpacked > MAX_UNPACKED_BYTES:
            raise ValueError(
                f"{unpacked:,} bytes unpacked are more than the {MAX_UNPACKED_BYTES:,} that "
                "Lambda takes; use a smaller model, or a container image (infra/lambda.Dockerfile)"
            )
        output.parent.mkdir(parents=True, exist_ok=True)
        partial = output.with_name(f".{output.name}.partial")
        _write_zip(root, partial)
        partial.replace(output)
    data = output.read_bytes()
    return Package(output, len(data), unpacked, hashlib.sha256(data).hexdigest(), has_bytecode)


def pins(constraints: str, names: Sequence[str]) -> str:
    """Return the entries of `names` in the text of a constraints file, with their hashes.

    Raises `ValueError` if one is missing.
    """
    entries = re.split(r"\n(?=\S)", constraints.strip())
    by_name = {re.split(r"[=;\s\[]", entry, maxsplit=1)[0].lower(): entry for entry in entries}
    missing = [name for name in names if name not in by_name]
    if missing:
        raise ValueError(f"constraints.txt does not pin {', '.join(missing)}; run `make lock`")
    return "\n".join(by_name[name] for name in names) + "\n"


def runtime_of(bundle: Path) -> str:
    """Return the wheel that runs the graph of `bundle`. Raises `ValueError` if there is none."""
    for file, wheel in RUNTIMES.items():
        if (bundle / "assets.extra" / file).is_file():
            return wheel
    raise ValueError(
        f"there is no bundle with a LiteRT or ONNX graph at {bundle}; name one with --model"
    )


def _install_wheels(root: Path, requirements: Path, platform: str, python: str) -> None:
    everything = requirements.with_name("wheels")
    subprocess.run(
        [
            *(_uv(), "pip", "install", "--quiet", "--no-deps", "--require-hashes"),
            *("--only-binary", ":all:", "--no-compile-bytecode"),
            *("--python-platform", platform, "--python-version", python),
            *("--target", everything, "--requirement", requirements),
        ],
        check=True,
    )
    for file in _files(everything):
        name = file.relative_to(everything).as_posix()
        if not _LEFT_OUT.search(name):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(file, root / name)


def _copy_own(root: Path, source: Path, model: Path, *, fast: bool) -> None:
    """Copy the handler, the core and the bundle."""
    ignored = shutil.ignore_patterns("__pycache__", "local_*.py", "*.md", ".*")
    shutil.copytree(source / "lambda", root, ignore=ignored, dirs_exist_ok=True)
    for entry in sorted((source / "seefood").iterdir()):
        if entry.name in _CORE_LEFT_OUT:
            continue
        target = root / "seefood" / entry.name
        target.parent.mkdir(exist_ok=True)
        if entry.is_dir():
            shutil.copytree(entry, target, ignore=ignored)
        else:
            shutil.copyfile(entry, target)
    # The handler loads the core's built-in model, so the chosen bundle goes to the same place.
    built_in = root / "seefood" / "models" / "hotdog"
    without = None if fast else shutil.ignore_patterns("variants")
    shutil.copytree(model / "assets.extra", built_in / "assets.extra", ignore=without)


def _compile(root: Path, python: str) -> bool:
    """Compile every module with hash-based bytecode; return whether a fitting Python was found."""
    interpreter = _find_python(python)
    if interpreter is None:
        return False
    subprocess.run(
        [
            *(interpreter, "-E", "-s", "-m", "compileall", "-q", "-j", "1", "-f"),
            *("--invalidation-mode", "unchecked-hash"),
            *("-s", root, "-p", "/var/task", root),
        ],
        check=True,
        env={"PYTHONHASHSEED": "0"},
    )
    return True


def _find_python(version: str) -> str | None:
    """Return the path of a Python of exactly this minor version, or None.

    Looks for an installed one, also among pyenv's, and lets uv install one otherwise.
    """
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        return sys.executable
    find = ("python", "find", "--no-python-downloads", version)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    of_pyenv = sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
    return (
        _uv_output(*find)
        or (str(of_pyenv[-1]) if of_pyenv else None)
        or (_uv_output("python", "install", "--quiet", version) or _uv_output(*find))
    )


def _uv_output(*arguments: str) -> str | None:
    """Return what uv prints; None if it fails or prints nothing."""
    done = subprocess.run([_uv(), *arguments], check=False, capture_output=True, text=True)
    return done.stdout.strip() or None if done.returncode == 0 else None


def _write_zip(root: Path, output: Path) -> None:
    """Zip all files below `root`, sorted and without times and owners, for reproducible bytes."""
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in sorted(_files(root), key=lambda file: file.relative_to(root).as_posix()):
            entry = zipfile.ZipInfo(file.relative_to(root).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, on every machine
            entry.external_attr = (0o755 if ".so" in file.suffixes else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())


def _files(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())


def _uv() -> str:
    """Return the uv of this environment, or the one on the path."""
    beside = Path(sys.executable).with_name("uv")
    path = str(beside) if beside.is_file() else shutil.which("uv")
    if path is None:
        raise ValueError('uv is not installed; run `pip install "seefood[dev]"`')
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the zips and print their path, size and hash."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--architecture", choices=ARCHITECTURES, help="default: both")
    parser.add_argument("--python", default=PYTHON, help="of the runtime (default: %(default)s)")
    parser.add_argument("--model", type=Path, help="the bundle (default: the built-in model)")
    parser.add_argument("--fast", action="store_true", help="with the model's faster variants")
    parser.add_argument("--output", type=Path, default=ROOT / "build", help="folder, or a .zip")
    args = parser.parse_args(arguments)
    for architecture in [args.architecture] if args.architecture else ARCHITECTURES:
        output = args.output
        if output.suffix != ".zip":
            output = output / f"lambda-{architecture}.zip"
        try:
            package = build_zip(
                output,
                architecture=architecture,
                python=args.python,
                model=args.model,
                fast=args.fast,
            )
        except (ValueError, subprocess.CalledProcessError) as error:
            sys.stderr.write(f"build_lambda_zip: {error}\n")
            return 1
        sys.stdout.write(
            f"{package.path}  python{args.python} {architecture}  "
            f"{package.zipped_bytes / 1e6:.1f} MB zipped, {package.unpacked_bytes / 1e6:.1f} MB "
            f"unpacked  sha256 {package.sha256}\n"
        )
        if not package.has_bytecode:
            sys.stderr.write(
                f"build_lambda_zip: there is no python{args.python} here and uv cannot install "
                "it, so the zip has no bytecode and starts more slowly; install it and build "
                "again\n"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
