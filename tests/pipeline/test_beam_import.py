import subprocess
import sys

import pytest

PROGRAM = """
import sys
from seefood_pipeline.beam_import import import_in_background
import_in_background().join()
assert "seefood_pipeline.bulk_job" in sys.modules
import pyarrow as pa
pa.table({"a": [1]}, pa.schema({"a": pa.int64()}))
hidden = ("apache_beam.io.gcp", "boto3", "bson", "pandas", "pymongo", "pyparsing", "requests")
print(*(name for name in hidden if name in sys.modules))
import httplib2
assert httplib2.Http
import yaml
assert yaml.safe_load("[1]") == [1]
import pandas
import requests
import gc
assert gc.isenabled()
assert not any("beam_import" in type(finder).__module__ for finder in sys.meta_path)
"""


@pytest.mark.beam
def test_beam_is_imported_without_libraries_that_the_job_does_not_use() -> None:
    """The hidden libraries are not loaded, and can be imported afterwards."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stdout.strip()), done.stderr
