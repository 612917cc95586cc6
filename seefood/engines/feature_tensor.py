"""Which tensor of a bundle's graph holds the features."""

from seefood.bundle import Bundle
from seefood.engines.registry import Graph
from seefood.errors import BundleError


def feature_tensor(bundle: Bundle, graph: Graph) -> int | str:
    """Return the tensor's index (LiteRT) or name. Raises `BundleError` if none is known."""
    if bundle.is_cascade:
        raise BundleError(
            f"{bundle.path} is a cascade, whose two networks have different features; use the "
            "bundle of its large network"
        )
    if bundle.variant is not None:
        raise BundleError(
            f"the faster variant {bundle.name} gives no features; leave fast or features out"
        )
    if bundle.features is None:
        raise BundleError(
            f"the bundle {bundle.path} states no features; `seefood features {bundle.path}` finds "
            "them, if its network ends in a matrix product, and keeps its digest"
        )
    tensor = bundle.features.tensors.get(graph)
    if tensor is None:
        raise BundleError(
            f"the bundle {bundle.path} states features for {', '.join(bundle.features.tensors)} "
            f"and not for {graph}; use an engine that runs one of those graphs"
        )
    return tensor
