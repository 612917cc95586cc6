"""The job on a Flink cluster and an S3 server writes the same rows, whatever is killed."""

import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
from apache_beam.options.pipeline_options import PortableOptions
from apache_beam.testing.util import assert_that, equal_to

from benchmarks.s3_server import running
from infra.flink.cluster import Cluster, kill, start, start_node, stop, wait_for_nodes, workers
from infra.flink.jars import cached_jars, fetch_jars
from seefood.errors import UsageError
from seefood.records import Row
from seefood.results.files import list_parts, read_rows
from seefood.runs.run_spec import ChunkSize, RunOptions
from seefood.storage.uris import parse_location
from seefood_pipeline import (
    ClassifyImages,
    ListImages,
    SeefoodModelHandler,
    SkipDone,
    WriteRows,
)
from seefood_pipeline.flink import FlinkCluster
from seefood_pipeline.job_server import cached_class_path, job_server
from seefood_pipeline.launcher import launch
from seefood_pipeline.options import job_server_path, pipeline_options
from seefood_pipeline.request import Request
from tests.bundles import fake_bundle
from tests.conftest import ROOT
from tests.pictures import jpeg
from tests.pipeline.flink_pictures import fill_folder, pack_archives

pytestmark = [pytest.mark.beam, pytest.mark.flink, pytest.mark.timeout(1200)]

_MANY = 2000
_LARGE = 1600
_PACKED = 60
# Enough to outlast the launcher's first poll: PNG cannot be decoded at a smaller size.
_SLOW = 2000
_LAUNCH = """
import sys
from pathlib import Path
from seefood_pipeline.launcher import launch
from seefood_pipeline.request import Request
from seefood.runs.run_spec import ChunkSize, RunOptions
from seefood.cli.failures import code_of
from seefood.errors import SeefoodError
bundle, source, output, *beam = sys.argv[1:]
options = RunOptions(engine="fake", chunk=ChunkSize(8))
request = Request((source,), output, Path(bundle), options, report=False,
                  beam_arguments=tuple(beam))
try:
    print(launch(request, "lines").summary["rows"])
except SeefoodError as error:
    print(error, file=sys.stderr)
    sys.exit(code_of(error))
"""


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for the fake engine."""
    return fake_bundle(tmp_path_factory.mktemp("bundle")).path


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A real S3 server with pictures and archives in the bucket `flink`, and its environment."""
    buckets = tmp_path_factory.mktemp("buckets")
    fill_folder(buckets / "flink" / "many", _MANY - 1, (96, 72))
    fill_folder(buckets / "flink" / "large", _LARGE - 1, (1600, 1200))
    for name in ("many", "large"):
        pack_archives(buckets / "flink" / name)
    fill_folder(buckets / "flink" / "slow", _SLOW - 1, (2400, 1800), "png")
    with running(buckets) as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def cluster(s3_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One JobManager and two nodes, each with its own pool of Python workers."""
    del s3_server  # the workers use its environment
    fetch_jars()
    rest, rpc, pool = _free_ports(3)
    made = Cluster(tmp_path_factory.mktemp("cluster"), rest, rpc, pool)
    try:
        start(made)
        yield made
    finally:
        stop(made)


def _beam(cluster: Cluster) -> tuple[str, ...]:
    return (
        "--runner=FlinkRunner",
        f"--flink_master={cluster.master}",
        f"--environment_config=localhost:{cluster.pool_port}",
    )


def _rows(output: str) -> list[Row]:
    return list(read_rows(parse_location(output)))


def _check(output: str, count: int) -> None:
    """Check that every picture has exactly one row."""
    rows = _rows(output)
    assert count == len({row.uri for row in rows}) == len(rows)


def _wait(condition: Callable[[], bool], seconds: float = 420.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _parts(output: str) -> int:
    return len(list_parts(parse_location(output)))


def _start_launcher(bundle: Path, output: str, cluster: Cluster) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _LAUNCH, str(bundle), "s3://flink/large/", output]
    return subprocess.Popen(
        [*command, *_beam(cluster)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_same_rows_as_on_one_machine(cluster: Cluster, bundle: Path) -> None:
    """Both runners write the same rows for two thousand pictures, except for their times.

    Some pictures are in archives of the bucket, some in one on the machines' disks.
    """
    shard = bundle.parent / "shard.tar.gz"
    with tarfile.open(shard, "w:gz") as archive:
        for number in range(_PACKED):
            member = tarfile.TarInfo(f"{number}.jpg")
            member.size = len(jpeg())
            archive.addfile(member, io.BytesIO(jpeg()))
    options = RunOptions(engine="fake", chunk=ChunkSize(50))
    sources = ("s3://flink/many/", str(shard))
    request = Request(sources, "s3://flink/here", bundle, options, report=False)
    here = launch(request, "quiet").summary
    there = launch(
        replace(request, output="s3://flink/there", beam_arguments=_beam(cluster)), "quiet"
    ).summary
    same = ("listed", "rows", "parts", "by_status", "by_label", "by_error_code", "bytes_read")
    assert {name: here[name] for name in same} == {name: there[name] for name in same}
    epoch = _rows("s3://flink/here")[0].classified_at
    sets = [
        sorted(
            (replace(row, classified_at=epoch) for row in _rows(output)), key=lambda row: row.uri
        )
        for output in ("s3://flink/here", "s3://flink/there")
    ]
    assert _MANY + _PACKED == len(sets[0])
    assert 200 + _PACKED == sum("#" in row.uri for row in sets[0])
    assert sets[0] == sets[1]


def test_the_parts_of_a_pipeline_survive_a_lost_machine(cluster: Cluster, bundle: Path) -> None:
    """List, skip, classify and write, as transforms: the rows of one machine, each once.

    A TaskManager is killed while they run. Afterwards there is nothing left to do.
    """
    output = "s3://flink/parts"

    def build(pipeline: beam.Pipeline) -> None:
        images = pipeline | ListImages("s3://flink/large/") | SkipDone(output, bundle)
        classified = images | beam.Reshuffle() | ClassifyImages(bundle, engine="fake")
        _ = tuple(classified) | beam.Flatten() | WriteRows(output, shards=8)

    run = threading.Thread(target=_run, args=(cluster, build))
    run.start()
    _wait(lambda: bool(workers(cluster, 1)) and bool(workers(cluster, 2)))
    time.sleep(5.0)  # until the workers classify
    kill(cluster, "taskmanager-2")
    start_node(cluster, 2)
    run.join(timeout=400)
    _check(output, _LARGE)
    assert {True} == {row.label is None for row in _rows(output) if row.uri.endswith("broken.jpg")}
    wait_for_nodes(cluster, 2)
    before = _parts(output)
    _run(cluster, build)
    assert (before, _LARGE) == (_parts(output), len(_rows(output)))


def test_runinference_on_the_cluster(cluster: Cluster, bundle: Path) -> None:
    """The model handler, with keys, a bad picture among good ones."""

    def build(pipeline: beam.Pipeline) -> None:
        handler = KeyedModelHandler(SeefoodModelHandler(bundle, engine="fake"))
        examples = [(number, b"no" if number == 7 else jpeg()) for number in range(20)]
        results = pipeline | beam.Create(examples) | RunInference(handler)
        kinds = results | beam.MapTuple(lambda _, result: type(result.inference).__name__)
        assert_that(kinds | beam.combiners.Count.PerElement(), equal_to(expected))

    expected = [("Prediction", 19), ("PictureError", 1)]
    _run(cluster, build)


def _run(cluster: Cluster, build: Callable[[beam.Pipeline], None]) -> None:
    """Run a pipeline on the cluster as a user's program does, with Beam's job server."""
    options = pipeline_options(_beam(cluster))
    path = job_server_path(options)
    assert path is not None
    with job_server(path, cluster.master) as endpoint:
        options.view_as(PortableOptions).job_endpoint = endpoint
        with beam.Pipeline(options=options) as pipeline:
            build(pipeline)


def test_lost_machines_lose_and_double_no_row(cluster: Cluster, bundle: Path) -> None:
    """A TaskManager is killed, then Python workers, then the job is cancelled and started again.

    After the first two the job continues by itself, and the logs say what happened.
    """
    output = "s3://flink/lost"
    launcher = _start_launcher(bundle, output, cluster)
    _wait(lambda: _parts(output) >= 5)
    first = set(workers(cluster, 1))
    kill(cluster, "taskmanager-2")
    _wait(lambda: bool(set(workers(cluster, 1)) - first))  # the job has started again
    written = _parts(output)
    _wait(lambda: _parts(output) >= written + 5)
    killed = set(workers(cluster, 1))
    for number in killed:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    _wait(lambda: bool(set(workers(cluster, 1)) - killed))  # the job has started again
    written = _parts(output)
    _wait(lambda: _parts(output) >= written + 5)
    flink = FlinkCluster(cluster.master)
    (name,) = {job.name for job in flink.every_job() if not job.is_over}
    assert 1 == flink.cancel(name)
    _, stderr = launcher.communicate(timeout=120)
    assert (1, True) == (launcher.returncode, "run it again" in stderr.splitlines()[-1])
    assert "is started again: " in stderr
    assert "ended by SIGKILL" in (cluster.folder / "workers-1.log").read_text()
    assert "from state RUNNING to RESTARTING" in (cluster.folder / "jobmanager.log").read_text()
    start_node(cluster, 2)
    wait_for_nodes(cluster, 2)
    done = _parts(output)
    assert 15 < done < _LARGE // 8
    again = _start_launcher(bundle, output, cluster)
    rows, stderr = again.communicate(timeout=400)
    assert (0, True) == (again.returncode, 0 < int(rows) < _LARGE), stderr
    _check(output, _LARGE)
    assert not [job for job in flink.every_job() if not job.is_over]


def test_ctrl_c_cancels_on_the_cluster(cluster: Cluster, bundle: Path) -> None:
    """The first Ctrl-C cancels the job on the cluster and says so."""
    output = "s3://flink/stopped"
    launcher = _start_launcher(bundle, output, cluster)
    _wait(lambda: _parts(output) >= 3)
    launcher.send_signal(signal.SIGINT)
    _, stderr = launcher.communicate(timeout=120)
    assert (130, True) == (launcher.returncode, "was cancelled on the cluster" in stderr), stderr
    assert not [job for job in FlinkCluster(cluster.master).every_job() if not job.is_over]


def test_too_many_failures_stop_every_worker(
    cluster: Cluster, bundle: Path, s3_server: None
) -> None:
    """The launcher counts over all workers; the run ends early, in order, with its summary."""
    del s3_server
    options = RunOptions(engine="fake", chunk=ChunkSize(8), max_failure_ratio=0.0)
    request = Request(("s3://flink/slow/",), "s3://flink/early", bundle, options, report=False)
    summary = launch(replace(request, beam_arguments=_beam(cluster)), "quiet").summary
    assert summary["stopped_early"]
    assert summary["rows"] == summary["listed"] - summary["skipped_by_ledger"] < _SLOW
    assert summary["rows"] == len(_rows("s3://flink/early"))


def test_options_fit_the_cluster(cluster: Cluster) -> None:
    """By default the job has a task for each node and uses the pools beside them."""
    options = pipeline_options(_beam(cluster)[:2]).get_all_options()
    assert ("EXTERNAL", "localhost:50000", cluster.nodes) == (
        options["environment_type"], options["environment_config"], options["parallelism"],
    )  # fmt: skip


def test_an_absent_jar_is_an_error(cluster: Cluster) -> None:
    """It is found before any work."""
    with pytest.raises(UsageError, match=r"there is no /nowhere\.jar"):
        pipeline_options((*_beam(cluster), "--flink_job_server_jar=/nowhere.jar"))


def test_the_job_server_is_found_where_it_was_fetched() -> None:
    """The launcher reads the folder that the cluster's script fills."""
    jars = cached_jars()
    assert f"{jars.job_server}/*{os.pathsep}{jars.flink}/*" == cached_class_path()
