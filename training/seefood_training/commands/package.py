"""`seefood package`: somebody else's SavedModel becomes a bundle that both doors load."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from seefood.imaging.decode import Fit
    from seefood_training.signature import Answers

# Written out, because their homes import NumPy and `--help` must be instant; a test compares.
RANGES = ("0..255", "0..1", "-1..1", "imagenet", "caffe")
FITS = ("stretch", "crop", "pad")


@click.command("package")
@click.argument("saved_model", type=click.Path(path_type=Path))
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="One label a line, in the order of the model's answers.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="BUNDLE",
    help="The folder to write.",
)
@click.option("--name", help="What rows call the model.  [default: the output folder's name]")
@click.option(
    "--input-range",
    type=click.Choice(RANGES),
    help="What pixel values the network was trained on; imagenet is PyTorch's mean and deviation, "
    "caffe is BGR minus the mean.",
)
@click.option("--probabilities", "answers", flag_value="probabilities", help="It answers these.")
@click.option("--logits", "answers", flag_value="logits", help="It answers scores of any size.")
@click.option("--size", metavar="HxW", help="The input's size, where the model leaves it open.")
@click.option(
    "--fit",
    type=click.Choice(FITS),
    default="stretch",
    show_default=True,
    help="How a picture of another shape is brought to that size.",
)
@click.option("--signature", help="Which of the model's signatures labels pictures.")
@click.option("--overwrite", is_flag=True, help="Replace a bundle that is there.")
def package_command(  # noqa: PLR0913 (the options of the command)
    *,
    saved_model: Path,
    labels: Path,
    output: Path,
    name: str | None,
    input_range: str | None,
    answers: "Answers | None",
    size: str | None,
    fit: "Fit",
    signature: str | None,
    overwrite: bool,
) -> None:
    """Make a bundle from SAVED_MODEL: inspect, wrap, convert, certify, write.

    What can be tried out on pictures is; what cannot be known is asked for. With one output and two
    labels, the output is the second label's. A SavedModel is a program: package only what you
    trust. Prints the bundle's folder.

    \b
    Examples:
      seefood package flowers/ --labels flowers.txt --output bundles/flowers --input-range -1..1
      seefood package detector/ --labels yes-no.txt --output bundles/detector --size 224x224
    """  # noqa: D301 (click's mark against re-wrapping)
    from importlib.util import find_spec

    from seefood.errors import UsageError

    if find_spec("tensorflow") is None:
        raise UsageError(
            "`seefood package` needs TensorFlow, which is not installed; "
            'run `pip install "seefood[tensorflow]"`'
        )
    import seefood.engines.tensorflow  # noqa: F401 (imports TensorFlow quietly)
    from seefood_training.package import PackageOptions, package_saved_model, read_labels

    wishes = PackageOptions(
        name=name or output.absolute().name,
        labels=read_labels(labels),
        input_range=input_range,
        answers=answers,
        size=_size(size),
        fit=fit,
        signature=signature,
    )
    packaged = package_saved_model(saved_model, output, wishes, overwrite=overwrite)
    spec = packaged.bundle.spec
    click.echo(
        f"{spec.name}: {len(spec.labels)} labels, input {spec.rule.height}x{spec.rule.width}, "
        f"{spec.training['input_range']}, {packaged.answers} from {packaged.signature}, "
        f"digest {packaged.bundle.digest[:12]}",
        err=True,
    )
    if packaged.not_litert is not None:
        click.echo(
            f"LiteRT cannot have this graph ({packaged.not_litert}); "
            "it runs with `--engine tensorflow`",
            err=True,
        )
    click.echo(str(output))


def _size(text: str | None) -> tuple[int, int] | None:
    from seefood.errors import UsageError

    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,4})[x×](\d{1,4})", text)  # noqa: RUF001 (people paste it)
    if match is None or "0" in match.groups():
        raise UsageError(f"`--size {text}` is no size; write height x width, such as 224x224")
    return int(match[1]), int(match[2])
