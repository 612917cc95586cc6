"""`seefood train`: from folders of labelled photos to a certified bundle."""

from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seefood_training.networks import Weights
    from seefood_training.run import Observe, Outcome, Progress, Request

# Written out, because the zoo imports TensorFlow and `--help` must be instant; a test compares.
NETWORKS: Final = (
    *("lenet5", "alexnet", "googlenet", "folded_mobilenet_v1", "folded_mobilenet_v2"),
    *("mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"),
    *("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"),
    *("efficientnet_v2_b0", "efficientnet_v2_b3", "efficientnet_v2_s"),
    *("convnext_tiny", "convnext_small", "resnet50", "resnet101", "resnet50_v2"),
)


@click.command("train")
@click.argument("data", metavar="DATA")
@click.option("--output", required=True, metavar="BUNDLE", help="The folder to make.")
@click.option(
    "--network",
    type=click.Choice(NETWORKS),
    default="mobilenet_v2",
    show_default=True,
    metavar="NAME",
    help="One of the zoo: " + ", ".join(NETWORKS) + ".",
)
@click.option(
    "--weights",
    default="none",
    show_default=True,
    metavar="FILE|imagenet|none",
    help="Where the backbone starts from; imagenet is downloaded, or found installed.",
)
@click.option("--epochs", type=click.IntRange(min=1), metavar="N", help="At most so many passes.")
@click.option(
    "--image-size", type=click.IntRange(16, 1024), metavar="N", help="The input's side in pixels."
)
@click.option(
    "--multiplier",
    type=click.FloatRange(0.05, 4.0),
    default=1.0,
    show_default=True,
    metavar="X",
    help="Times as many maps in each layer.",
)
@click.option(
    "--fit",
    type=click.Choice(("stretch", "crop", "pad")),
    default="stretch",
    show_default=True,
    help="How a picture fills the input.",
)
@click.option(
    "--precision",
    type=click.Choice(("float32", "float16", "int8")),
    default="float32",
    show_default=True,
    help="Of the weights in the bundle.",
)
@click.option(
    "--batch-size", type=click.IntRange(1, 4096), default=32, show_default=True, metavar="N"
)
@click.option("--learning-rate", type=click.FloatRange(1e-7, 1.0), metavar="X", help="At its peak.")
@click.option(
    "--patience", type=click.IntRange(min=1), metavar="N", help="Epochs without progress."
)
@click.option(
    "--validation",
    type=click.FloatRange(0.02, 0.5),
    default=0.15,
    show_default=True,
    metavar="SHARE",
    help="Of the photos, held back to choose and calibrate with.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N")
@click.option("--fast", is_flag=True, help="Train in bfloat16, where the processor has it.")
@click.option("--restart", is_flag=True, help="Forget a run that was stopped; else it goes on.")
@click.option("--overwrite", is_flag=True, help="Replace a bundle that is there.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def train_command(**typed: Any) -> None:
    """Train a network on DATA, a folder (or URI) with one folder of photos per class.

    Where DATA has `train/` and `test/` with the classes inside, `test/` is only reported on. A run
    that was stopped goes on when the same command is given again. Copies and near copies of a photo
    never lie on both sides of the split. A file that cannot be decoded is named and left out.

    \b
    Examples:
      seefood train photos --output bundles/fruit --weights imagenet
      seefood train s3://photos/labelled/ --output bundles/fruit --network resnet50
      seefood train photos --output bundles/tiny --network lenet5 --image-size 32 --epochs 30
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.errors import UsageError

    if find_spec("tensorflow") is None or find_spec("matplotlib") is None:
        raise UsageError(
            "`seefood train` needs TensorFlow and matplotlib, which are not installed; "
            'run `pip install "seefood[train]"`'
        )
    from seefood_training.run import discard, train

    request = _request(typed)
    if typed["restart"]:
        discard(request.output)
    with nullcontext(_silent) if typed["quiet"] else _bar() as observe:
        outcome = train(request, observe)
    _print(outcome, request)


def _request(typed: dict[str, Any]) -> "Request":
    """Return what was typed as one value, with the defaults that depend on the network."""
    from dataclasses import replace

    from seefood_training.run import Request, default_schedule

    request = Request(
        data=typed["data"],
        output=Path(typed["output"]),
        network=typed["network"],
        weights=_weights(typed["weights"]),
        image_size=typed["image_size"],
        multiplier=typed["multiplier"],
        fit=typed["fit"],
        quantisation=typed["precision"],
        validation_share=typed["validation"],
        overwrite=typed["overwrite"],
    )
    chosen = {
        "epochs": typed["epochs"],
        "learning_rate": typed["learning_rate"],
        "patience": typed["patience"],
        "batch_size": typed["batch_size"],
        "seed": typed["seed"],
        "fast": typed["fast"],
    }
    schedule = replace(
        default_schedule(request), **{name: it for name, it in chosen.items() if it is not None}
    )
    return replace(request, schedule=schedule)


def _weights(text: str) -> "Weights":
    if text == "none":
        return None
    return "imagenet" if text == "imagenet" else Path(text)


def _silent(_: object) -> None:
    return


@contextmanager
def _bar() -> "Iterator[Observe]":
    """Yield what shows a run's progress on stderr: a bar for each stage, with the time left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:>9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def observe(seen: "Progress") -> None:
            if seen.stage not in tasks:
                tasks[seen.stage] = bars.add_task(seen.stage, note="")
            bars.update(tasks[seen.stage], completed=seen.done, total=seen.total, note=seen.note)

        yield observe


def _print(outcome: "Outcome", request: "Request") -> None:
    for line in outcome.unreadable:
        click.echo(f"left out: {line}", err=True)
    metrics = outcome.bundle.spec.metrics
    for name, figures in metrics.items():
        accuracy = figures["accuracy"]
        low, high = accuracy["interval_95"]
        click.echo(
            f"{name}: {accuracy['value']:.1%} of {figures['pictures']:,} photos right "
            f"(95 % interval {low:.1%} to {high:.1%})"
        )
    click.echo(f"{request.output} is {outcome.bundle.digest[:12]}, {outcome.seconds:.0f} s")
