"""Beam's options for a cluster: what is missing is a sentence, before any work."""

import socket

import pytest

from seefood.errors import UsageError
from seefood_pipeline.job_server import class_path
from seefood_pipeline.options import pipeline_options

pytestmark = pytest.mark.beam


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_cluster_that_is_not_there() -> None:
    """The sentence names the address and both ways out."""
    address = f"127.0.0.1:{_closed_port()}"
    with pytest.raises(UsageError, match=rf"no Flink cluster answers at {address}.*flink-up"):
        pipeline_options(["--runner=FlinkRunner", f"--flink_master={address}"])


@pytest.mark.parametrize("master", ["[local]", "[auto]"])
def test_a_master_has_to_be_named(master: str) -> None:
    """Beam would download and start something by itself."""
    with pytest.raises(UsageError, match="names no cluster"):
        pipeline_options(["--runner=FlinkRunner", f"--flink_master={master}"])


def test_a_job_server_that_is_not_there() -> None:
    """A jar that was named has to be there."""
    with pytest.raises(UsageError, match=r"there is no /nowhere\.jar; fetch it with"):
        class_path("/nowhere.jar")
