"""`seefood teach`: a new last layer on stored features, and new labels for all rows."""

import json
import sys
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from seefood.cli.options import model_digest_option, model_option, open_bundle
from seefood.cli.profile_options import profile_option
from seefood.cli.working import working
from seefood_training.commands.threshold_options import reject_option, threshold_options

if TYPE_CHECKING:
    from seefood.features.stored import StoredVectors
    from seefood.storage.uris import Location
    from seefood_training.teaching.examples import Taught


@click.command("teach")
@click.argument("dest", metavar="DEST")
@click.option("--examples", metavar="FOLDER", help="Photos, a folder for each class.")
@click.option("--corrections", is_flag=True, help="Learn from what people corrected below DEST.")
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="BUNDLE",
    help="The folder of the new bundle.",
)
@threshold_options("--max-wrong")
@reject_option()
@click.option("--overwrite", is_flag=True, help="Replace an existing bundle.")
@click.option("--no-relabel", is_flag=True, help="Write the bundle alone, and no rows.")
@profile_option
@model_option
@model_digest_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def teach_command(*, dest: str, output: Path, as_json: bool, **params: Any) -> None:
    """Teach a model new classes, or better ones, from a few examples, in seconds.

    The last layer is fitted again on the features that `seefood classify --features` stored below
    DEST: about twenty examples a class are enough to begin with. BUNDLE is a whole bundle for the
    batch job and the Lambda, with calibrated scores and thresholds. All pictures below DEST get
    rows of the new model, without being read again; `seefood diff` compares them with the old.

    \b
    Examples:
      seefood teach results --examples my-classes --output bundles/mine
      seefood teach s3://labels --corrections --output bundles/better --json
    """  # noqa: D301 (click's mark against re-wrapping)
    from secrets import token_hex

    from seefood.errors import UsageError
    from seefood.sanitize import printable
    from seefood.storage.uris import parse_location

    if not (params["examples"] or params["corrections"]):
        raise UsageError("give `--examples FOLDER`, `--corrections`, or both")
    location = parse_location(dest)
    with working("reading the examples") as tell:
        from seefood_training.sealing import check_absent

        check_absent(output, overwrite=params["overwrite"])  # first: other imports take seconds
        from seefood.bundle import LITERT_MODEL
        from seefood.classification import Model
        from seefood.features.stored import load_vectors
        from seefood.runs.lease import hold_lease
        from seefood.runs.run_spec import RunSpec
        from seefood_training.acceptance import Wish
        from seefood_training.teaching.bundle import (
            check_teachable,
            unknown_limit,
            write_taught_bundle,
        )
        from seefood_training.teaching.graph import read_head
        from seefood_training.teaching.head import fit_head
        from seefood_training.teaching.relabel import Relabelled, check_sample, relabel

        source = open_bundle(params["model"], params["model_digest"])
        tensor = check_teachable(source)
        vectors = load_vectors(location, source.digest)
        taught = _examples(params["examples"], params["corrections"], location, vectors, source)
        for note in taught.notes:
            click.echo(printable(note), err=True)
        old = read_head(source.file(LITERT_MODEL).read_bytes(), tensor)
        wish = Wish(params["accept"], params["unsure_share"])
        rejection = unknown_limit(taught.features, params["reject_unknown"], source)
        tell("fitting the last layer")
        head = fit_head(taught, wish, old)
        tell("writing the bundle and the rows")
        bundle = write_taught_bundle(
            source,
            output,
            head,
            labels=taught.names,
            record=taught.record,
            rejection=rejection,
            overwrite=params["overwrite"],
        )
        agreement = check_sample(location, source.digest, vectors, head.probe, bundle)
        written = Relabelled(0, 0)
        if not params["no_relabel"]:
            with hold_lease(RunSpec(location, bundle.digest, f"teach-{token_hex(3)}")):
                written = relabel(location, source.digest, vectors, head.probe, Model.of(bundle))
    low, high = head.right.interval
    for warning in head.verdicts:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        document = {
            "bundle": str(output),
            "digest": bundle.digest,
            "labels": list(taught.names),
            **taught.record,
            "accuracy": head.right.as_json(),
            "unsure": head.acceptance.as_json(),
            "agreement": {
                "pictures": agreement.pictures,
                "largest_difference": agreement.largest,
                "mean_difference": agreement.mean,
                "same_label": agreement.same_label,
            },
            "rows": written.rows,
            "without_features": written.without_features,
        }
        click.echo(json.dumps(document, ensure_ascii=True))
        return
    counts = ", ".join(f"{printable(name)} {n}" for name, n in taught.record["examples"].items())
    facts = [
        ("Examples", counts),
        (
            "Accuracy",
            f"{head.right.value:.1%} in cross-validation (95 % interval {low:.1%} to {high:.1%})",
        ),
        ("Thresholds", head.acceptance.sentence()),
        ("", head.acceptance.curve_sentence()),
        ("Bundle", f"{printable(str(output))}, digest {bundle.digest[:12]}"),
        ("Certified", agreement.sentence()),
        ("Rows", "none" if params["no_relabel"] else f"{written.rows:,} below {printable(dest)}"),
    ]
    width = get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    for name, text in facts:
        lines = wrap(text, max(40, width - 14), break_long_words=False, break_on_hyphens=False)
        click.echo(f"{name:<14}" + f"\n{'':<14}".join(lines))
    if written.without_features:
        click.echo(
            f"{written.without_features:,} pictures have no features; `seefood classify --model "
            f"{printable(str(output))}` labels them",
            err=True,
        )


def _examples(
    folder: str | None,
    corrections: bool,  # noqa: FBT001 (an option of the command)
    output: "Location",
    vectors: "StoredVectors",
    source: Any,
) -> "Taught":
    from seefood_training.teaching.examples import correction_examples, folder_examples, joined

    parts = []
    if folder:
        parts.append(folder_examples(folder, source))
    if corrections:
        parts.append(correction_examples(output, vectors))
    return joined(parts) if len(parts) > 1 else parts[0]
