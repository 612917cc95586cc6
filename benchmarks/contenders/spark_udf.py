"""Spark as in the documentation of `predict_batch_udf`: binary files, the function, Parquet."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else `python3` of the path

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pyspark.ml.functions import predict_batch_udf
from pyspark.sql import SparkSession
from pyspark.sql.functions import col
from pyspark.sql.types import FloatType, StringType, StructField, StructType

from benchmarks.job import Job, read_job, timed

_RESULT = StructType([StructField("label", StringType()), StructField("score", FloatType())])


def make_predict(
    saved_model: str, labels: Sequence[str], side: int
) -> Callable[[Any], dict[str, Any]]:
    """Return the function of a batch; runs once in each of Spark's Python workers."""
    from io import BytesIO  # noqa: PLC0415 (in the worker's process, as below)

    import numpy as np  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    model = tf.saved_model.load(saved_model).signatures["serving_default"]

    def read(content: bytes) -> Any:
        image = Image.open(BytesIO(content)).convert("RGB")
        return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR))

    def predict(contents: Any) -> dict[str, Any]:
        (outputs,) = model(image=tf.constant(np.stack([read(each) for each in contents]))).values()
        scores = outputs.numpy()
        best = np.array([labels[at] for at in scores.argmax(axis=1)])
        return {"label": best, "score": scores.max(axis=1)}

    return predict


def main(job: Job) -> None:
    """Build and run the query. Spark starts before the timed block, like imports."""
    spark = (
        SparkSession.builder.master(f"local[{job.threads}]")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    predict = partial(make_predict, job.saved_model, job.labels, job.side)
    classify: Any = predict_batch_udf(predict, return_type=_RESULT, batch_size=32)
    with timed(job):
        files = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
        rows = files.load(job.source).select(
            col("path").alias("uri"), classify(col("content")).alias("result")
        )
        rows.select("uri", "result.label", "result.score").write.mode("append").parquet(job.output)
    spark.stop()


if __name__ == "__main__":
    main(read_job())
