"""The parts of seefood in other people's programs: a Beam pipeline, RunInference, a Python loop."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.bulk_table import to_section
from benchmarks.contender_process import Contender
from benchmarks.job import Job
from benchmarks.pictures import ensure_pictures
from benchmarks.runner import Plan, run_rounds, warm_up
from benchmarks.sections import Section, at_least, paired_ratio
from benchmarks.settings import Settings, cores
from seefood.bundle import default_bundle_path, load_bundle

_JOB: Final = "ours"
_TRANSFORM: Final = "transform"
_LOOP: Final = "python_loop"
_HANDLER: Final = "handler"
_STOCK: Final = "beam_naive"
_CONTENDERS: Final = (
    Contender(_JOB, "**seefood**, the job alone", core=True),
    Contender(_TRANSFORM, "**`ClassifyImages`** between Beam's text and Parquet", core=True),
    Contender(_LOOP, "**`seefood.classify`** in Python", core=True),
    Contender(_HANDLER, "**`SeefoodModelHandler`** in RunInference", core=True),
    Contender(_STOCK, "TensorFlow handler in RunInference", "tensorflow", core=True),
)


def measure(settings: Settings) -> Section:
    """Measure the parts against the command's job and against a TensorFlow handler."""
    pictures = ensure_pictures("web", settings.choose(2283, 380))
    pictures.read_once()
    bundle = load_bundle(default_bundle_path())

    def job_for(contender: Contender, output: Path) -> Job:
        del contender
        return Job(
            pictures=tuple(map(str, pictures.files)),
            source=str(pictures.folder),
            output=str(output),
            bundle=str(bundle.path),
            saved_model=str(bundle.path),
            onnx="",
            labels=bundle.labels,
            side=bundle.spec.rule.width,
            threads=cores(),
        )

    warm_up(_CONTENDERS, job_for)
    plan = Plan(settings.rounds or settings.choose(3, 1), settings.choose(900, 60))
    outcome = run_rounds(_CONTENDERS, job_for, plan)
    ratio = partial(paired_ratio, outcome.measurements, loop=True)
    aims = [
        at_least("ClassifyImages against the job", 0.9, ratio(_TRANSFORM, _JOB)),
        at_least("seefood.classify against the job", 0.95, ratio(_LOOP, _JOB)),
        at_least("our handler against the TensorFlow handler", 2.0, ratio(_HANDLER, _STOCK)),
    ]
    section = to_section("Parts in other programs", pictures, _CONTENDERS, outcome, aims)
    return replace(
        section, note=f"{section.note} The network is the built-in model, for all contenders."
    )
