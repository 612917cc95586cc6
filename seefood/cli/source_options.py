"""Options that choose pictures, for every subcommand that lists."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from seefood.cli.numbers import FloatRange

if TYPE_CHECKING:
    from seefood.sources.filters import Selection
    from seefood.sources.manifests import Manifest

_OPTIONS = (
    click.option("--manifest", "manifest", metavar="FILE", multiple=True, help="A list to read."),
    click.option("--manifest-column", metavar="NAME", help="The column that holds the names."),
    click.option("--include", metavar="GLOB", multiple=True, help="Take only what matches."),
    click.option("--exclude", metavar="GLOB", multiple=True, help="Leave out what matches."),
    click.option("--since", metavar="TIME", help="Take what came since: 2026-11-23, or 36h, 7d."),
    click.option(
        "--sample",
        type=FloatRange(0.0, 1.0, min_open=True),
        default=1.0,
        metavar="R",
        help="Take this share only, always the same pictures.",
    ),
    click.option(
        "--limit", type=click.IntRange(min=1), metavar="N", help="Take the first N objects only."
    ),
)


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_named(params: Mapping[str, Any]) -> None:
    """Raise `UsageError` if neither a source nor a manifest is named."""
    from seefood.errors import UsageError

    if not params["sources"] and not params["manifest"]:
        raise UsageError("no pictures are named; give a SOURCE or `--manifest FILE`")


def manifests(params: Mapping[str, Any]) -> "tuple[Manifest, ...]":
    """Return the manifests that the user named. Raises `UsageError`."""
    from seefood.sources.manifests import parse_manifest

    return tuple(parse_manifest(text, params["manifest_column"]) for text in params["manifest"])


def selection(params: Mapping[str, Any]) -> "Selection":
    """Return the filters that the user chose. Raises `UsageError` for a bad `--since`."""
    from seefood.records import utc_now
    from seefood.sources.filters import Selection, parse_since

    return Selection(
        include=tuple(params["include"]),
        exclude=tuple(params["exclude"]),
        since=parse_since(params["since"], utc_now()) if params["since"] else None,
        sample=params["sample"],
    )
