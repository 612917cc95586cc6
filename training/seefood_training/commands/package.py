"""`seefood package`: makes a bundle from any SavedModel that classifies pictures."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seefood.imaging.resize_rule import FITS
from seefood_training.commands.requirements import require
from seefood_training.input_ranges import INPUT_RANGES

if TYPE_CHECKING:
    from seefood.imaging.resize_rule import Fit
    from seefood_training.signature import OutputKind


@click.command("package")
@click.argument("saved_model", type=click.Path(path_type=Path))
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="One label a line, in the order of the model's outputs.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="BUNDLE",
    help="The folder to write.",
)
@click.option("--name", help="The model's name in rows.  [default: the output folder's name]")
@click.option(
    "--input-range",
    type=click.Choice(list(INPUT_RANGES)),
    help="The pixel values that the network was trained on; imagenet is PyTorch's mean and "
    "deviation, caffe is BGR minus the mean.",
)
@click.option(
    "--probabilities",
    "output_kind",
    flag_value="probabilities",
    help="The model returns probabilities.",
)
@click.option(
    "--logits",
    "output_kind",
    flag_value="logits",
    help="The model returns scores of any size.",
)
@click.option("--size", metavar="HxW", help="The input's size, if the model takes any size.")
@click.option(
    "--fit",
    type=click.Choice(FITS),
    default="stretch",
    show_default=True,
    help="How a picture of another shape is resized.",
)
@click.option("--signature", help="The model's signature that classifies pictures.")
@click.option("--onnx", is_flag=True, help="Write an ONNX file too, for ONNX Runtime.")
@click.option("--overwrite", is_flag=True, help="Replace an existing bundle.")
def package_command(  # noqa: PLR0913 (the options of the command)
    *,
    saved_model: Path,
    labels: Path,
    output: Path,
    name: str | None,
    input_range: str | None,
    output_kind: "OutputKind | None",
    size: str | None,
    fit: "Fit",
    signature: str | None,
    onnx: bool,
    overwrite: bool,
) -> None:
    """Make a bundle from SAVED_MODEL: inspect, wrap, convert, certify, write.

    What the model does not state is determined by running it on pictures, or an error asks for the
    option. With one output and two labels, the output is the second label's. A SavedModel is a
    program: package only what you trust. Prints the bundle's folder.

    \b
    Examples:
      seefood package flowers/ --labels flowers.txt --output bundles/flowers --input-range -1..1
      seefood package detector/ --labels yes-no.txt --output bundles/detector --size 224x224
    """  # noqa: D301 (click's mark against re-wrapping)
    require("package", "tensorflow", "tensorflow")
    import seefood.engines.tensorflow  # noqa: F401 (imports TensorFlow without its log output)
    from seefood_training.package import PackageOptions, package_saved_model, read_labels

    options = PackageOptions(
        name=name or output.absolute().name,
        labels=read_labels(labels),
        input_range=input_range,
        output_kind=output_kind,
        size=_size(size),
        fit=fit,
        signature=signature,
        onnx=onnx,
    )
    packaged = package_saved_model(saved_model, output, options, overwrite=overwrite)
    spec = packaged.bundle.spec
    click.echo(
        f"{spec.name}: {len(spec.labels)} labels, input {spec.rule.height}x{spec.rule.width}, "
        f"{spec.training['input_range']}, {packaged.output_kind} from {packaged.signature}, "
        f"digest {packaged.bundle.digest[:12]}",
        err=True,
    )
    if packaged.litert_error is not None:
        click.echo(
            f"LiteRT cannot run this graph ({packaged.litert_error}); "
            "it runs with `--engine tensorflow`",
            err=True,
        )
    click.echo(str(output))


def _size(text: str | None) -> tuple[int, int] | None:
    from seefood.errors import UsageError

    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,4})[x×](\d{1,4})", text)  # noqa: RUF001 (users paste it)
    if match is None or "0" in match.groups():
        raise UsageError(f"`--size {text}` is not a size; write height x width, such as 224x224")
    return int(match[1]), int(match[2])
