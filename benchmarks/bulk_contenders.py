"""The contenders of the bulk benchmarks, and the job of each."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.contender_process import Contender
from benchmarks.job import Job
from benchmarks.loopback_s3 import BUCKET
from benchmarks.networks import SIDE, Networks
from benchmarks.pictures import LABELS, Pictures
from benchmarks.settings import TORCH, cores, python

OURS: Final = "ours"
SHELL: Final = "ours_shell"
INT8: Final = "ours_int8"
BF16: Final = "ours_bf16"
CASCADE: Final = "ours_cascade"
BARE: Final = "bare_loop"
FROZEN: Final = "_frozen"
"""Suffix of the peers that run a second time, with the frozen SavedModel of the bundle."""


def _shell(job: Job) -> list[str]:
    """Return the command that a user types, with the report."""
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
    Contender(
        "torch_loader",
        "PyTorch DataLoader + torchvision",
        "torchvision",
        environment={"PYTHONPATH": str(TORCH)},
    ),
    Contender("spark_udf", "Spark `predict_batch_udf` + SavedModel", "pyspark"),
    Contender("daft_udf", "Daft + SavedModel", "daft"),
    Contender("ray_data", "Ray Data + SavedModel", "ray"),
)
QUICK: Final = (OURS, BARE, SHELL, "tf_data", "beam_naive", "ray_data")
CAMERA: Final = (OURS, BARE, SHELL, INT8, "tf_data", "beam_tuned", "beam_naive", "ray_data")
_ALSO_FROZEN: Final = ("tf_data", "beam_tuned", "beam_naive", "ray_data")


def also_frozen() -> tuple[Contender, ...]:
    """Return the peers that run a second time, with the bundle's frozen SavedModel.

    TensorFlow runs a frozen SavedModel faster. No documentation recommends one, so the main column
    shows the peers with an ordinary SavedModel.
    """
    return tuple(
        replace(each, name=each.name + FROZEN, title=f"{each.title}, frozen", script=each.name)
        for each in CONTENDERS
        if each.name in _ALSO_FROZEN
    )


def make_job(contender: Contender, pictures: Pictures, networks: Networks, output: Path) -> Job:
    """Return the job of `contender`."""
    variants = {INT8: networks.int8, CASCADE: networks.cascade}
    bundle = variants.get(contender.name, networks.float32)
    frozen = contender.name.endswith(FROZEN)
    return Job(
        pictures=tuple(map(str, pictures.files)),
        source=f"s3://{BUCKET}"
        if "AWS_ENDPOINT_URL" in contender.environment
        else str(pictures.folder),
        output=str(output),
        bundle=str(bundle),
        saved_model=str(networks.float32 if frozen else networks.exported),
        onnx=str(networks.onnx),
        labels=LABELS,
        side=SIDE,
        threads=cores(),
        engine="openvino-bf16" if contender.name == BF16 else "auto",
        torch=str(networks.torch),
    )
