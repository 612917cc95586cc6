"""Manifests: lists of pictures in a file, in the forms in which people have them.

    names      a URI or path a line
    delimited  a table with commas, semicolons, tabs or bars; S3 Batch Operations' `bucket,key`
    lines      JSON lines: a string or an object a line; SageMaker's `source-ref`
    document   one JSON document: an array, COCO, Label Studio, SageMaker's ManifestFile
    parquet    a column of names; Hugging Face's image column without bytes
    inventory  S3 Inventory; see `seefood.sources.s3_inventory`

`opening` opens and decompresses a file and finds its encoding, `dialects` finds its form, a module
for each form reads its entries, `entries` makes references of them, and `manifest` is the source.
"""

from seefood.sources.manifests.manifest import Manifest, parse_manifest

__all__ = ["Manifest", "parse_manifest"]
