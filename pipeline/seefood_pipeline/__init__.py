"""Apache Beam: transforms for pipelines of one's own, and the batch job that is made of them.

    images = pipeline | ListImages("s3://photos/") | SkipDone("s3://labels")
    images | ClassifyImages("hotdog") | WriteRows("s3://labels")

The public names below are imported at their first use. Each transform has a plain-function twin.

listing          ListImages, list_images
skipping         SkipDone, skip_done
classifying      ClassifyImages, classify_images
writing          WriteRows, write_rows
model_handler    SeefoodModelHandler, for Beam's RunInference
picture_row      PictureRow, the rows with a Beam schema
images           what a PCollection of pictures may hold
worker_factory   the worker process that all steps of a process share

The batch job, `seefood classify`:

request         the argument of `launch`
launcher        `launch`: prepare, execute, account
bulk_job        builds the pipeline and runs it to its end
run_steps       the transforms, with the counts and the stops of a run; with run_control
remote_runner   a job whose workers are other processes; with coordination and restart_state
options         Beam's options, and what a Flink cluster needs
command         `seefood classify`
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seefood_pipeline.classifying import Classified, ClassifyImages, classify_images
    from seefood_pipeline.listing import ListImages, Listing, list_images
    from seefood_pipeline.model_handler import SeefoodModelHandler
    from seefood_pipeline.picture_row import PictureRow, as_json
    from seefood_pipeline.skipping import SkipDone, skip_done
    from seefood_pipeline.writing import WriteRows, write_rows

__all__ = [
    "Classified",
    "ClassifyImages",
    "ListImages",
    "Listing",
    "PictureRow",
    "SeefoodModelHandler",
    "SkipDone",
    "WriteRows",
    "as_json",
    "classify_images",
    "list_images",
    "skip_done",
    "write_rows",
]

_MODULES = {
    "Classified": "classifying",
    "ClassifyImages": "classifying",
    "ListImages": "listing",
    "Listing": "listing",
    "PictureRow": "picture_row",
    "SeefoodModelHandler": "model_handler",
    "SkipDone": "skipping",
    "WriteRows": "writing",
    "as_json": "picture_row",
    "classify_images": "classifying",
    "list_images": "listing",
    "skip_done": "skipping",
    "write_rows": "writing",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562): `seefood --help` needs no Beam."""
    if name not in _MODULES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"seefood_pipeline.{_MODULES[name]}"), name)
