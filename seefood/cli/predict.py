"""`seefood predict`: label a few pictures, one line each."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seefood.cli.limit_options import classify_options, limit_options
from seefood.cli.options import (
    FastCommand,
    chosen_model,
    engine_option,
    fast_option,
    model_digest_option,
    model_option,
    top_k_option,
)
from seefood.cli.profile_options import profile_option
from seefood.cli.warm_up import start_worker_early
from seefood.sanitize import printable

if TYPE_CHECKING:
    from seefood.classification import Fetched
    from seefood.records import Row


@click.command("predict", cls=FastCommand)
@click.argument("images", nargs=-1, required=True)
@profile_option
@model_option
@model_digest_option
@engine_option
@fast_option
@top_k_option
@limit_options
@click.option("--json", "as_json", is_flag=True, help="One JSON row a line, as in the results.")
def predict_command(*, images: Sequence[str], as_json: bool, **params: Any) -> int:
    """Label each IMAGE (a file, a URI, or - for stdin) and print one line for it.

    Exit code 1 if a picture could not be classified.

    \b
    Examples:
      seefood predict lunch.jpg
      seefood predict --json s3://photos/lunch.jpg | jq .label
      curl -s https://example.org/lunch.jpg | seefood predict -
    """  # noqa: D301 (click's mark against re-wrapping)
    start_worker_early(threads=1)
    from seefood.bundle import load_bundle
    from seefood.classification import Model, failed_row
    from seefood.errors import PictureError
    from seefood.results.formats.jsonl import encode_json_row
    from seefood.workers.isolated import IsolatedWorker
    from seefood.workers.protocol import WorkerConfig

    chosen = chosen_model(params)
    path, digest = chosen.path, chosen.digest
    config = WorkerConfig(str(path), digest, chosen.engine, classify_options(params), threads=1)
    worker = IsolatedWorker(config)
    worker.begin()  # it loads the model while the pictures are fetched
    try:
        sources = [_fetch(image) for image in images]
        model = Model.of(load_bundle(path, expected_digest=digest))
        failed = False
        for image, (ref, source) in zip(images, sources, strict=True):
            if isinstance(source, PictureError):
                row = failed_row(ref, source, worker.engine_name, model)
            else:
                row = worker.classify_one(ref, model, source)
            failed = failed or row.label is None
            click.echo(encode_json_row(row) if as_json else _line(image, row), nl=not as_json)
    finally:
        worker.close()
    return 1 if failed else 0


def _fetch(image: str) -> "Fetched":
    """Return the bytes of one picture. Raises `UsageError` if a local file is missing."""
    from seefood.errors import PictureError, UsageError
    from seefood.nearest import nearest_path
    from seefood.records import ImageRef
    from seefood.storage import open_store
    from seefood.storage.uris import parse_location

    if image == "-":
        data = sys.stdin.buffer.read()
        return ImageRef("-", size_bytes=len(data)), data
    location = parse_location(image)
    store = open_store(location.root)
    ref = ImageRef(location.uri)
    if location.is_local:
        path = Path(location.key)
        if not path.is_file():
            is_folder = path.is_dir()
            cause = "is a folder; use `seefood classify`" if is_folder else "does not exist"
            near = "" if is_folder else nearest_path(image)
            raise UsageError(f"{image} {cause}; `predict` takes pictures{near}")
        (ref,) = store.list(location.key)
    try:
        data = store.fetch(ref)
    except PictureError as error:
        return ref, error
    return replace(ref, size_bytes=len(data)), data


def _line(image: str, row: "Row") -> str:
    """Return a row as one line of text, such as `lunch.jpg  hotdog  97.3%`."""
    name = printable(image)
    if row.score is None:
        return f"{name}  failed  {row.error_code}: {printable(row.error_message or '')}"
    note = "  (unsure)" if str(row.status) == "unsure" else ""
    note = "  (salvaged)" if row.error_code is not None else note
    labels = [
        f"{printable(label)}  {score:.1%}" if score is not None else printable(label)
        for label, score in row.scored_labels
    ]
    return f"{name}  {',  '.join(labels)}{note}"
