"""`seefood compact`: many small result objects become few large ones."""

import click


@click.command("compact")
@click.argument("dest")
@click.option(
    "--rows",
    type=click.IntRange(min=2),
    default=200_000,
    show_default=True,
    metavar="N",
    help="About how many a result object shall hold.",
)
def compact_command(*, dest: str, rows: int) -> None:
    """Merge the small result objects below DEST, of every model, into few large ones.

    Large objects are written before small ones are deleted: a reader may for a moment find rows
    twice, equal in every column, and at no moment a row not at all. Runs are refused meanwhile.

    \b
    Examples:
      seefood compact results
      seefood compact s3://labels/2026 --rows 1000000
    """  # noqa: D301 (click's mark against re-wrapping)
    from secrets import token_hex

    from seefood.errors import UsageError
    from seefood.results.compaction import compact, digests
    from seefood.runs.lease import Claim, hold_lease
    from seefood.storage.uris import parse_location

    output = parse_location(dest)
    models = digests(output)
    if not models:
        raise UsageError(f"there are no results below {dest}; check the path")
    for digest in models:
        with hold_lease(Claim(output, digest, f"compact-{token_hex(3)}")):
            done = compact(output, digest, rows)
        click.echo(
            f"digest={digest}: {done.before:,} objects became {done.after:,}, "
            f"{done.rows:,} rows moved"
        )
