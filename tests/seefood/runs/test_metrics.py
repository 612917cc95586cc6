"""The measures of a run as Prometheus and OpenTelemetry read them."""

import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from seefood.errors import JobError, UsageError
from seefood.runs.metrics import HELP, Measured, measured, prometheus_text, run_measures

SUMMARY: dict[str, Any] = {
    "seconds": 12.5,
    "listed": 10,
    "skipped_by_ledger": 3,
    "by_status": {"ok": 5, "failed": 2},
    "by_label": {'a "b"\\\n': 5},
    "by_error_code": {"truncated": 2},
    "left_out": {"s3://b/x: denied": 1},
    "bytes_read": 4096,
    "model": {"name": "hotdog", "digest": "ab" * 32, "engine": "litert"},
    "receipt": {"requests": {"get": 7, "list": 2}, "cpu_seconds": 3.5},
    "drift": {"alarm": True, "novel": 4, "accuracy_estimate": {"estimate": 0.9}},
}
_LINE = re.compile(r'^(\w+)\{((?:\w+="(?:[^"\\\n]|\\.)*",?)+)\} (\S+)$')


def _series(text: str) -> dict[str, float]:
    """Return the values by name and labels; check the form of every line."""
    values = {}
    for line in text.splitlines():
        if not line.startswith("# "):
            found = _LINE.match(line)
            assert found, line
            values[f"{found[1]}{{{found[2]}}}"] = float(found[3])
    return values


def _fail(error: BaseException) -> int:
    return 2 if isinstance(error, UsageError) else 1


def _tell(note: str) -> None:
    raise AssertionError(note)


def test_every_measure_is_written_with_its_help() -> None:
    """Each name has one HELP and one TYPE line before its series; values are those of the run."""
    text = prometheus_text(list(run_measures(Measured(0, SUMMARY), "s3://out", 100.0, 100.0)))
    values = _series(text)
    assert [f"# HELP {name} {HELP[name]}" for name in HELP] == re.findall(r"# HELP .*", text)
    assert 2 == values['seefood_run_pictures{output="s3://out",status="failed"}']
    assert 0 == values['seefood_run_pictures{output="s3://out",status="unsure"}']
    assert 2 == values['seefood_run_failures{output="s3://out",code="truncated"}']
    assert 5 == values['seefood_run_labels{output="s3://out",label="a \\"b\\"\\\\\\\\n"}']
    assert 4096 == values['seefood_run_read_bytes{output="s3://out"}']
    assert 7 == values['seefood_run_requests{output="s3://out",method="get"}']
    assert 1 == values['seefood_run_drift_alarm{output="s3://out"}']
    assert 0.9 == values['seefood_run_estimated_accuracy{output="s3://out"}']


def test_a_failed_run_keeps_the_time_of_the_last_success(tmp_path: Path) -> None:
    """An alert on the age of the last success works although the file is replaced."""
    file = tmp_path / "seefood.prom"
    with measured(file, "out", _fail, _tell) as run:
        run.summary = SUMMARY
    success = _series(file.read_text())['seefood_last_success_timestamp_seconds{output="out"}']
    with pytest.raises(JobError), measured(file, "out", _fail, _tell):
        raise JobError("no")
    values = _series(file.read_text())
    assert 1 == values['seefood_run_exit_code{output="out"}']
    assert success == values['seefood_last_success_timestamp_seconds{output="out"}']
    assert not [name for name in values if name.startswith("seefood_run_pictures")]
    assert [file] == list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    """A wrong path costs nothing, and the message says what to do."""
    for file, cure in ((tmp_path / "nothing" / "x.prom", "make it first"), (tmp_path, "name a")):
        with (
            pytest.raises(UsageError, match=f"--metrics .*{cure}"),
            measured(file, "out", _fail, _tell),
        ):
            pytest.fail("the run began")


def test_measures_that_cannot_be_written_leave_nothing_behind(tmp_path: Path) -> None:
    """The collector's folder has no half-written file if FILE became a folder during the run."""
    file = tmp_path / "seefood.prom"
    with (
        pytest.raises(JobError, match=r"cannot write .*seefood\.prom of --metrics"),
        measured(file, "out", _fail, _tell),
    ):
        file.mkdir()
    assert [file] == list(tmp_path.iterdir())


def test_measures_are_exported_where_opentelemetry_is_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A collector gets each measure as a gauge, by OTLP over HTTP."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (  # noqa: PLC0415
        ExportMetricsServiceRequest,
    )

    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name)
            """Print nothing."""

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    with measured(None, "out", _fail, _tell) as run:
        run.summary = SUMMARY
    server.shutdown()
    server.server_close()
    received = ExportMetricsServiceRequest.FromString(bodies[0])
    (resource,) = received.resource_metrics
    attributes = {each.key: each.value.string_value for each in resource.resource.attributes}
    metrics = {each.name: each for scope in resource.scope_metrics for each in scope.metrics}
    assert "seefood" == attributes["service.name"]
    assert set(HELP) == set(metrics)
    (point,) = metrics["seefood_run_read_bytes"].gauge.data_points
    assert 4096 == point.as_double


@pytest.mark.parametrize(
    ("endpoint", "cause"),
    [
        ("http://127.0.0.1:9", "Connection refused"),
        ("127.0.0.1:9", "No connection adapters were found for '127.0.0.1:9/v1/metrics'"),
    ],
)
def test_a_failed_export_is_told_in_one_sentence(
    endpoint: str, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run keeps its exit code; the sentence has OpenTelemetry's reason and a cure."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3")
    told: list[str] = []
    with measured(None, "out", _fail, told.append) as run:
        run.summary = SUMMARY
    assert 0 == run.exit_code
    (sentence,) = told
    assert "\n" not in sentence
    assert cause in sentence
    assert sentence.endswith("check the OTEL_… variables")
