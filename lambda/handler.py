"""The Lambda's entry point, `handler.handler`: everything is loaded and certified here, once.

Lambda imports this module while an environment starts, with the most processor time it ever grants;
an environment whose model or settings are wrong never takes an event.
"""

import os
from typing import Any

# Before NumPy: no threads and no memory for matrices that nobody multiplies here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from door.app import Context, Door
from door.settings import read_settings

_DOOR = Door(read_settings(os.environ))


def handler(event: Any, context: Context) -> Any:
    """Answer one event; see `door.app.Door`."""
    return _DOOR(event, context)
