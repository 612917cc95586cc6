"""seefood: a bucket of pictures and a CNN in, one labelled row per picture out.

The package is the core that every door shares (command line, Beam job, Lambda). Importing it loads
no Beam, no TensorFlow and no boto3. The packages, from the ground up:

    errors    what can go wrong, and who handles it
    records   the values that travel: ImageRef, Prediction, Row
    imaging   bytes to upright RGB of the network's input size
    storage   URIs, local files, S3 and other object stores
    bundle    the model on disk: a SavedModel, its LiteRT graph, labels, thresholds, certificate
    engines   one module per runtime, and the fake that ships
    classify  pictures in, rows out; no I/O
    results   rows to Parquet, JSON lines or CSV; the ledger of what is done
    sources   folders, buckets, globs and manifests: which pictures there are
    runs      one run: lease, shards, progress, summary, estimate
    workers   pictures through decode and inference, in threads and in processes
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seefood.bundle import Bundle, load_bundle
    from seefood.classify import classify_images
    from seefood.engines.base import Engine
    from seefood.engines.loading import load_engine
    from seefood.errors import SeefoodError
    from seefood.imaging.decode import decode
    from seefood.records import ImageRef, Prediction, Row

__all__ = [
    "Bundle",
    "Engine",
    "ImageRef",
    "Prediction",
    "Row",
    "SeefoodError",
    "classify_images",
    "decode",
    "load_bundle",
    "load_engine",
]

_HOME = {
    "Bundle": "bundle",
    "Engine": "engines.base",
    "ImageRef": "records",
    "Prediction": "records",
    "Row": "records",
    "SeefoodError": "errors",
    "classify_images": "classify",
    "decode": "imaging.decode",
    "load_bundle": "bundle",
    "load_engine": "engines.loading",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `seefood --help` needs no NumPy (PEP 562)."""
    if name not in _HOME:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"seefood.{_HOME[name]}"), name)
