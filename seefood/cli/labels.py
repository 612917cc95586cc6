"""`seefood labels`: one final label a picture, out into files and in from files."""

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from seefood.cli.profile_options import profile_option
from seefood.corrections.label_files import label_file_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from seefood.corrections import CorrectionLog
    from seefood.corrections.label_files import FinalLabel, LabelFile
    from seefood.results.output_rows import OutputRows
    from seefood.storage.uris import Location


@click.command("labels")
@click.argument("dest")
@profile_option
@click.option("--output", metavar="FILE", help="A file, folder or URI to write; see below.")
@click.option("--from", "source", metavar="FILE", help="Read labels that people gave elsewhere.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(label_file_names()),
    help="The kind of the file.  [default: by its name]",
)
@click.option("--reviewer", metavar="NAME", help="Who gave the labels of --from.  [default: you]")
@click.option("--labels", "more", metavar="A,B", multiple=True, help="Labels to know beside.")
@click.option(
    "--model-digest",
    metavar="DIGEST",
    help="Only the rows of this model; its digest or the first 12 digits.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a picture.")
def labels_command(*, dest: str, as_json: bool, **options: Any) -> None:
    """Write the final label of each picture below DEST: what a person said, else the model.

    Each picture has uri, etag, label, by (person or model) and score, which is what the model gave
    to that label; where models give a picture several labels, `labels` has them all. FILE is a
    table (.parquet, .csv, .jsonl), Label Studio's JSON (.json), a Hugging Face metadata.csv, or a
    folder/ with a list of URIs for each label. --from reads the same kinds: what people said there
    becomes corrections. Without FILE the labels are counted.

    \b
    Examples:
      seefood labels results
      seefood labels s3://labels/2026 --output labels.parquet
      seefood labels results --output lists/
      seefood labels results --from project-1.json --reviewer ada
      seefood labels results --json | jq -r 'select(.by == "person") | .uri'
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.corrections import CorrectionLog
    from seefood.corrections.label_files import label_file
    from seefood.corrections.output_labels import final_labels
    from seefood.results.output_rows import open_rows
    from seefood.storage.uris import parse_location

    output, source = options["output"], options["source"]
    kinds = [label_file(options["file_format"], path) for path in (output, source) if path]
    rows = open_rows(parse_location(dest), options["model_digest"])
    log = CorrectionLog(rows.output)
    log.refresh()
    if source:
        _import(rows, log, kinds[-1], options)
    labels = final_labels(rows, log.corrections)
    if as_json:
        labels = _printed(labels)
    counts: Counter[tuple[str | None, str]] = Counter()
    labels = _counted(labels, counts)
    if output:
        base = _base(rows, kinds[0], parse_location(output))
        _write(kinds[0].encode(labels, base), output, is_folder=kinds[0].is_folder)
    for _ in labels:
        pass
    _report(counts, err=as_json)


def _import(
    rows: "OutputRows", log: "CorrectionLog", kind: "LabelFile", options: "Mapping[str, Any]"
) -> None:
    from seefood.corrections.known_labels import parse_labels
    from seefood.corrections.output_labels import import_labels
    from seefood.errors import UsageError
    from seefood.review.reviewer import known_labels, reviewer_name

    path = options["source"]
    try:
        lines = list(kind.decode(_read(path, is_folder=kind.is_folder)))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{path} is no {kind.name} file of labels ({error}); check it, or give --format"
        ) from error
    known = known_labels(rows, log.corrections, parse_labels(options["more"]))
    done = import_labels(rows, log, lines, reviewer=reviewer_name(options["reviewer"]), known=known)
    for what, count in sorted(done.counts.items()):
        click.echo(f"{count:>9,}  {what}", err=True)


def _read(path: str, *, is_folder: bool) -> "dict[str, bytes]":
    from seefood.errors import UsageError
    from seefood.nearest import nearest_path
    from seefood.storage import open_store, read
    from seefood.storage.uris import parse_location

    location = parse_location(path)
    try:
        if not is_folder:
            return {"": read(location)}
        refs = open_store(location.root).list(f"{location.key.rstrip('/')}/")
        files = {ref.uri: read(parse_location(ref.uri)) for ref in refs}
    except FileNotFoundError as error:
        near = nearest_path(path)
        raise UsageError(f"there is no file at {path}; check the path{near}") from error
    return {parse_location(uri).key.rpartition("/")[2]: data for uri, data in files.items()}


def _write(files: "Mapping[str, bytes]", output: str, *, is_folder: bool) -> None:
    from seefood.runs.summary import shown
    from seefood.sanitize import printable
    from seefood.storage import write
    from seefood.storage.uris import parse_location

    location = parse_location(output)
    for name, data in files.items():
        write(location.child(name) if is_folder else location, data)
    click.echo(f"Written: {printable(shown(location))}", err=True)


def _base(rows: "OutputRows", kind: "LabelFile", target: "Location") -> str:
    """Return what file names are relative to: the folder of the file, or that of all pictures."""
    from seefood.corrections.output_labels import common_folder

    if kind.name != "hugging-face":
        return ""
    common = common_folder(rows)
    folder = target.uri.rpartition("/")[0] + "/"
    if common.startswith(folder):
        return folder
    click.echo(f"The file names are relative to {common}: put the file there.", err=True)
    return common


def _printed(labels: "Iterable[FinalLabel]") -> "Iterator[FinalLabel]":
    from seefood.corrections.label_files.tables import as_document

    for label in labels:
        click.echo(json.dumps(as_document(label), ensure_ascii=True))
        yield label


def _counted(
    labels: "Iterable[FinalLabel]", counts: "Counter[tuple[str | None, str]]"
) -> "Iterator[FinalLabel]":
    for label in labels:
        for name in label.names or (None,):
            counts[name, label.by] += 1
        yield label


def _report(counts: "Counter[tuple[str | None, str]]", *, err: bool) -> None:
    """Print how many pictures have each label, and how many of them by a person."""
    from seefood.corrections import By
    from seefood.sanitize import printable

    totals: Counter[str | None] = Counter()
    for (label, _), count in counts.items():
        totals[label] += count
    click.echo(f"{'pictures':>9}  {'by people':>9}  label", err=err)
    for label, count in totals.most_common():
        name = "(no label)" if label is None else printable(label)
        click.echo(f"{count:>9,}  {counts[label, By.PERSON]:>9,}  {name}", err=err)
