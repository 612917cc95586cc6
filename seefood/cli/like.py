"""`seefood like`: the pictures of an output that are most similar to one."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from seefood.cli.options import model_digest_option, model_option, model_path
from seefood.cli.profile_options import profile_option

if TYPE_CHECKING:
    from seefood.records import ImageRef
    from seefood.vectors import Features


class _Date(click.DateTime):
    """A day or a second; an error shows how one is written."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the time without a zone, as EXIF has it."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(
                f"{value!r} is not a date; write 2026-11-23 or 2026-11-23T08:30:00", param, ctx
            )


_DATE: Final = _Date(("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"))


@click.command("like")
@click.argument("picture", metavar="PICTURE")
@click.argument("dest", metavar="DEST")
@click.option(
    "-k",
    "--count",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    metavar="K",
    help="How many pictures.",
)
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="Only with this label.")
@click.option(
    "--from", "since", type=_DATE, metavar="DATE", help="Only taken then or later (EXIF)."
)
@click.option("--to", "until", type=_DATE, metavar="DATE", help="Only taken before (EXIF).")
@click.option("--page", metavar="FILE", help="Write a page with a contact sheet.")
@profile_option
@model_option
@model_digest_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def like_command(
    *, picture: str, dest: str, count: int, page: str | None, as_json: bool, **params: Any
) -> None:
    """Show the K pictures below DEST that are most similar to PICTURE.

    PICTURE is a file or URI, or the URI of a row. The pictures below DEST were labelled with
    `seefood classify --features` and the same model. No picture of DEST is read again, apart from
    those that --page shows.

    \b
    Examples:
      seefood like lunch.jpg results --page like-lunch.html
      seefood like s3://photos/1.jpg s3://labels -k 10 --label hotdog --json
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.bundle import load_bundle
    from seefood.likeness.found import Filters, SimilarPictures
    from seefood.sanitize import printable
    from seefood.storage import fetch, write
    from seefood.storage.uris import parse_location

    path = model_path(params["model"], params["model_digest"])
    digest = load_bundle(path, expected_digest=params["model_digest"]).digest
    pictures = SimilarPictures(parse_location(dest), digest)
    ref, query = _query(picture, pictures, path)
    since, until = (_utc(params[name]) for name in ("since", "until"))
    found = pictures.find(query, count, Filters(tuple(params["labels"]), since, until))
    if not found:
        click.echo("No picture with these labels was taken at that time.", err=True)
    if as_json:
        click.echo(json.dumps([match.as_json() for match in found], ensure_ascii=True))
    else:
        for match in found:
            score = "" if match.score is None else f"{match.score:.1%}"
            label = printable(match.label or "")
            click.echo(
                f"{match.similarity:6.3f}  {label:20} {score:>6}  {printable(match.ref.uri)}"
            )
    if page:
        from seefood.likeness.page import make_like_page
        from seefood.runs.summary import shown

        location = parse_location(page)
        html = make_like_page(ref, found, dest, fetch)
        write(location, html.encode("utf-8", "backslashreplace"))
        click.echo(f"Page: {shown(location)}", err=as_json)


def _query(picture: str, pictures: Any, bundle: Path) -> "tuple[ImageRef, Features]":
    """Return PICTURE and its features: stored ones if it has a row, else computed ones."""
    from seefood.classification import ClassifyOptions, Model
    from seefood.errors import UsageError
    from seefood.nearest import nearest_path
    from seefood.records import ImageRef
    from seefood.storage import read
    from seefood.storage.uris import parse_location
    from seefood.vectors import real
    from seefood.workers.isolated import IsolatedWorker
    from seefood.workers.protocol import WorkerConfig

    uri = parse_location(picture).uri
    ref = ImageRef(uri)
    try:
        return ref, pictures.features_of(uri)
    except UsageError:
        pass
    from seefood.bundle import load_bundle

    try:
        data = read(parse_location(picture))
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no picture {picture}, and no row with features has that "
            f"URI{nearest_path(picture)}"
        ) from error
    worker = IsolatedWorker(
        WorkerConfig(str(bundle), None, "auto", ClassifyOptions(features=True), threads=1)
    )
    try:
        row = worker.classify_one(ref, Model.of(load_bundle(bundle)), data)
    finally:
        worker.close()
    if row.vector is None:
        raise UsageError(f"{picture} cannot be read: {row.error_message}")
    return ref, real([row.vector])[0]


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
