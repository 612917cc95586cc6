"""`seefood inspect`: what a bundle is, whether it is intact, and which engines may serve it."""

import json
from collections.abc import Iterator, Mapping
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import click

from seefood.cli.options import model_digest_option, open_bundle
from seefood.engines.registry import EngineSpec, Graph, engine_spec, selectable_engines
from seefood.sanitize import printable

if TYPE_CHECKING:
    from rich.table import Table

    from seefood.bundle import Bundle

_TIMED_CALLS: Final = 15
_MAX_LABELS: Final = 8
_MAX_LINES: Final = 24


@click.command("inspect")
@click.argument("bundle", required=False)
@model_digest_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document, with all files.")
def inspect_command(*, bundle: str | None, model_digest: str | None, as_json: bool) -> int:
    """Verify every file of BUNDLE (default: the one in the box) and tell what it is.

    Each engine that is installed classifies the golden pictures: shown are the largest difference
    from the certificate and the time for one picture. Exit code 1 if an engine is refused that the
    bundle was made for: LiteRT or TensorFlow.

    \b
    Examples:
      seefood inspect
      seefood inspect bundles/flowers --json | jq .digest
    """  # noqa: D301 (click's mark against re-wrapping)
    document = _document(open_bundle(bundle, model_digest))
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print(document)
    return 1 if any(engine["state"] == "refused" for engine in document["engines"]) else 0


def _document(bundle: "Bundle") -> dict[str, Any]:
    from seefood.imaging.resize import resized_by

    spec = bundle.spec
    files = {
        name: {"bytes": path.stat().st_size, "sha256": digest}
        for name, digest in sorted(bundle.files.items())
        if (path := bundle.file(name)).is_file()
    }
    return {
        "path": str(bundle.path),
        "name": spec.name,
        "digest": bundle.digest,
        "labels": list(spec.labels),
        "input": {
            "height": spec.rule.height,
            "width": spec.rule.width,
            "fit": spec.rule.fit,
            "filter": spec.rule.filter,
            "scaled_decode": spec.rule.scaled_decode,
            "resized_by": resized_by(spec.rule.filter),
        },
        "thresholds": dict(zip(spec.labels, spec.thresholds, strict=True)),
        "certificate": {
            "tolerance": spec.certificate.tolerance,
            "pictures": len(spec.certificate.goldens),
        },
        "engines": [_engine(bundle, spec) for spec in selectable_engines()],
        "bytes": sum(file["bytes"] for file in files.values()),
        "files": files,
        "training": dict(spec.training),
        "metrics": dict(spec.metrics),
    }


def _engine(bundle: "Bundle", spec: EngineSpec) -> dict[str, Any]:
    """Return an engine's difference from the certificate and speed, or why it cannot be used."""
    from seefood.engines.certificate import certify
    from seefood.engines.loading import load_engine
    from seefood.errors import BundleError, UsageError
    from seefood.imaging.decode import decode

    if not (bundle.has_litert if spec.graph is Graph.LITERT else bundle.has_saved_model):
        return {"name": spec.name, "state": "absent", "reason": "its graph is not in this bundle"}
    if not spec.is_installed:
        return {"name": spec.name, "state": "absent", "reason": f"{spec.title} is not installed"}
    try:
        engine = load_engine(bundle, spec.name)
    except (BundleError, UsageError) as error:  # UsageError: not on this processor
        # An engine that the bundle was not made for may round more; that is no damage.
        state = "refused" if spec.is_exact else "unsuited"
        return {"name": spec.name, "state": state, "reason": str(error)}
    golden = bundle.spec.certificate.goldens[0].file
    image = decode(bundle.file(golden).read_bytes(), bundle.spec.rule).pixels[None]
    seconds = []
    for _ in range(_TIMED_CALLS):
        start = perf_counter()
        engine.predict(image)
        seconds.append(perf_counter() - start)
    return {
        "name": spec.name,
        "state": "certified",
        "difference": certify(engine, bundle, spec.tolerance),
        "milliseconds": round(median(seconds) * 1000, 2),
    }


def _print(document: Mapping[str, Any]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(_facts(document))
    console.print()
    console.print(_engines(document))
    for part in ("training", "metrics"):
        if document[part]:
            console.print()
            console.print(_nested(part, document[part]))


def _facts(document: Mapping[str, Any]) -> "Table":
    rule, shown = document["input"], document["labels"][:_MAX_LABELS]
    more = len(document["labels"]) - len(shown)
    thresholds = sorted(set(document["thresholds"].values()))
    facts = {
        "name": document["name"],
        "folder": document["path"],
        "digest": document["digest"],
        "labels": ", ".join(shown) + (f" and {more:,} more" if more else ""),
        "input": f"{rule['height']} x {rule['width']} RGB, {rule['fit']}, {rule['filter']}, "
        f"resized by {rule['resized_by']}",
        "unsure": _unsure(thresholds),
        "files": f"{len(document['files'])}, all intact, {_size(document['bytes'])}",
        "certificate": f"{document['certificate']['pictures']} pictures, "
        f"tolerance {document['certificate']['tolerance']:g}",
    }
    table = _table()
    for name, value in facts.items():
        table.add_row(name, _text(value))
    return table


def _engines(document: Mapping[str, Any]) -> "Table":
    table = _table("engine", "certified", "off by", "one picture", "file")
    for engine in document["engines"]:
        if engine["state"] == "certified":
            cells = [f"{engine['difference']:.1e}", f"{engine['milliseconds']:.1f} ms"]
            table.add_row(engine["name"], "yes", *cells, _size(_graph_bytes(document, engine)))
        else:
            table.add_row(engine["name"], "no", _text(engine["reason"]))
    return table


def _graph_bytes(document: Mapping[str, Any], engine: Mapping[str, Any]) -> int:
    is_litert = engine_spec(engine["name"]).graph is Graph.LITERT
    return sum(
        file["bytes"]
        for name, file in document["files"].items()
        if (name.endswith(".tflite") if is_litert else not name.startswith("assets.extra/"))
    )


def _nested(title: str, values: Mapping[str, Any]) -> "Table":
    table = _table(title, "")
    lines = list(_flat(values))
    for name, value in lines[:_MAX_LINES]:
        table.add_row(_text(name), _text(value))
    if len(lines) > _MAX_LINES:
        table.add_row("…", f"{len(lines) - _MAX_LINES} more with --json")
    return table


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, float):
            yield f"{prefix}{name}", f"{value:.4g}"
        elif isinstance(value, list):
            yield f"{prefix}{name}", _shortened(", ".join(map(str, value)))
        else:
            yield f"{prefix}{name}", _shortened(str(value))


def _shortened(text: str, longest: int = 100) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _unsure(thresholds: list[float]) -> str:
    if thresholds == [0.0]:
        return "never"
    ends = [thresholds[0], *thresholds[-1:]] if len(thresholds) > 1 else thresholds
    return f"top score below {' to '.join(f'{end:.3f}' for end in ends)}"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"


def _text(value: object) -> Any:
    """Return `value` safe to print: a bundle's words are not the terminal's commands."""
    from rich.text import Text

    return Text(printable(str(value)))


def _table(*columns: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=bool(columns))
    for name in columns or ("", ""):
        table.add_column(name, justify="right" if name in {"off by", "one picture"} else "left")
    return table
