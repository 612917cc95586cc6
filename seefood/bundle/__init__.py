"""The model bundle on disk, and its download from a bucket (`download`)."""

from seefood.bundle.adapter import Adapter, Quantisation
from seefood.bundle.bundle import (
    BUILT_IN,
    EXTRA,
    GOLDEN,
    LITERT_MODEL,
    MANIFEST,
    ONNX_MODEL,
    SMALL_NETWORK,
    Bundle,
    built_in_bundle_path,
    default_bundle_path,
    digest_matches,
    load_bundle,
    set_reference,
    write_bundle,
)
from seefood.bundle.features import FeatureSpec
from seefood.bundle.spec import FORMAT_VERSION, BundleSpec, Certificate, Golden

__all__ = [
    "BUILT_IN",
    "EXTRA",
    "FORMAT_VERSION",
    "GOLDEN",
    "LITERT_MODEL",
    "MANIFEST",
    "ONNX_MODEL",
    "SMALL_NETWORK",
    "Adapter",
    "Bundle",
    "BundleSpec",
    "Certificate",
    "FeatureSpec",
    "Golden",
    "Quantisation",
    "built_in_bundle_path",
    "default_bundle_path",
    "digest_matches",
    "load_bundle",
    "set_reference",
    "write_bundle",
]
