"""The handlers of the upload handler: ours, and the same task as it is usually written."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.setting import ROOT, python
from seefood.bundle import Bundle

BUCKET: Final = "uploads"
_KEYS: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}
# Decoding and network, each picture a second time: the first brings its pages and buffers.
_OURS: Final = """
from seefood_lambda.classifier import Classifier
from seefood_lambda.settings import read_settings
from seefood.records import ImageRef
classifier = Classifier.load(read_settings({}))
def label(data):
    row = classifier.row((ImageRef("file:///photo.jpg", "e", len(data)), data))
    assert row.error_code is None, row.error_message
"""
_MEASURE: Final = """
import json, sys, time
spent = []
for path in json.loads(sys.argv[1]):
    data = open(path, "rb").read()
    label(data)
    begun = time.process_time()
    label(data)
    spent.append((time.process_time() - begun) * 1000)
print(json.dumps(spent))
"""


@dataclass(frozen=True, slots=True)
class Handler:
    """A function as Lambda would run it."""

    title: str
    interpreter: tuple[str, ...]
    entry: str
    """What Lambda's runtime client is told to call."""
    label: str
    """Python that defines `label(data)`: what is measured warm."""
    folder: Path
    """The working folder."""
    environment: Mapping[str, str]
    most_starts: int = 1000

    def start(self, more: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start Lambda's runtime client on it."""
        return subprocess.Popen(
            [*self.interpreter, "-m", "awslambdaric", self.entry],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], **_KEYS, **self.environment, **more},
        )

    def cpu_milliseconds(self, pictures: Sequence[str]) -> list[float]:
        """Return the CPU that each picture takes, in milliseconds."""
        done = subprocess.run(
            [*self.interpreter, "-c", self.label + _MEASURE, json.dumps(pictures)],
            cwd=self.folder,
            env={"OPENBLAS_NUM_THREADS": "1", **_KEYS, **self.environment},
            check=True,
            capture_output=True,
            text=True,
        )
        spent: list[float] = json.loads(done.stdout)
        return spent


def ours(title: str, task: Path, client: Path) -> Handler:
    """Return the handler of the zip that was unpacked to `task`."""
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
        most_starts=4,
    )
