"""`seefood compact`: merges small result objects into large ones."""

import click

from seefood.cli.profile_options import profile_option


@click.command("compact")
@click.argument("dest")
@profile_option
@click.option(
    "--rows",
    type=click.IntRange(min=2),
    default=200_000,
    show_default=True,
    metavar="N",
    help="About how many rows a result object shall have.",
)
@click.option(
    "--keep-uploads",
    is_flag=True,
    help="Leave the rows below uploads/ there. Needed if the Lambda removes the rows of removed "
    "pictures (SEEFOOD_REMOVED=delete): it finds them only there.",
)
def compact_command(*, dest: str, rows: int, keep_uploads: bool) -> None:
    """Merge the small result objects below DEST, of every model, into few large ones.

    Rows of uploads, one an object below uploads/, move to results/; the Lambda may run meanwhile.

    A large object is written before the small ones are deleted: readers may briefly see rows
    twice, equal in every column, and never miss a row. No run can start until this has ended.

    \b
    Examples:
      seefood compact results
      seefood compact s3://labels/2026 --rows 1000000
    """  # noqa: D301 (click's mark against re-wrapping)
    from secrets import token_hex

    from seefood.errors import UsageError
    from seefood.nearest import nearest_path
    from seefood.results.compaction import compact, digests
    from seefood.runs.lease import hold_lease
    from seefood.runs.run_spec import RunSpec
    from seefood.storage.uris import parse_location

    output = parse_location(dest)
    models = digests(output)
    if not models:
        near = nearest_path(dest)
        raise UsageError(f"there are no results below {dest}; check the path{near}")
    for digest in models:
        with hold_lease(RunSpec(output, digest, f"compact-{token_hex(3)}")):
            compaction = compact(output, digest, rows, keep_uploads=keep_uploads)
        click.echo(
            f"digest={digest}: {compaction.before:,} objects became {compaction.after:,}, "
            f"{compaction.rows:,} rows moved"
        )
