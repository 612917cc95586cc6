"""Bulk work: ours, a bare loop and the peers over the same pictures with the same network."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.contender import Job
from benchmarks.loopback_s3 import BUCKET, serve
from benchmarks.network import SIDE, Networks, ensure_networks
from benchmarks.pictures import LABELS, Pictures, ensure_pictures
from benchmarks.rounds import Contender, Outcome, Plan, run_rounds
from benchmarks.sections import (
    Aim,
    Bar,
    Medians,
    Section,
    agreement,
    at_least,
    at_most,
    medians,
    paired_ratio,
)
from benchmarks.setting import Setting, cores, python

OURS: Final = "ours"
SHELL: Final = "ours_shell"
INT8: Final = "ours_int8"
BARE: Final = "bare_loop"


def _shell(job: Job) -> list[str]:
    """Return what a user types; report and all."""
    seefood = str(python().parent / "seefood")
    return [seefood, "classify", job.source, "--output", job.output, "--model", job.bundle]


CONTENDERS: Final = (
    Contender(OURS, "**seefood**, the job in one process", core=True),
    Contender(BARE, "bare loop, LiteRT, no framework", core=True),
    Contender(
        SHELL, "**`seefood classify`**, shell to exit, with report", command=_shell, core=True
    ),
    Contender(INT8, "**seefood**, int8", script="ours", core=True),
    Contender("onnx_loop", "bare loop, onnxruntime", "onnxruntime"),
    Contender("tf_data", "tf.data + SavedModel", "tensorflow"),
    Contender("keras_predict", "Keras predict, image_dataset_from_directory", "tensorflow"),
    Contender("beam_tuned", "Beam RunInference, tuned", "tensorflow"),
    Contender("beam_naive", "Beam RunInference, naive", "tensorflow"),
    Contender("daft_udf", "Daft + SavedModel", "daft"),
    Contender("ray_data", "Ray Data + SavedModel", "ray"),
)
_QUICK: Final = (OURS, BARE, SHELL, "tf_data", "beam_naive", "ray_data")


@dataclass(frozen=True, slots=True)
class _Work:
    """One set of pictures and who reads it."""

    title: str
    pictures: Pictures
    contenders: tuple[Contender, ...]
    plan: Plan


def measure_web(setting: Setting) -> Section:
    """Web photos from local files: ours, a bare loop and every peer."""
    networks = ensure_networks()
    pictures = ensure_pictures("web", setting.choose(2283, 380))
    chosen = [c for c in CONTENDERS if not setting.quick or c.name in _QUICK]
    plan = Plan(setting.rounds or setting.choose(3, 1), setting.choose(400, 60))
    work = _Work("Web photos, local files", pictures, tuple(chosen), plan)
    outcome = _run(work, networks)
    ratio = partial(paired_ratio, outcome.measurements, OURS)
    fast = partial(paired_ratio, outcome.measurements, INT8)
    found = medians(outcome.measurements)
    aims = [
        at_least(
            "job against the bare loop, imports excluded on both sides",
            0.97,
            ratio(BARE, loop=True),
        ),
        at_least("against naive Beam, start to exit", 3.5, ratio("beam_naive", loop=False)),
        at_least("against tf.data, start to exit", 2.5, ratio("tf_data", loop=False)),
        at_least("against Ray Data, start to exit", 6.0, ratio("ray_data", loop=False)),
        *_shell_aims(found),
    ]
    if INT8 in found:
        aims += [
            at_least("int8 against naive Beam, start to exit", 6.0, fast("beam_naive", loop=False)),
            at_least("int8 against Ray Data, start to exit", 10.0, fast("ray_data", loop=False)),
            at_most("int8: right labels lost", 0.5, _points_lost(outcome, pictures), " points"),
        ]
    return _section(work, outcome, aims)


def measure_camera(setting: Setting) -> Section:
    """Camera photos of several megapixels from local files."""
    networks = ensure_networks()
    pictures = ensure_pictures("camera", setting.choose(174, 29))
    names = {OURS, BARE, SHELL, "tf_data", "beam_tuned", "beam_naive", "ray_data"}
    chosen = [c for c in CONTENDERS if c.name in (set(_QUICK) & names if setting.quick else names)]
    plan = Plan(setting.rounds or setting.choose(3, 1), setting.choose(120, 30))
    work = _Work("Camera photos, local files", pictures, tuple(chosen), plan)
    outcome = _run(work, networks)
    aims = [
        at_least(
            "against naive Beam, imports excluded on both sides",
            9.0,
            paired_ratio(outcome.measurements, OURS, "beam_naive", loop=True),
        )
    ]
    return _section(work, outcome, aims)


def measure_s3(setting: Setting) -> Section:
    """Web photos from a bucket on this machine, without and with 50 ms before each answer."""
    networks = ensure_networks()
    pictures = ensure_pictures("web", setting.choose(2283, 380))
    plan = Plan(setting.rounds or setting.choose(3, 1), setting.choose(110, 25))
    with serve(pictures.folder, 0.0) as near, serve(pictures.folder, 0.05) as far:
        contenders = (
            Contender(OURS, "**seefood**, local files"),
            Contender("s3_0", "**seefood**, S3, 0 ms", script=OURS, environment=near),
            Contender("s3_50", "**seefood**, S3, 50 ms", script=OURS, environment=far),
        )
        work = _Work("Web photos from S3", pictures, contenders, plan)
        outcome = _run(work, networks)
    ratio = partial(paired_ratio, outcome.measurements)
    aims = [
        at_least("S3 with 50 ms against our own local files", 0.9, ratio("s3_50", OURS, loop=True)),
        at_least("S3 with 0 ms against our own local files", 0.9, ratio("s3_0", OURS, loop=True)),
    ]
    return _section(work, outcome, aims)


def _run(work: _Work, networks: Networks) -> Outcome:
    work.pictures.read_once()

    def make_job(contender: Contender, output: Path) -> Job:
        return Job(
            pictures=tuple(map(str, work.pictures.files)),
            source=f"s3://{BUCKET}" if contender.environment else str(work.pictures.folder),
            output=str(output),
            bundle=str(networks.int8 if contender.name == INT8 else networks.float32),
            onnx=str(networks.onnx),
            labels=LABELS,
            side=SIDE,
            threads=cores(),
        )

    return run_rounds(work.contenders, make_job, work.plan)


def _points_lost(outcome: Outcome, pictures: Pictures) -> float | None:
    """Return how many percentage points of right labels int8 has less than float32."""
    truth = {file.name: file.parent.name for file in pictures.files}
    labels = {run.contender: run.labels for run in outcome.measurements}
    before, after = (agreement(truth, labels.get(name, {})) for name in (OURS, INT8))
    return None if before is None or after is None else 100 * (before - after)


def _shell_aims(found: dict[str, Medians]) -> list[Aim]:
    shell, bare = found.get(SHELL), found.get(BARE)
    more = shell.seconds_total - bare.seconds_total if shell and bare else None
    return [
        at_most("`seefood classify`, wall time beyond the bare loop's", 2.5, more),
        at_most("start to first row written", 3.0, shell.seconds_first_row if shell else None),
    ]


def _section(work: _Work, outcome: Outcome, aims: Sequence[Aim]) -> Section:
    found = medians(outcome.measurements)
    labels = {run.contender: run.labels for run in outcome.measurements}
    expected = labels.get(BARE) or labels.get(OURS) or {}
    truth = {
        file.name: file.parent.name for file in work.pictures.files if file.parent.name in LABELS
    }
    ours_first = next(iter(found), "")
    rows = []
    for contender in work.contenders:
        one = found.get(contender.name)
        if one is None:
            reason = outcome.failures.get(contender.name, "not run")
            rows.append((contender.title, reason, *[""] * 6))
            continue
        ratio = partial(paired_ratio, outcome.measurements, ours_first, contender.name)
        mine = labels[contender.name]
        rows.append(
            (
                contender.title,
                _number(one.rate_loop),
                _number(one.rate_total),
                f"{one.seconds_total:.1f}",
                _number(ratio(loop=False), "{:.2f}"),
                f"{one.peak_rss_mb:.0f}",
                _share(agreement(expected, mine)),
                _share(agreement(truth, mine)),
            )
        )
    bars = tuple(
        Bar(
            contender.title.replace("*", "").replace("`", ""),
            found[contender.name].rate_total,
            "**" in contender.title,
        )
        for contender in work.contenders
        if contender.name in found
    )
    pictures = work.pictures
    rounds = max((one.rounds for one in found.values()), default=0)
    return Section(
        title=work.title,
        note=(
            f"{len(pictures.files):,} pictures ({pictures.origin}; {pictures.megabytes:.0f} MB), "
            f"MobileNetV2-1.0-224, medians of up to {rounds} rounds, contenders in turns. "
            "*Work alone* excludes imports and loading the model; *start to exit* is the whole "
            "process."
        ),
        columns=(
            "contender",
            "pictures/s, work alone",
            "pictures/s, start to exit",
            "s, start to exit",
            "seefood is x as fast, start to exit",
            "peak MB",
            "same label as the bare loop",
            "right",
        ),
        rows=tuple(rows),
        aims=tuple(aims),
        bars=bars,
        unit="pictures/s, start to exit",
        data={
            "pictures": len(pictures.files),
            "origin": pictures.origin,
            "failures": outcome.failures,
            "runs": [run.as_json() for run in outcome.measurements],
        },
    )


def _number(value: float | None, form: str = "{:,.0f}") -> str:
    return "" if value is None else form.format(value)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
