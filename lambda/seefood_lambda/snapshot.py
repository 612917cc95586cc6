"""What Lambda SnapStart needs: nothing random or connected is kept across the snapshot.

Lambda starts many environments from one snapshot of the loaded function. Stores, clients and
credentials are opened by the first event, and so after the restore. What is left is here: the
modules that the first events would import are loaded before the snapshot, and the random waits of
retries differ after the restore.
"""

import os
import random
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Final

# SnapStart gives credentials through an endpoint, which botocore asks.
_LATER: Final = (
    "PIL.JpegImagePlugin",
    "PIL.TiffImagePlugin",  # reads Exif
    "seefood.storage.s3_identity",
    "seefood_lambda.form_data",
    "seefood_lambda.page",
)


def is_snapshot_start(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether Lambda is going to take a snapshot of this environment."""
    return environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"


def register_hooks() -> None:
    """Let the runtime call `before_snapshot` and `after_restore`."""
    from snapshot_restore_py import (  # type: ignore[import-untyped]  # noqa: PLC0415 (the runtime's)
        register_after_restore,
        register_before_snapshot,
    )

    register_before_snapshot(before_snapshot)
    register_after_restore(after_restore)


def before_snapshot() -> None:
    """Import what the first events need."""
    for name in _LATER:
        with suppress(ImportError):  # an image may lack botocore
            import_module(name)


def after_restore() -> None:
    """Give this environment random numbers of its own."""
    random.seed()
