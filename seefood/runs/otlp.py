"""Exports the measures of a run by OTLP, where OpenTelemetry is installed and configured.

The usual variables decide: OTEL_EXPORTER_OTLP_ENDPOINT (or …_METRICS_ENDPOINT) where to, and the
others of OpenTelemetry's SDK how. Without an endpoint, and without the SDK, nothing happens.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Final, Protocol

from seefood.sanitize import one_line

_SHOWN: Final = 300
"""Characters of OpenTelemetry's message that are shown."""
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class Exportable(Protocol):
    """One value of one series."""

    @property
    def name(self) -> str:
        """Of the metric."""

    @property
    def value(self) -> float:
        """The value now."""

    @property
    def attributes(self) -> Mapping[str, str]:
        """What distinguishes the series of a metric."""


def export_measures(measures: Sequence[Exportable], descriptions: Mapping[str, str]) -> str | None:
    """Send the measures as gauges and wait until they are sent; return why that failed, if it did.

    Nothing is sent, and None returned, where no endpoint is configured.
    """
    if not is_wanted(os.environ):
        return None
    if find_spec("opentelemetry") is None:
        return 'OTEL_… names an endpoint; `pip install "seefood[otel]"` exports to it'
    with _collected_messages() as messages:
        try:
            is_sent = _send(measures, descriptions)
        except Exception as error:  # noqa: BLE001 (a variable may be anything; the run is done)
            is_sent = False
            messages.append(one_line(error))
    if is_sent:
        return None
    # The last message may say only that there were no more tries, the one before why.
    cause = "; ".join(" ".join(each.split())[:_SHOWN] for each in messages[-2:])
    return f"the measures were not sent by OTLP ({cause}); check the OTEL_… variables"


def _send(measures: Sequence[Exportable], descriptions: Mapping[str, str]) -> bool:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415 (optional)
        OTLPMetricExporter,
    )
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 (optional)
    from opentelemetry.sdk.metrics.export import (  # noqa: PLC0415 (optional)
        InMemoryMetricReader,
        MetricExportResult,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 (optional)

    own = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "seefood"}
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], Resource.create(own), shutdown_on_exit=False)
    meter = provider.get_meter("seefood")
    gauges = {
        name: meter.create_gauge(name, description=descriptions[name])
        for name in dict.fromkeys(each.name for each in measures)
    }
    for each in measures:
        gauges[each.name].set(each.value, dict(each.attributes))
    collected = reader.get_metrics_data()
    exporter = OTLPMetricExporter()
    try:
        return collected is None or exporter.export(collected) is MetricExportResult.SUCCESS
    finally:
        exporter.shutdown()
        provider.shutdown()


@contextmanager
def _collected_messages() -> Iterator[list[str]]:
    """Yield the list to which OpenTelemetry's log messages go, instead of to the log."""
    messages: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    log, handler = logging.getLogger("opentelemetry"), Collector()
    log.addHandler(handler)
    propagates, log.propagate = log.propagate, False
    try:
        yield messages
    finally:
        log.removeHandler(handler)
        log.propagate = propagates


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the environment asks for an export."""
    is_off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_none = environ.get("OTEL_METRICS_EXPORTER", "otlp").lower() == "none"
    return not is_off and not is_none and any(environ.get(name) for name in _ENDPOINTS)
