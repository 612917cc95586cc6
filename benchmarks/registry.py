"""The benchmarks. Each is a function from `Settings` to a `Section`.

A benchmark's module is imported when it runs, so that a missing library stops no other benchmark.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Final

from benchmarks.sections import Section
from benchmarks.settings import Settings


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A function that measures something."""

    name: str
    module: str
    function: str
    description: str

    def run(self, settings: Settings) -> Section:
        """Import the module and call the function."""
        section: Section = getattr(import_module(self.module), self.function)(settings)
        return section


BENCHMARKS: Final = (
    Benchmark("web", "benchmarks.bulk", "measure_web", "web photos, local files, every peer"),
    Benchmark(
        "steady", "benchmarks.bulk", "measure_steady", "seefood and the bare loop, many web photos"
    ),
    Benchmark("camera", "benchmarks.bulk", "measure_camera", "camera photos, local files"),
    Benchmark("s3", "benchmarks.bulk", "measure_s3", "web photos from S3, 0 and 50 ms"),
    Benchmark("single", "benchmarks.single", "measure_single", "one picture from the shell"),
    Benchmark("growth", "benchmarks.growth", "measure", "memory, ten times the pictures"),
    Benchmark(
        "pipelines", "benchmarks.pipelines", "measure", "ClassifyImages, RunInference, Python"
    ),
    Benchmark("upload", "benchmarks.upload", "measure", "the Lambda, warm and cold"),
)
