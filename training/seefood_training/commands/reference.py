"""`seefood reference`: tells a bundle what its training pictures are like."""

import json
from pathlib import Path

import click

from seefood.cli.numbers import FloatRange
from seefood.cli.working import working


@click.command("reference")
@click.argument("bundle", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.argument("data", metavar="DATA")
@click.option("--nested", is_flag=True, help="Each innermost folder of DATA is a class.")
@click.option(
    "--reject-unknown",
    type=FloatRange(0.0, 0.5, min_open=True),
    metavar="SHARE",
    help="Pictures that resemble DATA less than all but this share of it become `unsure`. "
    "Changes the digest.",
)
@click.option(
    "--drop-variants",
    is_flag=True,
    help="Remove the faster variants of BUNDLE: they reject no pictures.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def reference_command(
    bundle: Path,
    data: str,
    *,
    nested: bool,
    reject_unknown: float | None,
    drop_variants: bool,
    as_json: bool,
) -> None:
    """Write into the folder BUNDLE what the photos of DATA are like, so that drift is found.

    DATA is laid out as for `seefood train`: the photos that the model was trained on, and for
    testing some that it was not, which say how right its scores are. It is written to the bundle's
    bundle.json; labels, scores and rows stay, and without --reject-unknown the digest too.

    \b
    Examples:
      seefood reference my-model photos
      seefood reference my-model photos --reject-unknown 0.01 --drop-variants
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.bundle import load_bundle, remove_variants
    from seefood.errors import UsageError

    with working("reading the photos"):
        from seefood_training.data import read_labelled
        from seefood_training.reference import Known, add_reference

        loaded = load_bundle(bundle)
        photos = read_labelled(data, nested=nested)
    if unknown := sorted(set(photos.labels) - set(loaded.labels)):
        raise UsageError(
            f"{data} has the class {unknown[0]!r}, which {bundle} does not know; its labels are "
            + ", ".join(loaded.labels[:10])
        )
    if drop_variants:
        loaded = remove_variants(loaded)
    known = Known(photos.labels, (*photos.train, *photos.validation), photos.test)
    with working("classifying the photos"):
        written = add_reference(loaded, known, reject_unknown)
    reference = written.reference
    assert reference is not None  # noqa: S101 (for the type checker)
    answers = sum(map(sum, reference.right.values())) + sum(
        sum(each.values()) for each in reference.confused.values()
    )
    rejection = written.spec.rejection
    facts = {
        "digest": written.digest,
        "photos": reference.fingerprint.rows,
        "held_out": answers,
        "novelty": written.novelty is not None,
        "reject_above": None if rejection is None else rejection.above,
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(f"{bundle}: knows {facts['photos']:,} photos, {answers:,} of them held out")
    if written.novelty is None:
        click.echo("It states no features, so pictures that resemble nothing are told by scores.")
    if rejection is not None:
        click.echo(f"Pictures of a novelty above {rejection.above:.3f} are unsure.")
