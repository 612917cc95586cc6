"""`seefood demo`: runs the whole batch job on this machine."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

_BUCKET: Final = "demo-pictures"


@click.command("demo")
@click.option(
    "--pictures",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Classify the pictures in this folder instead of drawn ones.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where to write the results and the report.  [default: demo-output, or "
    "demo-output/NAME for a folder NAME]",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
def demo_command(*, pictures: Path | None, output: Path | None, quiet: bool) -> int:
    """Draw pictures, upload them to an embedded S3 server, run the Beam job, write a report.

    \b
    Examples:
      seefood demo
      seefood demo --pictures ~/Pictures --output my-pictures
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.cli.requirements import require

    require("demo", "demo", "apache_beam", "moto", "flask")
    from seefood.bundle import default_bundle_path
    from seefood.runs.run_spec import RunOptions
    from seefood_pipeline.launcher import launch
    from seefood_pipeline.outcome_table import print_outcome
    from seefood_pipeline.request import Request

    if output is None:  # a report shows all rows in a folder, so each set of pictures has its own
        output = Path("demo-output") / (pictures.resolve().name if pictures else "")
    with tempfile.TemporaryDirectory(prefix="seefood-demo-") as scratch, _embedded_s3():
        folder = pictures or _draw(Path(scratch))
        count = _upload(folder)
        click.echo(f"Uploaded {count} files to s3://{_BUCKET} on an embedded S3 server.", err=True)
        click.echo(f"Running: seefood classify s3://{_BUCKET} --output {output} --force", err=True)
        request = Request(
            sources=(f"s3://{_BUCKET}",),
            output=str(output),
            bundle=default_bundle_path(),
            options=RunOptions(force=True),
        )
        outcome = launch(request, "quiet" if quiet else "auto")
    print_outcome(outcome)
    return 0 if pictures else _check(output, outcome.summary["model"]["digest"])


def _draw(folder: Path) -> Path:
    from seefood.synthetic.demo_set import write_demo_pictures

    count = write_demo_pictures(folder)
    click.echo(f"Drew {count} files: hot dogs, other things, and a few broken ones.", err=True)
    return folder


def _upload(folder: Path) -> int:
    """Upload every file below `folder` to the bucket and return their number."""
    from seefood.sources.listing import list_sources
    from seefood.sources.registry import parse_source
    from seefood.storage import fetch, open_store
    from seefood.storage.uris import Location, parse_location

    store = open_store(f"s3://{_BUCKET}")
    base = parse_location(str(folder)).key
    count = 0
    for ref in list_sources([parse_source(str(folder))]):
        path = parse_location(ref.uri).key
        store.write(Location(f"s3://{_BUCKET}", os.path.relpath(path, base)).key, fetch(ref))
        count += 1
    return count


def _check(output: Path, digest: str) -> int:
    """Compare the labels with the folders of the demo set; return 1 if one is wrong, else 0."""
    from seefood.results.files import read_rows
    from seefood.storage.uris import parse_location

    expected = {"hotdog": "hotdog", "other": "not_hotdog", "broken": None}
    rows = list(read_rows(parse_location(str(output)), digest))
    wrong = [row.uri for row in rows if row.label != expected[row.uri.split("/")[3]]]
    click.echo(f"{len(rows) - len(wrong)} of {len(rows)} files have the label they were drawn for.")
    for uri in wrong:
        click.echo(f"  wrong: {uri}")
    return 1 if wrong else 0


@contextmanager
def _embedded_s3() -> Iterator[None]:
    """Run moto's S3 server with the demo's bucket on a free loopback port."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
        "AWS_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in (*settings, "AWS_PROFILE")}
    os.environ.update(settings)
    os.environ.pop("AWS_PROFILE", None)
    try:
        _create_bucket(settings["AWS_ENDPOINT_URL"])
        yield
    finally:
        server.stop()
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _create_bucket(endpoint: str) -> None:
    """Create the bucket; moto's server accepts requests without a signature."""
    from urllib.request import Request, urlopen

    request = Request(f"{endpoint}/{_BUCKET}", method="PUT")  # noqa: S310 (our own loopback server)
    with urlopen(request, timeout=10):  # noqa: S310
        pass
