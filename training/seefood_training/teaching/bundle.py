"""Writes the bundle of a taught layer: the old graph for LiteRT with the new layer at its end."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from seefood.bundle import EXTRA, LITERT_MODEL, Bundle, load_bundle, set_knowledge
from seefood.drift.novelty import NoveltySpace
from seefood.engines.registry import Graph
from seefood.errors import UsageError
from seefood_training.linear_probe import Floats
from seefood_training.reference import novelty_limit, space_of
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


@dataclass(frozen=True, slots=True)
class Limit:
    """Which pictures resemble the examples too little."""

    space: NoveltySpace
    above: float
    """Pictures of a greater novelty are `unsure`."""


def unknown_limit(features: Floats, share: float | None, source: Bundle) -> Limit | None:
    """Return the limit above which the `share` of the examples that resemble the others least is.

    `features` are the examples', of shape `(n, features)`, of the bundle `source`. None without a
    share. Raises `UsageError` for too few examples.
    """
    if share is None:
        return None
    space, novelty = space_of(features) or (None, np.empty(0, np.float32))
    above = novelty_limit(novelty, share, source)
    assert space is not None  # noqa: S101 (without one there is no novelty, and no limit)
    return Limit(space, above)


def write_taught_bundle(  # noqa: PLR0913 (keyword-only)
    source: Bundle,
    output: Path,
    head: Head,
    *,
    labels: tuple[str, ...],
    record: dict[str, Any],
    rejection: Limit | None = None,
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
        bundle = seal_bundle(folder, draft, least_tolerance=tolerance)
        if rejection is not None:
            set_knowledge(bundle, None, rejection.space, rejection.above)
    return load_bundle(output)


def _may_round(bundle: Bundle) -> bool:
    """Whether another processor may round the graph otherwise, because it computes in integers."""
    return bundle.spec.training.get("quantisation") == "int8" or bundle.spec.adapter is not None
