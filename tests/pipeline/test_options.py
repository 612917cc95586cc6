"""Beam's options for a cluster are checked before any work."""

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


def test_an_absent_cluster_is_an_error() -> None:
    """The message names the address and how to start a cluster."""
    address = f"127.0.0.1:{_closed_port()}"
    with pytest.raises(UsageError, match=rf"no Flink cluster answers at {address}.*flink-up"):
        pipeline_options(["--runner=FlinkRunner", f"--flink_master={address}"])


@pytest.mark.parametrize("master", ["[local]", "[auto]"])
def test_the_address_of_the_cluster_is_required(master: str) -> None:
    """Otherwise Beam would download and start a cluster."""
    with pytest.raises(UsageError, match="names no cluster"):
        pipeline_options(["--runner=FlinkRunner", f"--flink_master={master}"])


def test_an_absent_job_server_is_an_error() -> None:
    """A jar that the user names must exist."""
    with pytest.raises(UsageError, match=r"there is no /nowhere\.jar; fetch it with"):
        class_path("/nowhere.jar")
