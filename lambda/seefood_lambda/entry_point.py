"""What Lambda imports while an environment starts: the model is loaded and certified here, once.

Lambda grants the most processor time while it imports. An environment whose model or settings are
wrong fails here and never takes an event.
"""

import os
from typing import Any

# Before NumPy is imported: its BLAS threads cost memory and start-up time, and nothing here
# multiplies matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from seefood_lambda.application import Application, Context
from seefood_lambda.settings import read_settings

_APPLICATION = Application(read_settings(os.environ))


def handler(event: Any, context: Context) -> Any:
    """Answer one event; see `seefood_lambda.application.Application`."""
    return _APPLICATION(event, context)
