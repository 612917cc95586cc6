"""`seefood features`: adds the features to a bundle that states none."""

import json
from pathlib import Path

import click

from seefood.cli.working import working


@click.command("features")
@click.argument("bundle", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def features_command(bundle: Path, *, as_json: bool) -> None:
    """Find and certify the features of the folder BUNDLE, made before seefood stored features.

    The features are the input of the network's last matrix product. They are written to the
    bundle's bundle.json; its digest, labels and scores stay, and so do all rows.

    \b
    Examples:
      seefood features my-model
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.errors import UsageError

    with working("finding and certifying the features"):
        from seefood.bundle import load_bundle
        from seefood_training.features.adding import add_features

        found = add_features(load_bundle(bundle)).features
    if found is None:
        raise UsageError(
            f"{bundle} has no features: its network does not end in a matrix product, or it is a "
            "cascade; take the bundle of the large network"
        )
    if as_json:
        click.echo(json.dumps({"dimension": found.dimension, "graphs": sorted(found.tensors)}))
        return
    graphs = ", ".join(sorted(found.tensors))
    click.echo(f"{bundle}: features of {found.dimension:,} numbers, certified for {graphs}")
