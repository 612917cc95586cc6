"""Who takes part in bulk work, and what each is given."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.contender import Job
from benchmarks.loopback_s3 import BUCKET
from benchmarks.network import SIDE, Networks
from benchmarks.pictures import LABELS, Pictures
from benchmarks.rounds import Contender
from benchmarks.setting import cores, python

OURS: Final = "ours"
SHELL: Final = "ours_shell"
INT8: Final = "ours_int8"
BF16: Final = "ours_bf16"
CASCADE: Final = "ours_cascade"
BARE: Final = "bare_loop"
FROZEN: Final = "_frozen"
"""How the names end of peers that run once more, on the frozen SavedModel of our bundle."""


def _shell(job: Job) -> list[str]:
    """Return what a user types; report and all."""
    seefood = str(python().parent / "seefood")
    command = [seefood, "classify", job.source, "--output", job.output, "--model", job.bundle]
    return [*command, "--engine", job.engine]


CONTENDERS: Final = (
    Contender(OURS, "**seefood**, the job alone", core=True),
    Contender(BARE, "bare loop, LiteRT, no framework", core=True),
    Contender(
        SHELL, "**`seefood classify`**, shell to exit, with report", command=_shell, core=True
    ),
    Contender(INT8, "**`seefood classify`**, int8", command=_shell, core=True),
    Contender(CASCADE, "**`seefood classify`**, int8 cascade", command=_shell, core=True),
    Contender(
        BF16, "**`seefood classify`**, OpenVINO, bf16", "openvino", command=_shell, core=True
    ),
    Contender("openvino_loop", "bare loop, OpenVINO", "openvino"),
    Contender("onnx_loop", "bare loop, onnxruntime", "onnxruntime"),
    Contender("tf_data", "tf.data + SavedModel", "tensorflow"),
    Contender("keras_predict", "Keras predict, image_dataset_from_directory", "tensorflow"),
    Contender("beam_tuned", "Beam RunInference, tuned", "tensorflow"),
    Contender("beam_naive", "Beam RunInference, naive", "tensorflow"),
    Contender("daft_udf", "Daft + SavedModel", "daft"),
    Contender("ray_data", "Ray Data + SavedModel", "ray"),
)
QUICK: Final = (OURS, BARE, SHELL, "tf_data", "beam_naive", "ray_data")
CAMERA: Final = (OURS, BARE, SHELL, INT8, "tf_data", "beam_tuned", "beam_naive", "ray_data")
_ALSO_FROZEN: Final = ("tf_data", "beam_tuned", "beam_naive", "ray_data")


def also_frozen() -> tuple[Contender, ...]:
    """Return the peers that run once more on our frozen SavedModel, which TensorFlow runs faster.

    No documentation leads a user there, so the main column has them with an ordinary one.
    """
    return tuple(
        replace(each, name=each.name + FROZEN, title=f"{each.title}, frozen", script=each.name)
        for each in CONTENDERS
        if each.name in _ALSO_FROZEN
    )


def make_job(contender: Contender, pictures: Pictures, networks: Networks, output: Path) -> Job:
    """Return what `contender` is asked to do."""
    variants = {INT8: networks.int8, CASCADE: networks.cascade}
    bundle = variants.get(contender.name, networks.float32)
    frozen = contender.name.endswith(FROZEN)
    return Job(
        pictures=tuple(map(str, pictures.files)),
        source=f"s3://{BUCKET}" if contender.environment else str(pictures.folder),
        output=str(output),
        bundle=str(bundle),
        saved_model=str(networks.float32 if frozen else networks.exported),
        onnx=str(networks.onnx),
        labels=LABELS,
        side=SIDE,
        threads=cores(),
        engine="openvino-bf16" if contender.name == BF16 else "auto",
    )
