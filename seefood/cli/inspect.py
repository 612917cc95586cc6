"""`seefood inspect`: verifies a bundle and shows its contents and its engines."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from seefood.cli.options import model_digest_option, open_bundle
from seefood.engines.registry import Graph, engine_spec
from seefood.records import DIGEST_SHOWN
from seefood.risk_curve import asked_percent, describe_curve
from seefood.sanitize import printable

if TYPE_CHECKING:
    from rich.table import Table


_CHANNELS: Final = {"rgb": "RGB", "grey": "grey"}
_MAX_LABELS: Final = 8
_MAX_LINES: Final = 12
_DETAILS: Final = ("confusion", "by_", "schedule", "augmentation", "unsure")
"""Tables and settings that only --json prints; `unsure` is in the summary above."""


@click.command("inspect")
@click.argument("bundle", required=False)
@model_digest_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, with all files.")
def inspect_command(*, bundle: str | None, model_digest: str | None, as_json: bool) -> int:
    """Verify every file of BUNDLE (default: the built-in one) and show its contents.

    Each installed engine classifies the golden pictures; the table shows the largest difference
    from the certificate and the time for one picture. The exit code is 1 if LiteRT or TensorFlow,
    for which bundles are made, is refused.

    \b
    Examples:
      seefood inspect
      seefood inspect bundles/flowers --json | jq .digest
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.cli.working import working

    with working("classifying the golden pictures with each engine"):
        from seefood.engines.inspection import describe_bundle

        document = describe_bundle(open_bundle(bundle, model_digest, with_variants=True))
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print(document)
    engines = [*document["engines"], *(each["engine"] for each in document["variants"])]
    return 1 if any(engine["state"] == "refused" for engine in engines) else 0


def _print(document: Mapping[str, Any]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(_summary(document))
    console.print()
    console.print(_engines(document))
    for engine in document["engines"]:
        if engine["state"] != "certified":
            console.print(_text(f"{engine['name']}: {engine['reason']}"))
    if document["variants"]:
        console.print()
        console.print(_variants(document["variants"]))
    if document["variants_left_out"]:
        names = ", ".join(map(printable, document["variants_left_out"]))
        console.print(f"\nfaster variants that this copy is without: {names}", markup=False)
    for part in ("training", "metrics"):
        if document[part]:
            console.print()
            console.print(_nested(part, document[part]))


def _summary(document: Mapping[str, Any]) -> "Table":
    rule, shown = document["input"], document["labels"][:_MAX_LABELS]
    more = len(document["labels"]) - len(shown)
    thresholds = sorted(set(document["thresholds"].values()))
    rows = {
        "name": document["name"],
        "folder": document["path"],
        "digest": document["digest"],
        "labels": ", ".join(shown) + (f" and {more:,} more" if more else ""),
        "input": f"{rule['height']} x {rule['width']} {_CHANNELS[rule['channels']]}, "
        f"{rule['fit']}, {rule['filter']}, resized by {rule['resized_by']}",
        "unsure": _unsure(thresholds) + _reached(document["training"].get("unsure")),
        **_curve(document["training"].get("unsure")),
        "files": f"{len(document['files'])}, all intact, {_size(document['bytes'])}",
        "certificate": f"{document['certificate']['pictures']} pictures, "
        f"tolerance {document['certificate']['tolerance']:g}",
        "features": _features(document["features"]),
    }
    table = _table()
    for name, value in rows.items():
        table.add_row(name, _text(value))
    return table


def _engines(document: Mapping[str, Any]) -> "Table":
    table = _table("engine", "certified", "off by", "one picture", "file")
    for engine in document["engines"]:
        if engine["state"] == "certified":
            cells = [f"{engine['difference']:.1e}", f"{engine['milliseconds']:.1f} ms"]
            table.add_row(engine["name"], "yes", *cells, _size(_graph_bytes(document, engine)))
        else:
            table.add_row(engine["name"], "no")
    return table


def _variants(variants: Sequence[Mapping[str, Any]]) -> "Table":
    table = _table("variant", "digest", "engine", "one picture", "of its time", "accuracy, points")
    for each in variants:
        loss, engine = each["loss"], each["engine"]
        speed = f"{engine['milliseconds']:.1f} ms" if engine["state"] == "certified" else "-"
        low, high = loss["interval_95"]
        table.add_row(
            _text(each["name"]),
            each["digest"][:DIGEST_SHOWN],
            engine["name"],
            speed,
            f"{each['time_share']:.0%}",
            _text(
                f"{-loss['points']:+.2f} ({-high:+.2f} to {-low:+.2f}), "
                f"{loss['labels_differ']:.1%} of labels differ, "
                f"on {loss['pictures']:,} of {loss['data']}"
            ),
        )
        if engine["state"] != "certified":
            table.add_row("", "", "", "", "", _text(engine["reason"]))
    return table


def _graph_bytes(document: Mapping[str, Any], engine: Mapping[str, Any]) -> int:
    suffix = {Graph.LITERT: ".tflite", Graph.ONNX: ".onnx"}.get(engine_spec(engine["name"]).graph)
    return sum(
        file["bytes"]
        for name, file in document["files"].items()
        if (name.endswith(suffix) if suffix else not name.startswith("assets.extra/"))
    )


def _nested(title: str, values: Mapping[str, Any]) -> "Table":
    table = _table(title, "")
    lines = list(_flat(values))
    # A part of a name decides: `validation.confusion.hotdog.hotdog`, `test.accuracy_by_source.x`.
    shown = [line for line in lines if not any(each in line[0] for each in _DETAILS)][:_MAX_LINES]
    for name, value in shown:
        table.add_row(_text(name), _text(value))
    if len(lines) > len(shown):
        table.add_row("…", f"{len(lines) - len(shown)} more with --json")
    return table


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and {"value", "count", "of"} <= value.keys():
            yield f"{prefix}{name}", _share(value)
        elif isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, float):
            yield f"{prefix}{name}", f"{value:.4g}"
        elif isinstance(value, list):
            yield f"{prefix}{name}", _shortened(", ".join(map(_words, value)))
        else:
            yield f"{prefix}{name}", _shortened(str(value))


def _words(value: object) -> str:
    """Return an entry of a list such as `number 1, loss 0.31`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in _flat(value))
    return str(value)


def _share(share: Mapping[str, Any]) -> str:
    """Return a share such as `95.3% (93.1 to 96.8), 505 of 530`."""
    value = share["value"]
    ends: Any = share.get("interval_95")
    if not isinstance(value, int | float):
        return f"{share['count']} of {share['of']}"
    interval = ""
    if isinstance(ends, list) and len(ends) == 2 and all(isinstance(e, float) for e in ends):
        interval = f" ({100 * ends[0]:.1f} to {100 * ends[1]:.1f})"
    return f"{value:.1%}{interval}, {share['count']} of {share['of']}"


def _shortened(text: str, limit: int = 100) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _unsure(thresholds: list[float]) -> str:
    if thresholds == [0.0]:
        return "never"
    ends = [thresholds[0], *thresholds[-1:]] if len(thresholds) > 1 else thresholds
    return f"top score below {' to '.join(f'{end:.3f}' for end in ends)}"


def _features(features: Mapping[str, Any] | None) -> str:
    if features is None:
        return "none stated; `seefood features BUNDLE` looks for them"
    return f"{features['dimension']:,} numbers, certified for {', '.join(features['graphs'])}"


def _reached(record: object) -> str:
    """Return what the thresholds were asked for and what they reach, if the bundle states it."""
    if not isinstance(record, Mapping):
        return ""
    names = ("asked_wrong", "wrong_among_accepted", "unsure", "pictures")
    values = [it for name in names if isinstance(it := record.get(name), int | float)]
    if len(values) < len(names):
        return ""
    asked, wrong, unsure, pictures = values
    reached = ", not reached" if wrong > asked else ", not shown for new photos"
    reached = "" if record.get("is_reached") else reached
    return (
        f"; asked at most {asked_percent(asked)} mistakes among the accepted{reached}: "
        f"{wrong:.1%}, with {unsure:.0%} unsure, on {pictures:,} photos"
    )


def _curve(record: object) -> dict[str, str]:
    """Return a row for the mistakes by the share left unsure, if the bundle states them."""
    points = record.get("curve") if isinstance(record, Mapping) else None
    if not isinstance(points, list) or not points:
        return {}
    is_pair = [
        isinstance(point, list)
        and len(point) == 2
        and all(isinstance(value, int | float) for value in point)
        for point in points
    ]
    return {"by threshold": describe_curve(points)} if all(is_pair) else {}


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"


def _text(value: object) -> Any:
    """Return `value` as text without markup or control characters, which a bundle may contain."""
    from rich.text import Text

    return Text(printable(str(value)))


def _table(*columns: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=bool(columns))
    for name in columns or ("", ""):
        table.add_column(name, justify="right" if name in {"off by", "one picture"} else "left")
    return table
