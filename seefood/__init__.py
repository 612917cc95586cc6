"""seefood: classifies the pictures of a bucket with a CNN, one labelled row for each.

This package is the core that the command line, the Beam job and the Lambda share. Importing it
imports no Beam, TensorFlow or boto3. Its packages and modules; each imports only those above it:

    errors    the exceptions, and the error codes of rows
    sanitize  removes secrets and control characters from text
    records   ImageRef, Prediction and Row
    imaging   decodes pictures to upright RGB of the network's input size
    storage   URIs, local files, S3 and other object stores
    bundle    the model on disk: SavedModel, LiteRT graph, labels, thresholds, certificate
    engines   one module for each runtime, and a fake for tests
    classification  pictures to rows, without I/O
    results   rows in Parquet, JSON lines or CSV; the ledger of finished pictures
    sources   lists pictures: folders, buckets, globs, manifests
    runs      one run: lease, shards, progress, summary, estimate
    workers   classifies pictures in threads and processes
    report    the HTML report of a run's results
    explain   the HTML page that shows how a model classifies a picture
    python    what Python programs call: classify, read, predict
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seefood.bundle import Bundle, load_bundle
    from seefood.bundle.named import open_bundle
    from seefood.classification import classify_images
    from seefood.engines.base import Engine
    from seefood.engines.loading import load_engine
    from seefood.errors import SeefoodError
    from seefood.imaging.decode import decode
    from seefood.python.classify import classify
    from seefood.python.stored import read
    from seefood.records import ImageRef, Prediction, Row

__all__ = [
    "Bundle",
    "Engine",
    "ImageRef",
    "Prediction",
    "Row",
    "SeefoodError",
    "classify",
    "classify_images",
    "decode",
    "load_bundle",
    "load_engine",
    "open_bundle",
    "read",
]

_MODULES = {
    "Bundle": "bundle",
    "Engine": "engines.base",
    "ImageRef": "records",
    "Prediction": "records",
    "Row": "records",
    "SeefoodError": "errors",
    "classify": "python.classify",
    "classify_images": "classification",
    "decode": "imaging.decode",
    "load_bundle": "bundle",
    "load_engine": "engines.loading",
    "open_bundle": "bundle.named",
    "read": "python.stored",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562), so that `seefood --help` needs no NumPy."""
    if name not in _MODULES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"seefood.{_MODULES[name]}"), name)
