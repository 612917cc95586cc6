"""The registry of works. Each is a function from a `Setting` to a `Section`, in a module.

A work is imported when it is measured, so that one whose libraries are absent stops no other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Final, cast

from benchmarks.sections import Section
from benchmarks.setting import Setting

Measure = Callable[[Setting], Section]


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to measure."""

    name: str
    module: str
    function: str
    what: str

    @property
    def exists(self) -> bool:
        """Whether its module is there."""
        return find_spec(self.module) is not None

    def load(self) -> Measure:
        """Import its module and return its function."""
        return cast("Measure", getattr(import_module(self.module), self.function))


WORKS: Final = (
    Work("web", "benchmarks.bulk", "measure_web", "web photos, local files, every peer"),
    Work("steady", "benchmarks.bulk", "measure_steady", "ours and the bare loop, many web photos"),
    Work("camera", "benchmarks.bulk", "measure_camera", "camera photos, local files"),
    Work("s3", "benchmarks.bulk", "measure_s3", "web photos from S3, 0 and 50 ms"),
    Work("single", "benchmarks.single", "measure_single", "one picture from the shell"),
    Work("growth", "benchmarks.growth", "measure", "memory, ten times the pictures"),
    Work("upload_door", "benchmarks.upload_door", "measure", "the Lambda, warm and cold"),
)
