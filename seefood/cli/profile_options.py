"""`--profile` and `--output-profile`: which AWS profile is used for which bucket.

They are passed to the worker processes in the environment.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

import click

from seefood.errors import UsageError


def _set_profile(_: click.Context, __: click.Parameter, value: str | None) -> None:
    if value:
        from seefood.storage.s3_address import PROFILE

        os.environ[PROFILE] = value


profile_option = click.option(
    "--profile",
    metavar="NAME",
    expose_value=False,
    callback=_set_profile,
    help="The AWS profile for s3://, as `aws --profile` has it.",
)
_output_option = click.option(
    "--output-profile", metavar="NAME", help="Another profile for the bucket of --output."
)


def profile_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add both options to a command."""
    return profile_option(_output_option(command))


def use_output_profile(output: str | None, profile: str | None) -> None:
    """Use `profile` for the bucket of `output`. Raises `UsageError` for another place."""
    if not profile:
        return
    from seefood.storage.s3_address import OUTPUT_PROFILE
    from seefood.storage.uris import parse_location

    location = parse_location(output) if output else None
    if location is None or not location.root.startswith("s3://"):
        raise UsageError("--output-profile is for an --output that begins with s3://")
    os.environ[OUTPUT_PROFILE] = f"{location.root.removeprefix('s3://')}={profile}"


def refuse_profiles_elsewhere(beam_arguments: Sequence[str]) -> None:
    """Raise `UsageError` if workers on other machines would not see the profiles."""
    is_remote = any(
        text.startswith("--runner") and not text.endswith(("FnApiRunner", "DirectRunner"))
        for text in beam_arguments
    )
    if not is_remote:
        return
    from seefood.storage.s3_address import OUTPUT_PROFILE, PROFILE

    if os.environ.get(PROFILE) or os.environ.get(OUTPUT_PROFILE):
        raise UsageError(
            "--profile and --output-profile are for this machine; on a cluster, give the workers "
            "their credentials (docs/scale.md)"
        )
