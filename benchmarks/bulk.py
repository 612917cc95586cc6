"""seefood, a bare loop and the peers over the same pictures with the same network."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.bulk_contenders import (
    BARE,
    BF16,
    CAMERA,
    CASCADE,
    CONTENDERS,
    INT8,
    OURS,
    QUICK,
    SHELL,
    also_frozen,
)
from benchmarks.bulk_contenders import make_job as make_job_for
from benchmarks.bulk_table import to_section
from benchmarks.contender_process import Contender
from benchmarks.job import Job
from benchmarks.loopback_s3 import serve
from benchmarks.networks import ensure_networks
from benchmarks.pictures import Pictures, ensure_pictures
from benchmarks.runner import Outcome, Plan, run_rounds, warm_up
from benchmarks.sections import (
    Aim,
    Medians,
    Section,
    agreement,
    at_least,
    at_most,
    medians,
    paired_ratio,
)
from benchmarks.settings import Settings

_AGAINST_BARE: Final = "job against the bare loop, imports excluded on both sides"


@dataclass(frozen=True, slots=True)
class _BulkBenchmark:
    """A set of pictures, the contenders that read it, and the time budget."""

    title: str
    pictures: Pictures
    contenders: tuple[Contender, ...]
    plan: Plan


def measure_web(settings: Settings) -> Section:
    """Measure all contenders on web photos from local files."""
    pictures = ensure_pictures("web", settings.choose(2283, 380))
    chosen = [each for each in CONTENDERS if not settings.quick or each.name in QUICK]
    frozen = () if settings.quick else also_frozen()
    plan = Plan(settings.rounds or settings.choose(3, 1), settings.choose(900, 60))
    benchmark = _BulkBenchmark("Web photos, local files", pictures, (*chosen, *frozen), plan)
    outcome = _run(benchmark)
    by_name = medians(outcome.measurements)
    ratio = partial(paired_ratio, outcome.measurements)
    aims = [
        at_least(_AGAINST_BARE, 1.0, ratio(OURS, BARE, loop=True)),
        at_least("against naive Beam, start to exit", 3.5, ratio(SHELL, "beam_naive", loop=False)),
        at_least("against tf.data, start to exit", 2.5, ratio(SHELL, "tf_data", loop=False)),
        at_least("against Ray Data, start to exit", 6.0, ratio(SHELL, "ray_data", loop=False)),
        *_shell_aims(by_name),
    ]
    for name, title in ((INT8, "int8"), (CASCADE, "int8 cascade"), (BF16, "bf16")):
        if name in by_name:
            aims += _fast_aims(outcome, pictures, name, title)
    return _section(benchmark, outcome, aims)


def measure_steady(settings: Settings) -> Section:
    """Measure seefood and the bare loop on many web photos, so that start-up hardly counts."""
    pictures = ensure_pictures("web", settings.choose(6849, 761))
    chosen = [each for each in CONTENDERS if each.name in {OURS, BARE}]
    plan = Plan(settings.rounds or settings.choose(3, 1), settings.choose(240, 30))
    benchmark = _BulkBenchmark("Web photos, three times as many", pictures, tuple(chosen), plan)
    outcome = _run(benchmark)
    ratio = paired_ratio(outcome.measurements, OURS, BARE, loop=True)
    return _section(benchmark, outcome, [at_least(_AGAINST_BARE, 1.0, ratio)])


def measure_camera(settings: Settings) -> Section:
    """Measure on camera photos of several megapixels from local files."""
    pictures = ensure_pictures("camera", settings.choose(522, 29))
    names = set(CAMERA) & set(QUICK) if settings.quick else set(CAMERA)
    chosen = [each for each in CONTENDERS if each.name in names]
    plan = Plan(settings.rounds or settings.choose(3, 1), settings.choose(420, 30))
    benchmark = _BulkBenchmark("Camera photos, local files", pictures, tuple(chosen), plan)
    outcome = _run(benchmark)
    ratio = partial(paired_ratio, outcome.measurements)
    naive = "beam_naive"
    aims = [
        at_least(
            "against naive Beam, imports excluded on both sides", 9.0, ratio(OURS, naive, loop=True)
        ),
        at_least("against naive Beam, start to exit", 9.0, ratio(SHELL, naive, loop=False)),
        at_least("int8 against naive Beam, start to exit", 9.0, ratio(INT8, naive, loop=False)),
    ]
    return _section(benchmark, outcome, aims)


def measure_s3(settings: Settings) -> Section:
    """Measure on web photos from a bucket on this machine, without latency and with 50 ms."""
    pictures = ensure_pictures("web", settings.choose(2283, 380))
    plan = Plan(settings.rounds or settings.choose(3, 1), settings.choose(150, 25))
    with serve(pictures.folder, 0.0) as fast, serve(pictures.folder, 0.05) as slow:
        contenders = (
            Contender(OURS, "**seefood**, local files", core=True),
            Contender("s3_0", "**seefood**, S3, 0 ms", script=OURS, environment=fast, core=True),
            Contender("s3_50", "**seefood**, S3, 50 ms", script=OURS, environment=slow, core=True),
        )
        benchmark = _BulkBenchmark("Web photos from S3", pictures, contenders, plan)
        outcome = _run(benchmark)
    ratio = partial(paired_ratio, outcome.measurements)
    aims = [
        at_least("S3 with 50 ms against our own local files", 0.9, ratio("s3_50", OURS, loop=True)),
        at_least("S3 with 0 ms against our own local files", 0.9, ratio("s3_0", OURS, loop=True)),
    ]
    return _section(benchmark, outcome, aims)


def _run(benchmark: _BulkBenchmark) -> Outcome:
    networks = ensure_networks()
    benchmark.pictures.read_once()
    make_job = partial(make_job_for, pictures=benchmark.pictures, networks=networks)

    def job_for(contender: Contender, output: Path) -> Job:
        return make_job(contender, output=output)

    warm_up(benchmark.contenders, job_for)
    return run_rounds(benchmark.contenders, job_for, benchmark.plan)


def _shell_aims(by_name: dict[str, Medians]) -> list[Aim]:
    shell, bare = by_name.get(SHELL), by_name.get(BARE)
    more = shell.seconds_total - bare.seconds_total if shell and bare else None
    return [
        at_most("`seefood classify`, wall time beyond the bare loop's", 2.5, more),
        at_most("start to first row written", 0.9, shell.seconds_first_row if shell else None),
    ]


def _fast_aims(outcome: Outcome, pictures: Pictures, name: str, title: str) -> list[Aim]:
    """Return the aims of a faster variant of the same network."""
    ratio = partial(paired_ratio, outcome.measurements, name, loop=False)
    return [
        at_least(f"{title} against naive Beam, start to exit", 8.0, ratio("beam_naive")),
        at_least(f"{title} against Ray Data, start to exit", 10.0, ratio("ray_data")),
        at_most(
            f"{title}: right labels lost", 0.5, _points_lost(outcome, pictures, name), " points"
        ),
    ]


def _points_lost(outcome: Outcome, pictures: Pictures, name: str) -> float | None:
    """Return how many percentage points fewer labels `name` has right than float32."""
    truth = {file.name: file.parent.name for file in pictures.files}
    labels = {run.contender: run.labels for run in outcome.measurements}
    before, after = (agreement(truth, labels.get(each, {})) for each in (OURS, name))
    return None if before is None or after is None else 100 * (before - after)


def _section(benchmark: _BulkBenchmark, outcome: Outcome, aims: Sequence[Aim]) -> Section:
    return to_section(benchmark.title, benchmark.pictures, benchmark.contenders, outcome, aims)
