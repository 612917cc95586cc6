"""`seefood train`: from folders of labelled photos to a certified bundle."""

from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from seefood.cli.numbers import FloatRange
from seefood.cli.requirements import require
from seefood.imaging.resize_rule import FITS
from seefood.sanitize import printable
from seefood_training.commands.threshold_options import reject_option, threshold_options
from seefood_training.networks import NETWORKS
from seefood_training.quantisation import QUANTISATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seefood_training.networks import Weights
    from seefood_training.run_types import Observe, Outcome, Progress, Request

_BAR_WIDTH: Final = 16


@click.command("train")
@click.argument("data", metavar="DATA")
@click.option("--output", required=True, metavar="BUNDLE", help="The folder to write.")
@click.option(
    "--network",
    type=click.Choice(sorted(NETWORKS)),
    metavar="NAME",
    help="One of "
    + ", ".join(sorted(NETWORKS))
    + ".  [default: the best one whose pretrained weights are installed]",
)
@click.option(
    "--weights",
    metavar="FILE|imagenet|built-in|none",
    help="Initial weights of the `--network`'s backbone; imagenet is downloaded, or read from an "
    "installed package; built-in are those of the built-in bundle, for efficientnet_lite1.  "
    "[default: none]",
)
@click.option("--epochs", type=click.IntRange(min=1), metavar="N", help="Maximum number of epochs.")
@click.option(
    "--image-size", type=click.IntRange(16, 1024), metavar="N", help="Side of the input in pixels."
)
@click.option(
    "--multiplier",
    type=FloatRange(0.05, 4.0),
    default=1.0,
    show_default=True,
    metavar="X",
    help="Factor on the number of maps in each layer.",
)
@click.option(
    "--fit",
    type=click.Choice(FITS),
    default="stretch",
    show_default=True,
    help="How a picture fills the input.",
)
@click.option(
    "--precision",
    type=click.Choice(QUANTISATIONS),
    default="float32",
    show_default=True,
    help="Of the weights in the bundle.",
)
@click.option(
    "--batch-size", type=click.IntRange(1, 4096), default=32, show_default=True, metavar="N"
)
@click.option("--learning-rate", type=FloatRange(1e-7, 1.0), metavar="X", help="The maximum.")
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stop after so many epochs without progress.",
)
@click.option(
    "--validation",
    type=FloatRange(0.02, 0.5),
    default=0.15,
    show_default=True,
    metavar="SHARE",
    help="Share of the photos that are used for validation and calibration.",
)
@threshold_options()
@reject_option(note=" There are no faster variants then.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N")
@click.option("--fast", is_flag=True, help="Train in bfloat16, if the processor supports it.")
@click.option(
    "--no-variants",
    is_flag=True,
    help="Add no faster variants (int8, bf16) for `classify --fast`.",
)
@click.option("--nested", is_flag=True, help="Each innermost folder is a class.")
@click.option(
    "--corrections",
    metavar="DEST",
    help="An output whose corrections count: its corrected pictures, fetched from where they lie.",
)
@click.option("--restart", is_flag=True, help="Start again instead of continuing a stopped run.")
@click.option("--overwrite", is_flag=True, help="Replace an existing bundle.")
@click.option(
    "--keep-on-interrupt",
    is_flag=True,
    help="Ctrl-C during the epochs ends them, and the best so far becomes the bundle.",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
def train_command(**options: Any) -> None:
    """Train a network on DATA, a folder (or URI) with one folder of photos per class.

    DATA may also have `train/`, `val/` and `test/` with the classes inside, a table of labels (CSV
    or JSON Lines with the columns file_name and label), or be such a table. Photos to test with are
    used for reporting only. A run that was stopped continues when the same command is given again.
    Copies and near copies of a photo are never in both training and validation. A file that cannot
    be decoded is reported and left out. The bundle gets faster variants for `seefood classify
    --fast`, if at least 100 photos that the network has not seen can measure their loss, and knows
    what its photos are like, so that `classify` finds drift.

    \b
    Examples:
      seefood train photos --output bundles/fruit
      seefood train s3://photos/ --output bundles/fruit --network resnet50
      seefood train photos --output bundles/better --corrections s3://labels/2026
      seefood train photos --output bundles/tiny --network lenet5 --epochs 30
    """  # noqa: D301 (click's mark against re-wrapping)
    require("train", "train", "tensorflow", "matplotlib", "sklearn", "scipy")
    with nullcontext(_silent) if options["quiet"] else _progress_bars() as observe:
        from seefood_training.commands.keeping import Keeper, keeping
        from seefood_training.run import train

        request, keeper = _request(options), Keeper()
        with keeping(keeper) if options["keep_on_interrupt"] else nullcontext():
            outcome = train(request, keeper.watch(observe))
    _print(outcome, request)


def _request(options: dict[str, Any]) -> "Request":
    """Return the options as one value, with the defaults that depend on the network."""
    from dataclasses import replace

    from seefood.errors import UsageError
    from seefood_training.acceptance import Wish
    from seefood_training.run_types import Request, default_schedule

    if options["network"] is None and options["weights"] == "none":
        raise UsageError(
            "`--weights none` needs the `--network` that is trained from random weights; without "
            "both, the best network whose weights are installed is used"
        )
    request = Request(
        data=options["data"],
        output=Path(options["output"]),
        network=options["network"],
        weights=_weights(options["weights"]),
        image_size=options["image_size"],
        multiplier=options["multiplier"],
        fit=options["fit"],
        quantisation=options["precision"],
        validation_share=options["validation"],
        overwrite=options["overwrite"],
        restart=options["restart"],
        wish=Wish(options["accept"], options["unsure_share"]),
        nested=options["nested"],
        corrections=options["corrections"],
        variants=not options["no_variants"],
        reject_unknown=options["reject_unknown"],
    )
    names = ("epochs", "learning_rate", "patience", "batch_size", "seed", "fast")
    given = {name: options[name] for name in names if options[name] is not None}
    return replace(request, schedule=replace(default_schedule(request), **given))


def _weights(text: str | None) -> "Weights":
    if text in {None, "none"}:
        return None
    if text == "imagenet":
        return "imagenet"
    return "built-in" if text == "built-in" else Path(text)


def _silent(progress: "Progress") -> None:
    if progress.stage == "told":
        _tell(progress.note)


def _tell(sentence: str) -> None:
    click.echo(printable(sentence), err=True)


@contextmanager
def _progress_bars() -> "Iterator[Observe]":
    """Yield an observer that shows a bar for each stage on stderr, with the time left."""
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.table import Column

    from seefood.runs.bars import Bars, LatestSpinner
    from seefood.runs.progress import can_draw

    # The bar keeps its width: a note that is too long for the terminal is cut off.
    note = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    columns = (
        spinner := LatestSpinner(),
        TextColumn("{task.description:>9}"),
        BarColumn(bar_width=_BAR_WIDTH),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", table_column=note),
    )
    is_drawn = can_draw()
    with Bars(*columns, expand=True, disable=not is_drawn) as bars:
        starting = bars.add_task("starting", total=None, note="TensorFlow is loaded")
        bars.refresh()  # the import that follows keeps other threads waiting
        tasks: dict[str, TaskID] = {}

        def observe(progress: "Progress") -> None:
            stage = progress.stage
            if stage == "told":
                bars.console.print(
                    printable(progress.note),
                    markup=False,
                    highlight=False,
                    soft_wrap=not is_drawn,
                )
                return
            if not is_drawn and progress.is_milestone:
                _tell(f"{stage}: {progress.note}")
            if stage not in tasks:
                bars.update(starting, visible=False)
                tasks[stage] = spinner.latest = bars.add_task(stage, note="")
            bars.update(
                tasks[stage], completed=progress.done, total=progress.total, note=progress.note
            )

        yield observe


def _print(outcome: "Outcome", request: "Request") -> None:
    from seefood_training.verdicts import confusion_matrix_of, verdicts

    for line in outcome.unreadable:
        click.echo(f"left out: {line}", err=True)
    for name, figures in outcome.bundle.spec.metrics.items():
        accuracy = figures["accuracy"]
        low, high = accuracy["interval_95"]
        click.echo(
            f"{name}: {accuracy['value']:.1%} of {figures['pictures']:,} photos right "
            f"(95 % interval {low:.1%} to {high:.1%})"
        )
        for warning in verdicts(outcome.bundle.labels, confusion_matrix_of(figures)):
            click.echo(f"{name}: {warning}", err=True)
    click.echo(f"{request.output} is {outcome.bundle.digest[:12]}, {outcome.seconds:.0f} s")
