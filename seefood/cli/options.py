"""Options that several subcommands share."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from seefood.cli.numbers import FloatRange
from seefood.engines.registry import AUTO, engine_names

if TYPE_CHECKING:
    from seefood.bundle import Bundle

model_option = click.option(
    "--model",
    metavar="BUNDLE",
    help="The model bundle's folder or URI, or hotdog or hotdog-lite.  [default: hotdog]",
)
model_digest_option = click.option(
    "--model-digest",
    metavar="DIGEST",
    envvar="SEEFOOD_MODEL_DIGEST",
    help="Refuse any other model; the digest, or at least its first 12 digits.",
)
engine_option = click.option(
    "--engine",
    type=click.Choice(engine_names()),
    default=AUTO,
    show_default=True,
    help="What runs it.",
)
FAST_POINTS: Final = 0.5
"""What `--fast` means without a number; equals `seefood.bundle.DEFAULT_POINTS`."""
_POINTS: Final = FloatRange(0.0, 100.0)
fast_option = click.option(
    "--fast",
    type=_POINTS,
    is_flag=False,
    flag_value=FAST_POINTS,
    metavar="[=POINTS]",
    help="Run the fastest variant in the bundle that loses at most so many percentage points of "
    "accuracy (0.5 without a number), as its certificate states. Its rows name it; pictures "
    "that only the bundle itself has labelled are labelled again.",
)
top_k_option = click.option(
    "--top-k",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    metavar="N",
    help="How many labels a row lists.",
)


class FastCommand(click.Command):
    """A command whose `--fast` takes a number only after `=`: an argument may follow it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give a bare `--fast` its value before click takes the next argument for it."""
        end = args.index("--") if "--" in args else len(args)
        for option, value in pairwise(args[:end]):
            if option == "--fast" and _is_number(value) and not Path(value).exists():
                message = f"the number of --fast follows an equals sign: --fast={value}"
                raise click.UsageError(message, ctx)
        given = [f"--fast={FAST_POINTS}" if each == "--fast" else each for each in args[:end]]
        for each in given:
            if each.startswith("--fast=-"):  # click would take the value for another option
                _POINTS(each.removeprefix("--fast="), None, ctx)
        return super().parse_args(ctx, given + args[end:])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """The bundle that a command runs: that of `--model`, or a faster variant of it."""

    path: Path
    digest: str | None
    """The digest that it must have; None accepts any."""
    engine: str


def chosen_model(params: "dict[str, Any]") -> ChosenModel:
    """Return the model of `--model`, `--model-digest`, `--engine` and `--fast`.

    With `--fast`, `--model-digest` is that of the variant. Raises as `model_path` does, and
    `UsageError` if no variant fits.
    """
    model, digest, engine = params["model"], params["model_digest"], params["engine"]
    if params.get("fast") is None:
        return ChosenModel(model_path(model, digest), digest, engine)
    from seefood.engines.fast import choose_bundle

    bundle, engine = choose_bundle(model, digest, engine, fast=params["fast"])
    return ChosenModel(bundle.path, bundle.digest, engine)


def open_bundle(
    model: str | None, digest: str | None = None, *, with_variants: bool = False
) -> "Bundle":
    """Return the bundle of `--model`, verified. Raises `BundleError`, also for another digest."""
    from seefood.bundle import named

    return named.open_bundle(model, digest, with_variants=with_variants)


def model_path(
    model: str | None, digest: str | None = None, *, with_variants: bool = False
) -> Path:
    """Return the folder of the bundle of `--model`; see `seefood.bundle.named.bundle_path`."""
    from seefood.bundle.named import bundle_path

    return bundle_path(model, digest, with_variants=with_variants)
