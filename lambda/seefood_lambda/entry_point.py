"""Creates the application while Lambda imports this module: the model is loaded once, here.

Lambda gives a function the most processor time during import. If the model or the settings are
wrong, the import fails and the environment receives no event.
"""

import os
from typing import Any

# Set before NumPy is imported: its BLAS threads cost memory and start-up time, and nothing here
# multiplies matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from seefood_lambda.application import Application, Context
from seefood_lambda.settings import read_config
from seefood_lambda.snapshot import is_snapshot_start, register_hooks

_APPLICATION = Application(read_config(os.environ))
if is_snapshot_start():
    register_hooks()


def handler(event: Any, context: Context) -> Any:
    """Handle one event; see `seefood_lambda.application.Application`."""
    return _APPLICATION(event, context)
