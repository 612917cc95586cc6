"""The model bundle on disk, and its download from a bucket (`download`)."""

from seefood.bundle.adapter import Adapter, Quantisation
from seefood.bundle.bundle import (
    GOLDEN,
    LITERT_MODEL,
    ONNX_MODEL,
    SMALL_NETWORK,
    VARIANTS,
    Bundle,
    built_in_bundle_path,
    default_bundle_path,
    digest_matches,
    load_bundle,
    set_knowledge,
    write_bundle,
)
from seefood.bundle.features import FeatureSpec
from seefood.bundle.manifest_file import BUILT_IN, EXTRA, MANIFEST
from seefood.bundle.spec import FORMAT_VERSION, BundleSpec, Certificate, Golden
from seefood.bundle.variant import DEFAULT_POINTS, Loss, Variant
from seefood.bundle.variants import list_variants, load_variants, remove_variants

__all__ = [
    "BUILT_IN",
    "DEFAULT_POINTS",
    "EXTRA",
    "FORMAT_VERSION",
    "GOLDEN",
    "LITERT_MODEL",
    "MANIFEST",
    "ONNX_MODEL",
    "SMALL_NETWORK",
    "VARIANTS",
    "Adapter",
    "Bundle",
    "BundleSpec",
    "Certificate",
    "FeatureSpec",
    "Golden",
    "Loss",
    "Quantisation",
    "Variant",
    "built_in_bundle_path",
    "default_bundle_path",
    "digest_matches",
    "list_variants",
    "load_bundle",
    "load_variants",
    "remove_variants",
    "set_knowledge",
    "write_bundle",
]
