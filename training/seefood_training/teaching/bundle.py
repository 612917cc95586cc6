"""Writes the bundle of a taught layer: the old graph for LiteRT with the new layer at its end."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from seefood.bundle import EXTRA, LITERT_MODEL, Bundle, load_bundle
from seefood.engines.registry import Graph
from seefood.errors import UsageError
from seefood_training.sealing import (
    FLOAT_TOLERANCE,
    REDUCED_TOLERANCE,
    Draft,
    new_bundle,
    seal_bundle,
)
from seefood_training.teaching.graph import with_head
from seefood_training.teaching.head import Head


def check_teachable(bundle: Bundle) -> int:
    """Return the tensor with the features in LiteRT's graph of `bundle`. Raises `UsageError`."""
    stated = None if bundle.features is None else bundle.features.tensors.get(Graph.LITERT)
    if not isinstance(stated, int):
        raise UsageError(
            f"{bundle.path} has no features in a LiteRT graph, so its last layer cannot be "
            f"replaced; `seefood features {bundle.path}` looks for them"
        )
    return stated


def write_taught_bundle(
    source: Bundle,
    output: Path,
    head: Head,
    *,
    labels: tuple[str, ...],
    record: dict[str, Any],
    overwrite: bool = False,
) -> Bundle:
    """Write the bundle of `head` on the features of `source` to `output` and return it, certified.

    It holds a graph for LiteRT alone, which the batch job and the Lambda run. Atomic: written
    beside `output`, then renamed. Raises `BundleError` if `output` exists, `UsageError` if `source`
    has no features for LiteRT.
    """
    tensor = check_teachable(source)
    flat = source.file(LITERT_MODEL).read_bytes()
    adapter = source.spec.adapter
    if adapter is not None:  # the input stays the old graph's
        adapter = replace(
            adapter, output=0, output_quantisation=None, activation="none", positive=None
        )
    training = {
        "network": source.spec.training.get("network", source.name),
        "taught_on": source.digest,
        "unsure": head.acceptance.as_json(),
        **record,
    }
    draft = Draft(
        name=output.name,
        labels=labels,
        rule=source.spec.rule,
        thresholds=head.acceptance.thresholds,
        training=training,
        metrics=head.as_json(),
        adapter=adapter,
    )
    tolerance = REDUCED_TOLERANCE if _may_round(source) else FLOAT_TOLERANCE
    with new_bundle(output, overwrite=overwrite) as folder:
        (folder / EXTRA).mkdir()
        (folder / LITERT_MODEL).write_bytes(with_head(flat, tensor, head.probe))
        seal_bundle(folder, draft, least_tolerance=tolerance)
    return load_bundle(output)


def _may_round(bundle: Bundle) -> bool:
    """Whether another processor may round the graph otherwise, because it computes in integers."""
    return bundle.spec.training.get("quantisation") == "int8" or bundle.spec.adapter is not None
