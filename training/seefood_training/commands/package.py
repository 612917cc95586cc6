"""`seefood package`: makes a bundle from any model that classifies pictures."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seefood.cli.numbers import FloatRange
from seefood.errors import UsageError
from seefood.imaging.resize_rule import FITS
from seefood_training.commands.threshold_options import threshold_options
from seefood_training.commands.unused_options import options_but, refuse_options
from seefood_training.packaging.input_ranges import INPUT_RANGES, parse_range

if TYPE_CHECKING:
    from seefood.imaging.resize_rule import Filter, Fit
    from seefood_training.packaging.answers import OutputKind
    from seefood_training.packaging.calibration import Calibration
    from seefood_training.packaging.outcome import Packaged
    from seefood_training.packaging.pixels import ChannelOrder, PixelChoice
    from seefood_training.packaging.search import Attempt

_ADDING_VARIANTS = ("model", "output", "fast_data", "as_json", "overwrite")
"""What has an effect where MODEL is a bundle."""
_FILTERS = ("nearest", "bilinear", "bicubic", "lanczos", "tf-bilinear", "box")


@click.command("package")
@click.argument("model")
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The names of the model's outputs: one a line, or JSON.  [default: labels.txt beside it]",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="BUNDLE",
    help="The folder to write.",
)
@click.option(
    "--name", metavar="NAME", help="The model's name in rows.  [default: the output folder's name]"
)
@click.option(
    "--examples",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Pictures whose answers are known, as CSV: picture,label, or picture and a probability "
    "for each label. What is not said of the pixels is searched for.",
)
@click.option(
    "--input-range",
    metavar="RANGE",
    help=f"The pixel values that the network was trained on: {', '.join(INPUT_RANGES)}, or "
    "MEAN/STD as numbers; imagenet is PyTorch's mean and deviation, caffe is BGR minus the mean.",
)
@click.option(
    "--filter",
    "kind",
    type=click.Choice(_FILTERS),
    help="How a picture is resized: nearest is Keras's load_img, tf-bilinear is tf.image.resize "
    "and OpenCV, the others are Pillow's.  [default: asked for where it changes answers]",
)
@click.option(
    "--fit",
    type=click.Choice(FITS),
    help="How a picture of another shape is resized.  [default: stretch]",
)
@click.option(
    "--crop-share",
    type=FloatRange(0, 1, min_open=True),
    metavar="SHARE",
    help="With --fit crop: the share of each side that is kept; 0.875 is torchvision's Resize(256) "
    "and CenterCrop(224).  [default: 1]",
)
@click.option(
    "--channels",
    type=click.Choice(("rgb", "bgr", "grey")),
    help="The order of the network's channels.  [default: rgb, or grey for one channel]",
)
@click.option("--size", metavar="WxH", help="The input's size, if the model takes any size.")
@click.option("--signature", metavar="NAME", help="The model's function that classifies pictures.")
@click.option("--output-name", metavar="NAME", help="The output that has a number for each label.")
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
@click.option("--multi-label", is_flag=True, help="Several labels may hold for one picture.")
@click.option(
    "--positive",
    metavar="LABEL",
    help="Of a model with one output: the label that it stands for.  [default: the second]",
)
@click.option(
    "--calibrate",
    metavar="DATA",
    help="Labelled photos, as `seefood evaluate` takes them, on which the thresholds are chosen.",
)
@threshold_options(when="With --calibrate: ")
@click.option("--onnx", is_flag=True, help="Write an ONNX file too, for ONNX Runtime.")
@click.option(
    "--fast-data",
    metavar="DATA",
    help="Labelled photos that the model was not trained on: adds faster variants for `classify "
    "--fast`, with their loss on these photos. MODEL may then be a bundle.",
)
@click.option("--force", is_flag=True, help="Keep the best even if no options fit the examples.")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
@click.option("--overwrite", is_flag=True, help="Replace an existing bundle.")
def package_command(  # noqa: PLR0913 (the options of the command)
    *,
    model: str,
    labels: Path | None,
    output: Path,
    name: str | None,
    examples: Path | None,
    input_range: str | None,
    kind: "Filter | None",
    fit: "Fit | None",
    crop_share: float | None,
    channels: "ChannelOrder | None",
    size: str | None,
    signature: str | None,
    output_name: str | None,
    output_kind: "OutputKind | None",
    multi_label: bool,
    positive: str | None,
    calibrate: str | None,
    accept: float,
    unsure_share: float,
    onnx: bool,
    fast_data: str | None,
    force: bool,
    as_json: bool,
    overwrite: bool,
) -> None:
    """Make a bundle from MODEL: find, open, check, wrap, certify, write.

    MODEL is a SavedModel folder, a .keras, .h5, .tflite or .onnx file, an export of Teachable
    Machine or Lobe, an archive of one of these, or its location in a bucket. What the model does
    not state is determined by running it, or an error asks for the option. A model is a program:
    package only what you trust. Prints the bundle's folder.

    \b
    Examples:
      seefood package converted_savedmodel.zip --output bundles/mine
      seefood package flowers.keras --labels flowers.txt --output flowers \\
        --examples known.csv
      seefood package hotdog --fast-data held-back/ --output bundles/hotdog-fast
      seefood package resnet.onnx --labels names.txt --output resnet \\
        --input-range imagenet
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.cli.working import working
    from seefood_training.packaging.answers import AnswerOptions
    from seefood_training.packaging.asking import PixelsUnknownError
    from seefood_training.packaging.labels import read_labels
    from seefood_training.packaging.options import PackageOptions
    from seefood_training.packaging.outcome import NotReproducedError
    from seefood_training.packaging.package import package_model
    from seefood_training.packaging.pixels import PixelChoice

    if fast_data is not None:  # what it imports needs scikit-learn, which else is not needed
        from seefood_training.packaging.fast import bundle_named, check_fast_data, package_fast
    if fast_data is not None and (ready := bundle_named(model)) is not None:
        why = f"on {model}, which is a bundle; leave it out"
        refuse_options(options_but(*_ADDING_VARIANTS), why)
        with working("making faster variants and measuring them"):
            made = package_fast(ready, fast_data, output, overwrite=overwrite)
        for note in made.notes:
            click.echo(f"{ready.name}: {note}", err=True)
        document = {"bundle": str(output), "digest": ready.digest, "variants": made.variants}
        click.echo(json.dumps(document) if as_json else str(output))
        return
    if input_range is not None:
        parse_range(input_range)
    options = PackageOptions(
        name=name or output.absolute().name,
        labels=None if labels is None else read_labels(labels),
        pixels=_pixels(PixelChoice(input_range, kind, fit, channels, crop_share)),
        size=_size(size),
        signature=signature,
        answers=AnswerOptions(output_name, output_kind, multi_label, positive),
        examples=examples,
        force=force,
        onnx=onnx,
        calibration=_calibration(calibrate, accept, unsure_share),
    )
    if fast_data is not None:  # before the minutes that packaging takes
        named = options.labels or ()
        check_fast_data(fast_data, named if len(named) > 1 else ())
    try:
        with working("reading the model, then comparing the engines"):
            packaged = package_model(model, output, options, overwrite=overwrite)
    except PixelsUnknownError as error:
        click.echo(error.table, err=True)
        raise
    except NotReproducedError as error:
        _show_attempts(error.attempts)
        raise
    document = _document(packaged, output)
    if fast_data is not None:
        try:
            with working("making faster variants and measuring them"):
                made = package_fast(packaged.bundle, fast_data, None)
        except UsageError as error:
            _show(packaged)
            without = f"{output} is the bundle without a faster variant"
            raise UsageError(f"{error}; {without}") from error
        packaged = replace(packaged, notes=packaged.notes + made.notes)
        document["variants"] = made.variants
    _show(packaged)
    click.echo(json.dumps(document) if as_json else str(output))


def _show(packaged: "Packaged") -> None:
    """Print what was determined to stderr."""
    spec = packaged.bundle.spec
    for note in packaged.notes:
        click.echo(f"{spec.name}: {note}", err=True)
    if packaged.attempts:
        _show_attempts(packaged.attempts)
    kind = "multi-label, " if packaged.answers.multi_label else ""
    click.echo(
        f"{spec.name}: {len(spec.labels)} labels, {kind}input "
        f"{spec.rule.width}x{spec.rule.height}, pixels {packaged.pixels}, "
        f"{_KINDS[packaged.answers.activation]} from {packaged.function}, "
        f"engines {' and '.join(packaged.engines)}, "
        f"digest {packaged.bundle.digest[:12]}",
        err=True,
    )
    if packaged.litert_error is not None:
        click.echo(
            f"{spec.name}: LiteRT cannot run this graph ({packaged.litert_error}), so it runs with "
            "the tensorflow engine and not in the Lambda",
            err=True,
        )


_KINDS = {"none": "probabilities", "softmax": "logits", "sigmoid": "logits"}


def _show_attempts(attempts: "tuple[Attempt, ...]") -> None:
    """Print the table of what was tried."""
    width = max(len(str(each.pixels)) for each in attempts)
    click.echo(f"{'pixels':<{width}}  labels   largest difference", err=True)
    for each in attempts:
        difference = each.largest_difference
        shown = "not known" if difference is None else f"{difference:.4f}"
        labels = f"{each.reproduced}/{each.of}"
        click.echo(f"{each.pixels!s:<{width}}  {labels:<7}  {shown}", err=True)


def _document(packaged: "Packaged", output: Path) -> dict[str, Any]:
    """Return what `--json` prints."""
    from seefood_training.packaging.outcome import examples_as_json
    from seefood_training.packaging.search import pixels_as_json

    return {
        "bundle": str(output),
        "digest": packaged.bundle.digest,
        "labels": list(packaged.bundle.labels),
        "pixels": pixels_as_json(packaged.pixels),
        "engines": list(packaged.engines),
        "multi_label": packaged.answers.multi_label,
        "notes": list(packaged.notes),
        "examples": examples_as_json(packaged.attempts),
    }


def _calibration(data: str | None, accept: float, unsure_share: float) -> "Calibration | None":
    if data is None:
        why = "without `--calibrate DATA`, the photos that thresholds are chosen on; give both"
        refuse_options(("accept", "unsure_share"), why)
        return None
    from seefood.cli.requirements import require
    from seefood_training.acceptance import Wish
    from seefood_training.packaging.calibration import Calibration

    require("package --calibrate", "train", "sklearn", "scipy")
    return Calibration(data, Wish(accept, unsure_share))


def _pixels(stated: "PixelChoice") -> "PixelChoice":
    """Return `stated`. Raises `UsageError` for a share of another fit than a crop."""
    from seefood.errors import UsageError

    if stated.crop_share is not None and stated.fit not in {None, "crop"}:
        raise UsageError(
            f"`--crop-share {stated.crop_share:g}` is for `--fit crop`, not for `--fit "
            f"{stated.fit}`; leave one of them out"
        )
    return stated if stated.crop_share is None else replace(stated, fit="crop")


def _size(text: str | None) -> tuple[int, int] | None:
    """Return height and width of `WxH`."""
    from seefood.errors import UsageError

    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,4})[x×](\d{1,4})", text)  # noqa: RUF001 (users paste it)
    if match is None or "0" in match.groups():
        raise UsageError(f"`--size {text}` is not a size; write width x height, such as 224x224")
    return int(match[2]), int(match[1])
