"""Upload handlers: seefood's, and the same task as it is usually written."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from benchmarks.settings import ROOT, python
from seefood.bundle import Bundle

BUCKET: Final = "uploads"
_KEYS: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}
_OURS: Final = """
from seefood_lambda.classifier import Classifier
from seefood_lambda.settings import read_config
from seefood.records import ImageRef
classifier = Classifier.load(read_config({}))
def label(data):
    row = classifier.row((ImageRef("file:///photo.jpg", "e", len(data)), data))
    assert row.error_code is None, row.error_message
"""
# Measures the second of two calls; the first allocates buffers.
_MEASURE: Final = """
import json, sys, time
times = []
for path in json.loads(sys.argv[1]):
    data = open(path, "rb").read()
    label(data)
    start = time.process_time()
    label(data)
    times.append((time.process_time() - start) * 1000)
print(json.dumps(times))
"""


@dataclass(frozen=True, slots=True)
class Handler:
    """A handler function and the process that runs it."""

    title: str
    interpreter: tuple[str, ...]
    entry: str
    """The function that Lambda's runtime client calls."""
    label: str
    """Python code that defines `label(data)`, which is measured warm."""
    folder: Path
    """The working folder."""
    environment: Mapping[str, str]
    max_starts: int = 1000

    def start(self, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start Lambda's runtime client with the handler and more environment variables."""
        return subprocess.Popen(
            [*self.interpreter, "-m", "awslambdaric", self.entry],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], **_KEYS, **self.environment, **environment},
        )

    def cpu_milliseconds(self, pictures: Sequence[str]) -> list[float]:
        """Return the CPU time of each picture, in milliseconds."""
        process = subprocess.run(
            [*self.interpreter, "-c", self.label + _MEASURE, json.dumps(pictures)],
            cwd=self.folder,
            env={"OPENBLAS_NUM_THREADS": "1", **_KEYS, **self.environment},
            check=True,
            capture_output=True,
            text=True,
        )
        milliseconds: list[float] = json.loads(process.stdout)
        return milliseconds


def ours(
    title: str, task: Path, client: Path, environment: Mapping[str, str] = MappingProxyType({})
) -> Handler:
    """Return seefood's handler, from the zip that was unpacked to `task`."""
    return Handler(
        title,
        (sys.executable, "-S", "-B"),
        "handler.handler",
        _OURS,
        task,
        {
            "PYTHONPATH": f"{task}:{client}",
            "SEEFOOD_RESULTS": "s3://labels/rows",
            "SEEFOOD_WATCHED": f"s3://{BUCKET}/",
            **environment,
        },
    )


def peer(title: str, module: str, model: Path, bundle: Bundle, client: Path) -> Handler:
    """Return the handler in `benchmarks.contenders.<module>`, which loads `model`."""
    return Handler(
        title,
        (str(python()),),
        f"benchmarks/contenders/{module}.handler",
        f"from benchmarks.contenders.{module} import label",
        ROOT,
        {
            "PYTHONPATH": f"{ROOT}:{client}",
            "MODEL": str(model),
            "LABELS": ",".join(bundle.labels),
            "SIDE": str(bundle.spec.rule.width),
            "RESULTS": "labels",
        },
        max_starts=4,
    )
