"""Runs a job several times, killed at a random moment, and a last time to its end.

    python -m tests.bulk.killed_job BUNDLE SOURCE OUTPUT KILLS SEED

Each attempt is a fork of this process, so that imports take time once. Prints how many attempts
were killed before their end, and the exit code of the last one.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import seefood_pipeline.bulk_job  # noqa: F401 (imports Beam before the forks)
from seefood.runs.run_spec import ChunkSize, RunOptions
from seefood_pipeline.launcher import launch
from seefood_pipeline.request import Request

_FIRST_SECONDS = 0.2
_LAST_SECONDS = 1.0


def _attempt(bundle: str, source: str, output: str) -> None:
    options = RunOptions(engine="fake", chunk=ChunkSize(8))
    request = Request((source,), output, Path(bundle), options, report=False)
    summary = launch(request, "quiet").summary
    print(json.dumps({"rows": summary["rows"], "skipped": summary["skipped_by_ledger"]}))  # noqa: T201


def main() -> None:
    """Run the attempts."""
    bundle, source, output, kills, seed = sys.argv[1:]
    moments = random.Random(int(seed))
    killed = 0
    for attempt in range(int(kills) + 1):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                _attempt(bundle, source, output)
                sys.stdout.flush()
                code = 0
            finally:
                os._exit(code)
        if attempt < int(kills):
            time.sleep(moments.uniform(_FIRST_SECONDS, _LAST_SECONDS))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
    print(json.dumps({"killed": killed, "last": os.waitstatus_to_exitcode(status)}))  # noqa: T201


if __name__ == "__main__":
    main()
